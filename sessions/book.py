"""A ticket that is held for a change: what is recorded in it advances its sessions, and both are written together.

So the state columns are always what `lifecycle` makes of the history. Whoever waits is woken after the commit.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import structlog

from sessions.errors import SessionUnknown
from sessions.events import Event, SessionOpened
from sessions.lifecycle import advance, advance_ticket
from sessions.models import (
    Input,
    InputState,
    LaunchId,
    Phase,
    Session,
    SessionId,
    SessionState,
    Ticket,
    TicketId,
    WorkspaceId,
)
from sessions.ports import Entry, Ids, Ledger, Signals, Transaction, Unavailable

log = structlog.get_logger()

SESSIONS_TOPIC = "sessions"
THREADS_TOPIC = "threads"


def inputs_topic(session: SessionId) -> str:
    return f"inputs:{session}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The worker's frame that an event came of."""

    launch: LaunchId
    frame: int


@dataclass(slots=True, kw_only=True)
class Book:
    """One locked ticket and its sessions within a transaction. Nothing recorded is stored before `write`."""

    tx: Transaction
    ticket: Ticket
    sessions: dict[SessionId, Session]
    wakes: set[str] = field(default_factory=set)
    _entries: list[Entry] = field(default_factory=list)
    _changed: set[SessionId] = field(default_factory=set)
    _ticket_changed: bool = False
    _origin: Origin | None = None
    _part: int = 0

    @classmethod
    async def open(cls, tx: Transaction, ticket: TicketId) -> "Book":
        """Raises `TicketUnknown`."""
        locked = await tx.lock_ticket(ticket)
        return cls(tx=tx, ticket=locked, sessions={session.id: session for session in await tx.sessions(ticket)})

    def came_of(self, origin: Origin | None) -> None:
        """What is recorded from now on came of this frame, or of none."""
        self._origin, self._part = origin, 0

    def record(self, event: Event, session: SessionId | None = None) -> None:
        """Append the event, and advance its session and the ticket by it."""
        origin, part = self._origin, self._part
        self._entries.append(
            Entry(event=event, session=session)
            if origin is None
            else Entry(event=event, session=session, launch=origin.launch, frame=origin.frame, part=part)
        )
        self._part += 1
        if session is not None:
            self._advance(self.session(session), event)
        state = advance_ticket(self.ticket.state, event)
        if state is not self.ticket.state:
            self.ticket, self._ticket_changed = replace(self.ticket, state=state), True

    def session(self, session: SessionId) -> Session:
        """As it is after all that was recorded; raises `SessionUnknown`."""
        found = self.sessions.get(session)
        if found is None:
            raise SessionUnknown(str(session))
        return found

    def live(self) -> tuple[Session, ...]:
        """The sessions that have not reached an end, by ordinal."""
        return tuple(session for session in self.sessions.values() if not session.over)

    def newest(self) -> Session:
        """The newest session that is alive, or else the newest of all; raises `SessionUnknown` where there is none."""
        candidates = self.live() or tuple(self.sessions.values())
        if not candidates:
            raise SessionUnknown(self.ticket.key)
        return candidates[-1]

    async def open_session(self, ids: Ids, *, phase: Phase, lane: int, agent: str, branch: str) -> Session:
        """A new session, queued. One that it takes the lane from must be over by what was recorded before."""
        if self._changed:
            # The old session's end is written first, since a lane holds one live session at a time.
            await self.write()
        ordinal = await self.tx.next_ordinal(self.ticket.id, "sessions")
        session = Session(
            id=SessionId(ids.uuid()),
            ticket=self.ticket.id,
            ordinal=ordinal,
            phase=phase,
            agent=agent,
            branch=branch,
            lane=lane,
        )
        await self.tx.add_session(session)
        self.sessions[session.id] = session
        self.record(SessionOpened(phase=phase, lane=lane, agent=agent, branch=branch), session.id)
        self.wakes.add(SESSIONS_TOPIC)
        return session

    async def add_input(self, queued: Input, *, source: str = "") -> None:
        """Store it and wake its worker."""
        await self.tx.add_input(queued, source=source)
        self.wakes.add(inputs_topic(queued.session))

    async def queued_inputs(self, session: SessionId) -> tuple[Input, ...]:
        """What no worker has taken yet, by ordinal."""
        return tuple(held for held in await self.tx.inputs(session) if held.state is InputState.QUEUED)

    async def write(self) -> None:
        """Store what was recorded since the last time."""
        for changed in self._changed:
            await self.tx.put_session(self.sessions[changed])
        if self._ticket_changed:
            await self.tx.put_ticket(self.ticket)
        if self._entries:
            await self.tx.append(self.ticket.id, self._entries)
            self.wakes.add(THREADS_TOPIC)
        self._entries, self._ticket_changed = [], False
        self._changed.clear()

    def _advance(self, session: Session, event: Event) -> None:
        advanced = advance(session, event)
        if advanced == session:
            return
        self.sessions[session.id] = advanced
        self._changed.add(session.id)
        if advanced.state is SessionState.QUEUED:
            self.wakes.add(SESSIONS_TOPIC)
        if advanced.over:
            self.wakes |= {SESSIONS_TOPIC, inputs_topic(session.id)}


@asynccontextmanager
async def changing(ledger: Ledger, signals: Signals, workspace: WorkspaceId, ticket: TicketId) -> AsyncIterator[Book]:
    """The ticket, held until the block ends; then all is committed and whoever waits is woken. Raises `TicketUnknown`."""
    async with ledger.transaction(workspace) as tx:
        book = await Book.open(tx, ticket)
        yield book
        await book.write()
    await wake(signals, book.wakes)


async def wake(signals: Signals, topics: Iterable[str]) -> None:
    """Signal the topics; one that cannot be signalled is left to the next look of whoever waits."""
    for topic in sorted(topics):
        try:
            await signals.notify(topic)
        except Unavailable as error:
            log.warning("signal.lost", topic=topic, part=error.part)
