"""What follows when a session reaches its end: the next phase, the end of its ticket, and nothing left hanging.

What people said and no agent was given goes on to the next session, and makes one where the work would have ended.
"""

from dataclasses import replace

from sessions.approvals import lapsed
from sessions.book import Book
from sessions.events import ApprovalLapsed, InputWithdrawn, SessionDiscarded, SessionFinished, TicketClosed
from sessions.models import ApprovalState, InputKind, InputState, Phase, Project, Session, TicketState
from sessions.ports import Ids

_IN_ORDER = tuple(Phase)


def next_phase(project: Project, phase: Phase) -> Phase | None:
    """The first phase after this one that the project goes through; None after its last."""
    later = _IN_ORDER[_IN_ORDER.index(phase) + 1 :]
    return next((candidate for candidate in later if candidate in project.phases), None)


def last_phase(project: Project) -> Phase:
    """Where more work after the end is done: execution, in any project that has it."""
    return max(project.phases, key=_IN_ORDER.index)


async def approve(book: Book, ids: Ids, session: Session, project: Project) -> None:
    """The session's document was approved: its end, and the next phase in the same lane, queued."""
    phase = next_phase(project, session.phase)
    if phase is None:
        await complete(book, ids, session, project, SessionFinished(outcome="approved"))
        return
    await _end(book, session, SessionFinished(outcome="approved"))
    await carry_on(book, ids, session, project, phase=phase)


async def complete(book: Book, ids: Ids, session: Session, project: Project, finished: SessionFinished) -> None:
    """The work is done: the ticket closes with its last live session, unless somebody has said more meanwhile."""
    await _end(book, session, finished)
    if any(held.kind is InputKind.MESSAGE for held in await book.queued_inputs(session.id)):
        await carry_on(book, ids, session, project, phase=last_phase(project))
        return
    await _drop_inputs(book, session)
    if not book.live():
        book.record(TicketClosed(state=TicketState.DONE))


async def reject(book: Book, session: Session, *, by_name: str, reason: str) -> None:
    """Nobody wants this work: the ticket ends with all its sessions."""
    await _end(book, session, SessionFinished(outcome="rejected"))
    await _drop_inputs(book, session)
    for other in book.live():
        await _end(book, other, SessionDiscarded(by_name=by_name))
        await _drop_inputs(book, other)
    book.record(TicketClosed(state=TicketState.REJECTED, by_name=by_name, reason=reason))


async def discard(book: Book, session: Session, *, by_name: str) -> None:
    """The session's work is thrown away; its ticket ends when no other session lives."""
    await _end(book, session, SessionDiscarded(by_name=by_name))
    await _drop_inputs(book, session)
    if not book.live():
        book.record(TicketClosed(state=TicketState.REJECTED, by_name=by_name, reason="discarded"))


async def carry_on(book: Book, ids: Ids, before: Session, project: Project, *, phase: Phase) -> Session:
    """A new session after `before`, in its lane and on its branch, with the messages that no agent was given."""
    session = await book.open_session(
        ids, phase=phase, lane=before.lane, agent=project.agent.name, branch=before.branch
    )
    for held in await book.queued_inputs(before.id):
        if held.kind is InputKind.MESSAGE:
            await book.tx.put_input(replace(held, session=session.id))
        else:
            await book.tx.set_input_state(book.ticket.id, held.ordinal, InputState.WITHDRAWN)
    return session


async def _end(book: Book, session: Session, event: SessionFinished | SessionDiscarded) -> None:
    book.record(event, session.id)
    for approval in await book.tx.approvals(book.ticket.id):
        if approval.session == session.id and approval.state is ApprovalState.PENDING:
            await book.tx.put_approval(lapsed(approval))
            book.record(ApprovalLapsed(ordinal=approval.ordinal, cause="over"), session.id)


async def _drop_inputs(book: Book, session: Session) -> None:
    for held in await book.queued_inputs(session.id):
        await book.tx.set_input_state(book.ticket.id, held.ordinal, InputState.WITHDRAWN)
        if held.kind is InputKind.MESSAGE:
            book.record(InputWithdrawn(ordinal=held.ordinal), session.id)
