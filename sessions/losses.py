"""The end of a launch, and what the session does next: go on by itself, or sleep until somebody speaks."""

from dataclasses import dataclass

from sessions.book import Book
from sessions.events import LaunchLost, SessionQueued, WorkerEnded
from sessions.lifecycle import LOSSES_LIMIT
from sessions.models import (
    Failure,
    FailureKind,
    InputKind,
    InputState,
    LaunchId,
    Session,
    SessionId,
    SessionState,
    SleepReason,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """How a launch was lost; `failure` where trying again would not help, `blameless` where the engine went down."""

    detail: str
    last_words: str = ""
    failure: Failure | None = None
    blameless: bool = False


async def declare_lost(book: Book, launch: LaunchId, session: SessionId, fence: int, loss: Loss) -> bool:
    """End a launch whose worker is gone; False when it had ended before, and then nothing is recorded.

    A session that was at work is queued again, unless too many launches were lost in a row; one that waited for a person
    sleeps until somebody speaks. A session that was asked to stop has stopped.
    """
    if not await book.tx.end_launch(launch):
        return False
    before = book.session(session)
    if await carry_out_stops(book, session):
        book.record(WorkerEnded(reason="stopped", words=loss.last_words), session)
        await queue_for_inputs(book, session)
    else:
        await _record_loss(book, before, fence, loss)
    return True


async def carry_out_stops(book: Book, session: SessionId) -> bool:
    """Settle the session's stops, now that its worker has ended; whether there was one."""
    stops = [held for held in await book.queued_inputs(session) if held.kind is InputKind.STOP]
    for stop in stops:
        await book.tx.set_input_state(book.ticket.id, stop.ordinal, InputState.SENT)
    return bool(stops)


async def queue_for_inputs(book: Book, session: SessionId, *, after: int = 0) -> None:
    """Queue a session that fell asleep while something with a higher ordinal waits for it."""
    asleep = book.session(session).state is SessionState.ASLEEP
    if asleep and any(held.ordinal > after for held in await book.queued_inputs(session)):
        book.record(SessionQueued(cause="input"), session)


async def _record_loss(book: Book, before: Session, fence: int, loss: Loss) -> None:
    lost = LaunchLost(
        fence=fence,
        detail=loss.detail,
        failure=loss.failure or _too_often(before, loss),
        last_words=loss.last_words,
        blameless=loss.blameless,
    )
    book.record(lost, before.id)
    after = book.session(before.id)
    if after.reason is not SleepReason.INTERRUPTED:
        return
    if before.state is SessionState.WORKING:
        book.record(SessionQueued(cause="restart"), before.id)
    else:
        await queue_for_inputs(book, before.id)


def _too_often(before: Session, loss: Loss) -> Failure | None:
    if loss.blameless or before.losses + 1 < LOSSES_LIMIT:
        return None
    detail = f"{LOSSES_LIMIT} workers in a row were lost; the last one: {loss.detail}"
    return Failure(kind=FailureKind.RUNNER, detail=detail, last_words=loss.last_words)
