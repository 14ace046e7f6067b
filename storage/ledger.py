"""One workspace's storage: implements `sessions.ports.Ledger`. The statements are in sql/ledger.sql."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sessions.errors import LaunchFenced, LaunchUnknown, PlaceTaken, ProjectUnknown, SessionUnknown, TicketUnknown
from sessions.events import Recorded
from sessions.models import (
    Approval,
    Document,
    Input,
    InputState,
    Launch,
    LaunchId,
    Phase,
    Project,
    ProjectId,
    Question,
    Session,
    SessionId,
    ThreadId,
    Ticket,
    TicketId,
    WorkspaceId,
)
from sessions.ports import Entry, InboxKey, Place, Transaction
from storage import rows, values
from storage.codec import encode
from storage.database import Database
from storage.errors import ConstraintBroken
from storage.queries import load
from storage.statements import Statements

LEDGER: Final = load("ledger")

_NEXT: Final = {
    "approvals": "next_approval",
    "questions": "next_question",
    "inputs": "next_input",
    "sessions": "next_session",
}


@dataclass(frozen=True, slots=True)
class PostgresLedger:
    """Transactions bound to one workspace by row-level security."""

    database: Database

    def transaction(self, workspace: WorkspaceId) -> AbstractAsyncContextManager[Transaction]:
        return self._open(workspace)

    @asynccontextmanager
    async def _open(self, workspace: WorkspaceId) -> AsyncIterator[Transaction]:
        async with self.database.app(workspace) as connection:
            yield LedgerTransaction(Statements(connection, LEDGER))


@dataclass(frozen=True, slots=True)
class LedgerTransaction:
    """Implements `sessions.ports.Transaction`."""

    statements: Statements

    # inbox
    async def admit(self, key: InboxKey, *, outcome: str | None = None, ticket: TicketId | None = None) -> bool:
        return await self.statements.run("admit", key.installation, key.source, outcome, ticket) == 1

    async def settle(self, key: InboxKey, outcome: str, ticket: TicketId | None = None) -> None:
        await self.statements.run("settle", key.installation, key.source, outcome, ticket)

    # tickets and threads
    async def add_ticket(self, ticket: Ticket) -> bool:
        return await self.statements.run("add_ticket", *values.new_ticket(ticket)) == 1

    async def open_ticket(
        self, ticket: Ticket, *, thread: ThreadId, place: Place, session: Session, entries: Sequence[Entry]
    ) -> bool:
        stored = [encode(entry.event) for entry in entries]
        try:
            threads = await self.statements.value(
                "open_ticket",
                *values.new_ticket(ticket),
                thread,
                place.installation,
                place.channel,
                place.thread,
                *values.new_session(session),
                [event.kind for event in stored],
                [event.version for event in stored],
                [event.payload for event in stored],
                [entry.session for entry in entries],
            )
        except ConstraintBroken as broken:
            if broken.constraint == "threads_one_ticket_per_place":
                raise PlaceTaken from broken
            raise
        if threads == 0:
            raise ConstraintBroken("threads_installation_known", str(place.installation))
        return threads is not None

    async def lock_ticket(self, ticket: TicketId) -> Ticket:
        row = await self.statements.row("lock_ticket", ticket)
        if row is None:
            raise TicketUnknown(str(ticket))
        return rows.ticket(row)

    async def get_ticket(self, ticket: TicketId) -> Ticket:
        row = await self.statements.row("get_ticket", ticket)
        if row is None:
            raise TicketUnknown(str(ticket))
        return rows.ticket(row)

    async def find_ticket(self, key: str) -> Ticket | None:
        row = await self.statements.row("find_ticket", key)
        return rows.ticket(row) if row else None

    async def put_ticket(self, ticket: Ticket) -> None:
        await self.statements.run("put_ticket", *values.changed_ticket(ticket))

    async def add_thread(self, thread: ThreadId, ticket: TicketId, place: Place) -> None:
        added = await self.statements.run("add_thread", thread, ticket, place.installation, place.channel, place.thread)
        if added == 0:
            raise ConstraintBroken("threads_installation_known", str(place.installation))

    async def ticket_at(self, place: Place) -> TicketId | None:
        found = await self.statements.value("ticket_at", place.installation, place.channel, place.thread)
        return TicketId(found) if isinstance(found, UUID) else None

    # history
    async def append(self, ticket: TicketId, entries: Sequence[Entry]) -> int:
        stored = [encode(entry.event) for entry in entries]
        last = await self.statements.value(
            "append",
            ticket,
            [event.kind for event in stored],
            [event.version for event in stored],
            [event.payload for event in stored],
            [entry.session for entry in entries],
            [entry.launch for entry in entries],
            [entry.frame for entry in entries],
            [entry.part for entry in entries],
        )
        if not isinstance(last, int):
            raise TicketUnknown(str(ticket))
        return last

    async def history(self, ticket: TicketId, *, after: int = 0) -> Sequence[Recorded]:
        return [rows.recorded(row) for row in await self.statements.rows("history", ticket, after)]

    # sessions and launches
    async def add_session(self, session: Session) -> None:
        if not await self.statements.run("add_session", *values.new_session(session)):
            raise TicketUnknown(str(session.ticket))

    async def put_session(self, session: Session) -> None:
        await self.statements.run("put_session", *values.changed_session(session))

    async def get_session(self, session: SessionId) -> Session:
        row = await self.statements.row("get_session", session)
        if row is None:
            raise SessionUnknown(str(session))
        return rows.session(row)

    async def sessions(self, ticket: TicketId) -> Sequence[Session]:
        return [rows.session(row) for row in await self.statements.rows("sessions", ticket)]

    async def live_launch(self, session: SessionId) -> Launch | None:
        row = await self.statements.row("live_launch", session)
        return rows.launch(row) if row else None

    async def launches(self, session: SessionId) -> Sequence[Launch]:
        return [rows.launch(row) for row in await self.statements.rows("launches", session)]

    async def end_launch(self, launch: LaunchId) -> bool:
        return await self.statements.run("end_launch", launch) == 1

    async def take_frames(self, launch: LaunchId, *, first: int, last: int) -> int:
        taken = await self.statements.value("take_frames", launch, first, last)
        if isinstance(taken, int):
            return taken
        row = await self.statements.row("last_frame", launch)
        if row is None:
            raise LaunchUnknown
        if row["ended"]:
            raise LaunchFenced
        stands_at: int = row["last_frame"]
        return stands_at

    # documents, approvals, questions, inputs
    async def add_document(self, ticket: TicketId, document: Document) -> None:
        await self.statements.run(
            "add_document",
            ticket,
            document.phase,
            document.revision,
            document.author,
            document.markdown,
            document.digest,
        )

    async def documents(self, ticket: TicketId, phase: Phase | None = None) -> Sequence[Document]:
        return [rows.document(row) for row in await self.statements.rows("documents", ticket, phase)]

    async def next_ordinal(self, ticket: TicketId, of: str) -> int:
        found = await self.statements.value(_NEXT[of], ticket)
        assert isinstance(found, int)
        return found

    async def add_approval(self, approval: Approval) -> None:
        await self.statements.run("add_approval", *values.new_approval(approval))

    async def approvals(self, ticket: TicketId) -> Sequence[Approval]:
        return [rows.approval(row) for row in await self.statements.rows("approvals", ticket)]

    async def put_approval(self, approval: Approval) -> None:
        await self.statements.run("put_approval", *values.changed_approval(approval))

    async def add_question(self, question: Question) -> None:
        await self.statements.run("add_question", *values.new_question(question))

    async def questions(self, ticket: TicketId) -> Sequence[Question]:
        return [rows.question(row) for row in await self.statements.rows("questions", ticket)]

    async def put_question(self, question: Question) -> None:
        await self.statements.run("put_question", *values.changed_question(question))

    async def add_input(self, queued: Input, *, source: str = "") -> None:
        await self.statements.run("add_input", *values.new_input(queued, source))

    async def inputs(self, session: SessionId) -> Sequence[Input]:
        return [rows.told(row) for row in await self.statements.rows("inputs", session)]

    async def find_input(self, ticket: TicketId, *, source: str) -> Input | None:
        row = await self.statements.row("find_input", ticket, source)
        return rows.told(row) if row else None

    async def put_input(self, changed: Input) -> None:
        await self.statements.run("put_input", *values.changed_input(changed))

    async def set_input_state(self, ticket: TicketId, ordinal: int, state: InputState) -> None:
        await self.statements.run("set_input_state", ticket, ordinal, state)

    # projects and members
    async def projects(self) -> Sequence[Project]:
        return [rows.project(row) for row in await self.statements.rows("projects")]

    async def get_project(self, project: ProjectId) -> Project:
        row = await self.statements.row("get_project", project)
        if row is None:
            raise ProjectUnknown(str(project), ())
        return rows.project(row)

    async def bound_project(self, place: Place) -> Project | None:
        row = await self.statements.row("bound_project", place.installation, place.channel)
        return rows.project(row) if row else None

    async def audit(self, *, who: str, what: str, subject: str, digest: str = "") -> None:
        await self.statements.run("audit", who, what, subject, digest)

    async def count_usage(
        self, session: SessionId, *, input_tokens: int | None, output_tokens: int | None, cost_usd: float | None
    ) -> None:
        await self.statements.run("count_usage", session, input_tokens, output_tokens, cost_usd)
