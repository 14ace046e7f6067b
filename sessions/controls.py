"""What people do to a session as a whole: stop it, wake it, throw it away, or take its ticket up again."""

from typing import Literal

from sessions import endings
from sessions.book import SESSIONS_TOPIC, Book
from sessions.errors import SessionOver
from sessions.events import SessionQueued, StopRequested, TicketReopened
from sessions.models import InputKind, Person, Session, SessionState, TicketState
from sessions.ports import Ids
from sessions.talking import Words, told

_RUNNING = frozenset({SessionState.WORKING, SessionState.WAITING})


async def stop(book: Book, person: Person) -> Session:
    """A session that waits for its turn goes to sleep at once; one with a worker is asked, once."""
    session = book.newest()
    if session.state is SessionState.QUEUED:
        book.record(StopRequested(by_name=person.name), session.id)
    elif session.state in _RUNNING and not await _stopping(book, session):
        await told(book, session, InputKind.STOP, Words(author=person, text=""))
        book.record(StopRequested(by_name=person.name), session.id)
        book.wakes.add(SESSIONS_TOPIC)
    return book.session(session.id)


async def wake(book: Book, person: Person, cause: Literal["resume", "retry"]) -> Session:
    """Raises `SessionOver`."""
    session = _require_live(book)
    if session.state is SessionState.ASLEEP:
        book.record(SessionQueued(cause=cause, by_name=person.name), session.id)
    return book.session(session.id)


async def discard(book: Book, person: Person) -> Session:
    """Raises `SessionOver`."""
    session = _require_live(book)
    await endings.discard(book, session, by_name=person.name)
    what, subject = "session.discarded", f"{book.ticket.key}.{session.ordinal}"
    await book.tx.audit(who=person.external_id, what=what, subject=subject)
    return book.session(session.id)


async def reopen(book: Book, ids: Ids, person: Person) -> Session:
    """A ticket that is open stays as it is."""
    before = book.newest()
    state = book.ticket.state
    if state is TicketState.OPEN:
        return before
    project = await book.tx.get_project(book.ticket.project)
    book.record(TicketReopened(by_name=person.name))
    phase = before.phase if state is TicketState.REJECTED else endings.last_phase(project)
    return await endings.carry_on(book, ids, before, project, phase=phase)


def _require_live(book: Book) -> Session:
    session = book.newest()
    if session.over:
        raise SessionOver(f"{book.ticket.key}.{session.ordinal}", session.state)
    return session


async def _stopping(book: Book, session: Session) -> bool:
    return any(held.kind is InputKind.STOP for held in await book.queued_inputs(session.id))
