"""What a thread is owed, and what a running bot brings to an end soon: wrong when it was not done for a while."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from sessions.events import Recorded, SessionDiscarded, SessionFinished
from sessions.models import (
    Approval,
    ApprovalState,
    Input,
    InputKind,
    InputState,
    Session,
    SessionState,
    SleepReason,
    TicketState,
)
from sessions.proofs import Proof, ThreadFact, Violation


def debts(proof: Proof, patience_s: float) -> Iterator[Violation]:
    key, last = proof.ticket.key, proof.ticket.last_event
    for thread in proof.threads:
        wanted, delivered = thread.wanted_event, thread.delivered_event
        if wanted != last or delivered > wanted:
            problem = f"has a thread that wants {wanted} of {last} events and was told {delivered}"
            yield Violation(invariant="I1", subject=key, problem=problem)
        if wanted > delivered and not thread.parked and _overdue(proof, thread.wanted_at, patience_s):
            problem = f"has a thread that was told {delivered} of {wanted} events"
            yield Violation(invariant="I7", subject=key, problem=problem)
        for problem in _slots(proof, thread, patience_s):
            yield Violation(invariant="I1", subject=key, problem=problem)


def _slots(proof: Proof, thread: ThreadFact, patience_s: float) -> Iterator[str]:
    messages = Counter(posted.message_id for posted in thread.slots if posted.message_id)
    for message, count in messages.items():
        if count > 1:
            yield f"has {count} slots in message {message}"
    for posted in thread.slots:
        intended = posted.state == "intended" and not thread.parked
        if intended and _overdue(proof, posted.changed_at, patience_s):
            yield f"has slot {posted.slot} half posted"


def leftovers(proof: Proof, patience_s: float) -> Iterator[Violation]:
    quiet_since = proof.history[-1].at if proof.history else proof.ticket.filed_at
    quiet = _overdue(proof, quiet_since, patience_s)
    for session in proof.sessions:
        if session.over and _overdue(proof, _over_since(proof, session) or quiet_since, patience_s):
            yield from _left_by(proof, session)
        if quiet and _unheard(proof, session):
            problem = "is asleep, and something waits for it"
            yield Violation(invariant="I7", subject=proof.name(session), problem=problem)
    if quiet and proof.ticket.state is TicketState.OPEN and all(session.over for session in proof.sessions):
        problem = "is open, and no session of it is alive"
        yield Violation(invariant="I7", subject=proof.ticket.key, problem=problem)


def _left_by(proof: Proof, over: Session) -> Iterator[Violation]:
    hanging = (
        *(f"approval {one.ordinal}" for one in proof.approvals if one.session == over.id and _is_pending(one)),
        *(f"input {one.ordinal}" for one in proof.inputs if one.session == over.id and _is_queued(one)),
        *(f"launch {one.launch.fence}" for one in proof.launches if one.launch.session == over.id and not one.ended),
    )
    for what in hanging:
        problem = f"is {over.state}, and its {what} still waits"
        yield Violation(invariant="I7", subject=proof.name(over), problem=problem)


def _unheard(proof: Proof, session: Session) -> bool:
    """Whether somebody said something, after the last stop, to a session that sleeps for no reason of theirs."""
    if session.state is not SessionState.ASLEEP or session.reason in (SleepReason.FAILED, SleepReason.STOPPED):
        return False
    own = [held for held in proof.inputs if held.session == session.id]
    last_stop = max((held.ordinal for held in own if held.kind is InputKind.STOP), default=0)
    return any(held.ordinal > last_stop for held in own if _is_queued(held))


def _overdue(proof: Proof, since: datetime, patience_s: float) -> bool:
    return (proof.read_at - since).total_seconds() >= patience_s


def _over_since(proof: Proof, session: Session) -> datetime | None:
    return next((recorded.at for recorded in proof.history if _is_end(recorded, session)), None)


def _is_end(recorded: Recorded, session: Session) -> bool:
    return recorded.session == session.ordinal and isinstance(recorded.event, SessionFinished | SessionDiscarded)


def _is_pending(approval: Approval) -> bool:
    return approval.state is ApprovalState.PENDING


def _is_queued(held: Input) -> bool:
    return held.state is InputState.QUEUED
