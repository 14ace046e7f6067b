"""What must be true of every ticket whatever went wrong, as far as a database can show it.

Pure: a port reads what the database holds of a ticket, `check` compares it with itself. The names are those of the list
of invariants that the fault tests use: I1 slots, I2 one live launch and session, I3 one decision, I7 everything drains,
I9 states follow the history, I10 a newer fence alone is alive.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sessions.approvals import state_after
from sessions.events import (
    ApprovalDecided,
    Event,
    InputTaken,
    LaunchStarted,
    Recorded,
    SessionDiscarded,
    SessionFinished,
    SessionOpened,
    SessionQueued,
)
from sessions.lifecycle import advance, advance_ticket
from sessions.models import (
    Approval,
    ApprovalState,
    Input,
    InputKind,
    InputState,
    Launch,
    Session,
    SessionState,
    SleepReason,
    Ticket,
    TicketId,
    TicketState,
)

INVARIANTS: Mapping[str, str] = {
    "I1": "no slot is posted twice, and none is left half posted",
    "I2": "at most one live launch a session, and one live session a lane of a ticket",
    "I3": "at most one decision an approval, by one of those who might decide",
    "I7": "everything drains: nothing waits for somebody who is gone",
    "I9": "states move along declared edges and are what the history makes of them; ends are final; nothing is missing",
    "I10": "only the newest launch of a session is alive",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedFact:
    """A slot as the database has it; `state` is `intended`, `done` or `gone`."""

    slot: str
    state: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadFact:
    wanted_event: int
    delivered_event: int
    parked: bool
    slots: tuple[PostedFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchFact:
    launch: Launch
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """All that the database holds of one ticket, read in one snapshot; rows in the order of their ordinals."""

    ticket: Ticket
    history: Sequence[Recorded]
    sessions: Sequence[Session]
    launches: Sequence[LaunchFact]
    approvals: Sequence[Approval]
    inputs: Sequence[Input]
    threads: Sequence[ThreadFact]


class Evidence(Protocol):
    async def tickets(self) -> Sequence[TicketId]:
        """Every ticket of the workspace."""

    async def proof(self, ticket: TicketId) -> Proof: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """`invariant` is its name in `INVARIANTS`; `subject` a ticket's key, or what of it."""

    invariant: str
    subject: str
    problem: str


def check(proof: Proof, *, drained: bool) -> list[Violation]:
    """What is not as it must be. `drained` also checks what holds only when nothing is under way at the moment."""
    found = [
        *_one_live(proof),
        *_decisions(proof),
        *_positions(proof),
        *_states(proof),
        *_inputs(proof),
        *_slots(proof, drained=drained),
    ]
    return [*found, *_drained(proof)] if drained else found


def _one_live(proof: Proof) -> Iterator[Violation]:
    key = proof.ticket.key
    lanes = Counter(session.lane for session in proof.sessions if not session.over)
    for lane, count in lanes.items():
        if count > 1:
            yield Violation(invariant="I2", subject=f"{key}, lane {lane}", problem=f"{count} live sessions")
    for session in proof.sessions:
        launches = [fact for fact in proof.launches if fact.launch.session == session.id]
        alive = [fact.launch.fence for fact in launches if not fact.ended]
        newest = max((fact.launch.fence for fact in launches), default=0)
        if len(alive) > 1:
            yield Violation(invariant="I2", subject=_name(proof, session), problem=f"{len(alive)} live launches")
        if any(fence != newest for fence in alive):
            problem = f"fence {alive[0]} is alive and {newest} is newer"
            yield Violation(invariant="I10", subject=_name(proof, session), problem=problem)


def _decisions(proof: Proof) -> Iterator[Violation]:
    decided: dict[int, list[ApprovalDecided]] = {}
    for recorded in proof.history:
        if isinstance(recorded.event, ApprovalDecided):
            decided.setdefault(recorded.event.ordinal, []).append(recorded.event)
    for approval in proof.approvals:
        subject = f"{proof.ticket.key}, approval {approval.ordinal}"
        for problem in _of_approval(approval, decided.get(approval.ordinal, [])):
            yield Violation(invariant="I3", subject=subject, problem=problem)


def _of_approval(approval: Approval, decisions: Sequence[ApprovalDecided]) -> Iterator[str]:
    undecided = approval.state in (ApprovalState.PENDING, ApprovalState.LAPSED)
    if len(decisions) != (0 if undecided else 1):
        yield f"{approval.state} after {len(decisions)} decisions"
    for decision in decisions:
        if decision.by not in approval.deciders:
            yield f"decided by {decision.by}, who might not"
        if decision.verdict not in approval.offers:
            yield f"{decision.verdict} was not offered"
        if not undecided and state_after(decision.verdict) is not approval.state:
            yield f"{approval.state} after {decision.verdict}"


def _positions(proof: Proof) -> Iterator[Violation]:
    positions = [recorded.position for recorded in proof.history]
    if positions != list(range(1, proof.ticket.last_event + 1)):
        problem = f"{len(positions)} events, numbered to {max(positions, default=0)} of {proof.ticket.last_event}"
        yield Violation(invariant="I9", subject=proof.ticket.key, problem=problem)


def _states(proof: Proof) -> Iterator[Violation]:
    folded: dict[int, Session] = {}
    state = TicketState.OPEN
    rows = {session.ordinal: session for session in proof.sessions}
    for recorded in proof.history:
        state = advance_ticket(state, recorded.event)
        row = rows.get(recorded.session or 0)
        if row is None:
            continue
        before = folded.get(row.ordinal) or _opened(row)
        if problem := _undeclared(before, recorded.event):
            subject = f"{_name(proof, row)}, event {recorded.position}"
            yield Violation(invariant="I9", subject=subject, problem=problem)
        folded[row.ordinal] = advance(before, recorded.event)
    for row in proof.sessions:
        expected = folded.get(row.ordinal)
        if expected != row:
            problem = f"{_state(row)}, but by its history {_state(expected)}"
            yield Violation(invariant="I9", subject=_name(proof, row), problem=problem)
    if state is not proof.ticket.state:
        problem = f"{proof.ticket.state}, but by its history {state}"
        yield Violation(invariant="I9", subject=proof.ticket.key, problem=problem)


def _undeclared(session: Session, event: Event) -> str | None:
    match event:
        case LaunchStarted() if session.state is not SessionState.QUEUED:
            return f"a launch of a session that was {session.state}"
        case SessionQueued() if session.over or session.state is SessionState.WORKING:
            return f"queued while {session.state}"
        case SessionFinished() | SessionDiscarded() if session.over:
            return f"ended again after {session.state}"
        case SessionOpened() if session.state is not SessionState.QUEUED:
            return "opened twice"
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
            problem = f"{held.state}, and {'' if its_own else 'not '}taken by its history"
            yield Violation(invariant="I9", subject=f"{proof.ticket.key}, input {held.ordinal}", problem=problem)


def _slots(proof: Proof, *, drained: bool) -> Iterator[Violation]:
    for thread in proof.threads:
        messages = Counter(posted.message_id for posted in thread.slots if posted.message_id)
        for message, count in messages.items():
            if count > 1:
                yield Violation(invariant="I1", subject=proof.ticket.key, problem=f"{count} slots in message {message}")
        halves = [posted.slot for posted in thread.slots if posted.state == "intended"]
        if drained and halves and not thread.parked:
            yield Violation(invariant="I1", subject=proof.ticket.key, problem=f"half posted: {', '.join(halves)}")


def _drained(proof: Proof) -> Iterator[Violation]:
    key = proof.ticket.key
    over = {session.id for session in proof.sessions if session.over}
    waiting = (
        *(f"approval {one.ordinal}" for one in proof.approvals if one.session in over and _is_pending(one)),
        *(f"input {one.ordinal}" for one in proof.inputs if one.session in over and one.state is InputState.QUEUED),
        *(f"launch {fact.launch.id}" for fact in proof.launches if fact.launch.session in over and not fact.ended),
    )
    for problem in waiting:
        yield Violation(invariant="I7", subject=key, problem=f"{problem} of a session that is over")
    if any(thread.wanted_event != thread.delivered_event and not thread.parked for thread in proof.threads):
        yield Violation(invariant="I7", subject=key, problem="its thread was not told everything")
    if proof.ticket.state is TicketState.OPEN and len(over) == len(proof.sessions):
        yield Violation(invariant="I7", subject=key, problem="open, and no session of it is alive")
    for session in proof.sessions:
        if (
            session.state is SessionState.ASLEEP
            and session.reason is not SleepReason.FAILED
            and _unheard(proof, session)
        ):
            yield Violation(invariant="I7", subject=_name(proof, session), problem="asleep, and something waits for it")


def _unheard(proof: Proof, session: Session) -> bool:
    """Whether somebody said something to a sleeping session since it was last stopped."""
    stops = (one.ordinal for one in proof.inputs if one.session == session.id and one.kind is InputKind.STOP)
    last_stop = max(stops, default=0)
    own = (one for one in proof.inputs if one.session == session.id and one.state is InputState.QUEUED)
    return session.reason is not SleepReason.STOPPED and any(one.ordinal > last_stop for one in own)


def _is_pending(approval: Approval) -> bool:
    return approval.state is ApprovalState.PENDING


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


def _state(session: Session | None) -> str:
    if session is None:
        return "never opened"
    words = [str(session.state), *([str(session.reason)] if session.reason else [])]
    return f"{' '.join(words)} ({session.losses} losses)" if session.losses else " ".join(words)


def _name(proof: Proof, session: Session) -> str:
    return f"{proof.ticket.key}.{session.ordinal}"
