"""What is stored of each ticket, for the checker of invariants: implements `sessions.proofs.Evidence`."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sessions.errors import TicketUnknown
from sessions.models import TicketId, WorkspaceId
from sessions.proofs import LaunchFact, PostedFact, Proof, ThreadFact, Unsettled
from storage import rows
from storage.database import Connection, Database
from storage.inbox import InboxSweep
from storage.ledger import LEDGER, LedgerTransaction
from storage.queries import load
from storage.statements import Statements
from storage.system import System

PROOFS: Final = load("proofs")

PAGE: Final = 500
_BEFORE_ALL: Final = TicketId(UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresEvidence:
    """Each ticket is read in a snapshot of its own, so that none is kept open for long; ids come by `page`."""

    database: Database
    page: int = PAGE

    async def proofs(self) -> AsyncIterator[Proof]:
        for row in await System(self.database).rows("workspaces"):
            workspace = WorkspaceId(row["id"])
            async for ticket in self._tickets(workspace):
                proof = await self.find(workspace, ticket)
                if proof is not None:
                    yield proof

    async def find(self, workspace: WorkspaceId, ticket: TicketId) -> Proof | None:
        """None where the ticket is gone."""
        async with self.database.snapshot(workspace) as connection:
            try:
                return await _read(connection, ticket)
            except TicketUnknown:
                return None

    async def unsettled(self, *, older_than_s: float) -> Sequence[Unsettled]:
        return await InboxSweep(System(self.database)).unsettled(older_than_s=older_than_s)

    async def _tickets(self, workspace: WorkspaceId) -> AsyncIterator[TicketId]:
        """By id, which is by age."""
        last = _BEFORE_ALL
        while True:
            async with self.database.app(workspace) as connection:
                found = await Statements(connection, PROOFS).rows("tickets_after", last, self.page)
            for row in found:
                last = TicketId(row["id"])
                yield last
            if len(found) < self.page:
                return


async def _read(connection: Connection, ticket: TicketId) -> Proof:
    ledger = LedgerTransaction(Statements(connection, LEDGER))
    own = Statements(connection, PROOFS)
    found = await ledger.get_ticket(ticket)
    sessions = await ledger.sessions(ticket)
    return Proof(
        ticket=found,
        read_at=await _moment(own),
        history=await ledger.history(ticket),
        sessions=sessions,
        launches=await _launches(own, ticket),
        approvals=await ledger.approvals(ticket),
        inputs=[held for session in sessions for held in await ledger.inputs(session.id)],
        threads=await _threads(own, ticket),
    )


async def _moment(statements: Statements) -> datetime:
    moment = await statements.value("moment")
    assert isinstance(moment, datetime)
    return moment


async def _launches(statements: Statements, ticket: TicketId) -> list[LaunchFact]:
    return [
        LaunchFact(launch=rows.launch(row), ended=row["ended"], stored_frame=row["stored_frame"])
        for row in await statements.rows("launch_facts", ticket)
    ]


async def _threads(statements: Statements, ticket: TicketId) -> list[ThreadFact]:
    slots: dict[UUID, list[PostedFact]] = {}
    for row in await statements.rows("slot_facts", ticket):
        posted = PostedFact(
            slot=row["slot"], state=row["state"], message_id=row["message_id"], changed_at=row["changed_at"]
        )
        slots.setdefault(row["thread_id"], []).append(posted)
    return [
        ThreadFact(
            wanted_event=row["wanted_event"],
            delivered_event=row["delivered_event"],
            wanted_at=row["wanted_at"],
            parked=row["parked"],
            slots=tuple(slots.get(row["id"], ())),
        )
        for row in await statements.rows("thread_facts", ticket)
    ]
