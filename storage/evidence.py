"""What the database holds of each ticket, for the checker of invariants: implements `sessions.invariants.Evidence`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sessions.invariants import LaunchFact, PostedFact, Proof, ThreadFact
from sessions.models import TicketId, WorkspaceId
from storage import rows
from storage.database import Database
from storage.ledger import LEDGER, LedgerTransaction
from storage.queries import load
from storage.statements import Statements

EVIDENCE: Final = load("evidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresEvidence:
    database: Database
    workspace: WorkspaceId

    async def tickets(self) -> Sequence[TicketId]:
        async with self.database.app(self.workspace) as connection:
            return [TicketId(row["id"]) for row in await Statements(connection, EVIDENCE).rows("ticket_ids")]

    async def proof(self, ticket: TicketId) -> Proof:
        """Whoever changes a ticket locks it first, so with its lock all statements see one moment."""
        async with self.database.app(self.workspace) as connection:
            ledger = LedgerTransaction(Statements(connection, LEDGER))
            locked = await ledger.lock_ticket(ticket)
            sessions = await ledger.sessions(ticket)
            evidence = Statements(connection, EVIDENCE)
            launches = await evidence.rows("launch_facts", ticket)
            return Proof(
                ticket=locked,
                history=await ledger.history(ticket),
                sessions=sessions,
                launches=[LaunchFact(launch=rows.launch(row), ended=row["ended"]) for row in launches],
                approvals=await ledger.approvals(ticket),
                inputs=[held for session in sessions for held in await ledger.inputs(session.id)],
                threads=await _threads(evidence, ticket),
            )


async def _threads(evidence: Statements, ticket: TicketId) -> list[ThreadFact]:
    slots = await evidence.rows("slot_facts", ticket)
    return [
        ThreadFact(
            wanted_event=row["wanted_event"],
            delivered_event=row["delivered_event"],
            parked=row["parked"],
            slots=tuple(
                PostedFact(slot=slot["slot"], state=slot["state"], message_id=slot["message_id"])
                for slot in slots
                if slot["thread_id"] == row["id"]
            ),
        )
        for row in await evidence.rows("thread_facts", ticket)
    ]
