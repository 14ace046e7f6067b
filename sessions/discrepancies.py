"""What a ticket's rows must be by its own history: its launches, approvals, sessions and inputs. Holds at every moment."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from sessions.approvals import state_after
from sessions.events import (
    ApprovalAsked,
    ApprovalDecided,
    ApprovalLapsed,
    Event,
    InputTaken,
    LaunchStarted,
    SessionDiscarded,
    SessionFinished,
    SessionOpened,
    SessionQueued,
)
from sessions.lifecycle import advance, advance_ticket
from sessions.models import Approval, ApprovalState, InputKind, InputState, Session, SessionState, TicketState
from sessions.proofs import LaunchFact, Proof, Violation

_UNDECIDED: Final = frozenset({ApprovalState.PENDING, ApprovalState.LAPSED})
_RUNNING: Final = frozenset({SessionState.WORKING, SessionState.WAITING})


def discrepancies(proof: Proof) -> Iterator[Violation]:
    """Where the rows and the history of a ticket tell different stories, or an impossible one."""
    yield from _one_live(proof)
    yield from _approvals(proof)
    yield from _history(proof)
    yield from _states(proof)
    yield from _inputs(proof)


def _one_live(proof: Proof) -> Iterator[Violation]:
    lanes = Counter(session.lane for session in proof.sessions if not session.over)
    for lane, count in lanes.items():
        if count > 1:
            subject = f"{proof.ticket.key}, lane {lane}"
            yield Violation(invariant="I2", subject=subject, problem=f"has {count} live sessions")
    for session in proof.sessions:
        yield from _launches(session, proof.name(session), proof.launches)


def _launches(session: Session, name: str, launches: Sequence[LaunchFact]) -> Iterator[Violation]:
    own = [fact for fact in launches if fact.launch.session == session.id]
    alive = [fact.launch.fence for fact in own if not fact.ended]
    newest = max((fact.launch.fence for fact in own), default=0)
    if len(alive) > 1:
        yield Violation(invariant="I2", subject=name, problem=f"has {len(alive)} live launches")
    if any(fence != newest for fence in alive):
        yield Violation(invariant="I10", subject=name, problem=f"has launch {alive[0]} alive, and {newest} is newer")
    if session.state in _RUNNING and not alive:
        yield Violation(invariant="I7", subject=name, problem=f"is {session.state} without a live launch")
    for fact in own:
        if fact.stored_frame > fact.launch.last_frame:
            problem = f"has frame {fact.stored_frame} stored, and frames acknowledged to {fact.launch.last_frame}"
            yield Violation(invariant="I5", subject=f"{name}, launch {fact.launch.fence}", problem=problem)


def _approvals(proof: Proof) -> Iterator[Violation]:
    told: dict[int, list[Event]] = {approval.ordinal: [] for approval in proof.approvals}
    for recorded in proof.history:
        if isinstance(recorded.event, ApprovalAsked | ApprovalDecided | ApprovalLapsed):
            told.setdefault(recorded.event.ordinal, []).append(recorded.event)
    rows = {approval.ordinal: approval for approval in proof.approvals}
    for ordinal, events in told.items():
        row = rows.get(ordinal)
        for problem in _of_approval(row, events) if row else ("is told by its history only",):
            yield Violation(invariant="I3", subject=f"{proof.ticket.key}, approval {ordinal}", problem=problem)


def _of_approval(approval: Approval, events: Sequence[Event]) -> Iterator[str]:
    asked = [event.digest for event in events if isinstance(event, ApprovalAsked)]
    if asked != [approval.digest]:
        yield f"was asked {len(asked)} times" if len(asked) != 1 else "was asked about something else"
    decisions = [event for event in events if isinstance(event, ApprovalDecided)]
    if len(decisions) != (0 if approval.state in _UNDECIDED else 1):
        yield f"is {approval.state} after {len(decisions)} decisions"
    lapses = sum(isinstance(event, ApprovalLapsed) for event in events)
    if lapses != (approval.state is ApprovalState.LAPSED):
        yield f"is {approval.state} and lapsed {lapses} times by its history"
    for decision in decisions:
        yield from _of_decision(approval, decision)


def _of_decision(approval: Approval, decision: ApprovalDecided) -> Iterator[str]:
    if decision.by not in approval.deciders:
        yield f"was decided by {decision.by}, who may not"
    if decision.verdict not in approval.offers:
        yield f"was decided by {decision.verdict}, which was not offered"
    if approval.state not in _UNDECIDED and state_after(decision.verdict) is not approval.state:
        yield f"is {approval.state} after {decision.verdict}"


def _history(proof: Proof) -> Iterator[Violation]:
    positions = [recorded.position for recorded in proof.history]
    if positions != list(range(1, proof.ticket.last_event + 1)):
        problem = f"has {len(positions)} events, numbered to {max(positions, default=0)} of {proof.ticket.last_event}"
        yield Violation(invariant="I9", subject=proof.ticket.key, problem=problem)


def _states(proof: Proof) -> Iterator[Violation]:
    for session in proof.sessions:
        yield from _of_session(proof, session)
    state = TicketState.OPEN
    for recorded in proof.history:
        state = advance_ticket(state, recorded.event)
    if state is not proof.ticket.state:
        problem = f"is {proof.ticket.state}, but by its history {state}"
        yield Violation(invariant="I9", subject=proof.ticket.key, problem=problem)


def _of_session(proof: Proof, row: Session) -> Iterator[Violation]:
    own = [recorded for recorded in proof.history if recorded.session == row.ordinal]
    folded = _opened(row)
    for recorded in own:
        if problem := _undeclared(folded, recorded.event):
            subject = f"{proof.name(row)}, event {recorded.position}"
            yield Violation(invariant="I9", subject=subject, problem=problem)
        folded = advance(folded, recorded.event)
    if not own:
        yield Violation(invariant="I9", subject=proof.name(row), problem="was never opened by its history")
    elif folded != row:
        problem = f"is {_standing(row)}, but by its history {_standing(folded)}"
        yield Violation(invariant="I9", subject=proof.name(row), problem=problem)


def _undeclared(session: Session, event: Event) -> str | None:
    match event:
        case LaunchStarted() if session.state is not SessionState.QUEUED:
            return f"launches a session that was {session.state}"
        case SessionQueued() if session.over or session.state is SessionState.WORKING:
            return f"queues a session that was {session.state}"
        case SessionFinished() | SessionDiscarded() if session.over:
            return f"ends a session that was {session.state}"
        case SessionOpened() if session.state is not SessionState.QUEUED:
            return f"opens a session that was {session.state}"
        case _:
            return None


def _inputs(proof: Proof) -> Iterator[Violation]:
    ordinals = {session.id: session.ordinal for session in proof.sessions}
    taken = {
        (recorded.session, recorded.event.ordinal)
        for recorded in proof.history
        if isinstance(recorded.event, InputTaken)
    }
    for held in proof.inputs:
        its_own = (ordinals.get(held.session), held.ordinal) in taken
        wrong = its_own if held.state is InputState.QUEUED else held.state is InputState.SENT and not its_own
        if held.kind is not InputKind.STOP and wrong:
            problem = f"is {held.state}, and {'' if its_own else 'not '}taken by its history"
            yield Violation(invariant="I9", subject=f"{proof.ticket.key}, input {held.ordinal}", problem=problem)


def _opened(row: Session) -> Session:
    """The session as it was when it began."""
    return Session(
        id=row.id,
        ticket=row.ticket,
        ordinal=row.ordinal,
        phase=row.phase,
        agent=row.agent,
        branch=row.branch,
        lane=row.lane,
    )


def _standing(session: Session) -> str:
    words = f"{session.state} ({session.reason})" if session.reason else str(session.state)
    return f"{words} after {session.losses} losses" if session.losses else words
