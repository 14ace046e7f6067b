"""The states of a session and a ticket, as a fold over events; the columns in the database are caches of this.

    queued → working ⇄ waiting → asleep(reason) → queued …, and at last done or discarded

Pure: no clock, no I/O. Ends are final: an event that arrives after one changes nothing.
"""

from dataclasses import replace

from sessions.events import (
    ApprovalAsked,
    Event,
    InputTaken,
    LaunchLost,
    LaunchStarted,
    PeopleAwaited,
    PermissionSettled,
    QuestionAsked,
    SessionDiscarded,
    SessionFinished,
    SessionQueued,
    StopRequested,
    TicketClosed,
    TicketReopened,
    TurnEnded,
    WorkerEnded,
)
from sessions.models import Session, SessionState, SleepReason, TicketState

LOSSES_LIMIT = 3
"""After so many launches lost in a row the session is put to sleep as failed instead of being started again."""

_ENDED = {
    "stopped": SleepReason.STOPPED,
    "idle": SleepReason.IDLE,
    "failed": SleepReason.FAILED,
    "terminated": SleepReason.INTERRUPTED,
}
_RUNNING = frozenset({SessionState.WORKING, SessionState.WAITING})


def advance(session: Session, event: Event) -> Session:
    """The session after the event; the same session where the event does not concern its state."""
    if session.over:
        return session
    match event:
        case SessionFinished():
            return replace(session, state=SessionState.DONE, reason=None)
        case SessionDiscarded():
            return replace(session, state=SessionState.DISCARDED, reason=None)
        case SessionQueued(cause=cause) if session.state is not SessionState.WORKING:
            # Somebody wants it again, so it gets its full number of attempts; a restart by ourselves is one of them.
            losses = session.losses if cause == "restart" else 0
            return replace(session, state=SessionState.QUEUED, reason=None, losses=losses)
        case LaunchStarted() if session.state is SessionState.QUEUED:
            return replace(session, state=SessionState.WORKING, reason=None)
        case StopRequested() if session.state is SessionState.QUEUED:
            return replace(session, state=SessionState.ASLEEP, reason=SleepReason.STOPPED)
        case _:
            return _advance_running(session, event) if session.state in _RUNNING else session


def advance_ticket(state: TicketState, event: Event) -> TicketState:
    """The ticket's state after the event: open → done or rejected, and open again."""
    match event:
        case TicketClosed(state=closed) if state is TicketState.OPEN:
            return closed
        case TicketReopened():
            return TicketState.OPEN
        case _:
            return state


def _advance_running(session: Session, event: Event) -> Session:
    match event:
        case ApprovalAsked() | QuestionAsked() | PeopleAwaited():
            return replace(session, state=SessionState.WAITING)
        case PermissionSettled(outcome="cancelled"):
            # The agent no longer waits, but a person's decision is still wanted, and comes as the next prompt.
            return session
        case InputTaken() | PermissionSettled():
            return replace(session, state=SessionState.WORKING)
        case TurnEnded():
            return replace(session, losses=0)
        case LaunchLost(blameless=True):
            return replace(session, state=SessionState.ASLEEP, reason=SleepReason.INTERRUPTED)
        case LaunchLost(failure=failure):
            return _lost(session, failed=failure is not None)
        case WorkerEnded(reason=reason):
            # A worker that finished leaves the last word to the service, which appends SessionFinished.
            ended = _ENDED.get(reason)
            return session if ended is None else replace(session, state=SessionState.ASLEEP, reason=ended)
        case _:
            return session


def _lost(session: Session, *, failed: bool) -> Session:
    losses = session.losses + 1
    reason = SleepReason.FAILED if failed or losses >= LOSSES_LIMIT else SleepReason.INTERRUPTED
    return replace(session, state=SessionState.ASLEEP, reason=reason, losses=losses)
