"""The checker sees what it is there for, and nothing else."""

from dataclasses import replace
from uuid import UUID

import pytest

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
    TicketClosed,
)
from sessions.invariants import INVARIANTS, LaunchFact, PostedFact, Proof, ThreadFact, check
from sessions.models import (
    ApprovalState,
    Input,
    InputKind,
    InputState,
    Launch,
    LaunchId,
    Phase,
    SessionId,
    SessionState,
    SleepReason,
    TicketState,
    Verdict,
)
from tests.unit.sessions.people import APPROVAL, NOW, SESSION, TICKET

OPENED = SessionOpened(phase=Phase.RESEARCH, lane=1, agent="scripted", branch=SESSION.branch)
STARTED = LaunchStarted(fence=1, runner="process")
LAUNCH = LaunchFact(launch=Launch(id=LaunchId(UUID(int=9)), session=SESSION.id, fence=1, engine="here"), ended=False)
DECIDED = ApprovalDecided(ordinal=1, verdict=Verdict.APPROVE, by="U1", by_name="dana")
MESSAGE = Input(
    ticket=TICKET.id, session=SESSION.id, ordinal=1, kind=InputKind.MESSAGE, author="U1", author_name="dana"
)
THREAD = ThreadFact(
    wanted_event=2, delivered_event=2, parked=False, slots=(PostedFact(slot="root", state="done", message_id="m1"),)
)


def proof(*events: Event, **changes: object) -> Proof:
    history = [Recorded(position=n, session=1, at=NOW, event=event) for n, event in enumerate(events, 1)]
    sound = Proof(
        ticket=replace(TICKET, last_event=len(history)),
        history=history,
        sessions=[SESSION],
        launches=[],
        approvals=[],
        inputs=[],
        threads=[THREAD],
    )
    return replace(sound, **changes)  # type: ignore[arg-type]


WORKING = proof(OPENED, STARTED, sessions=[replace(SESSION, state=SessionState.WORKING)], launches=[LAUNCH])
DONE = replace(SESSION, state=SessionState.DONE)
SECOND = replace(SESSION, id=SessionId(UUID(int=5)), ordinal=2)
FINISHED = SessionFinished(outcome="approved")


@pytest.mark.parametrize("sound", [proof(OPENED), WORKING])
def test_a_sound_ticket_has_no_violations(sound: Proof) -> None:
    assert check(sound, drained=True) == []


BROKEN = {
    "two live sessions in a lane": ("I2", proof(OPENED, sessions=[SESSION, SECOND])),
    "two live launches": ("I2", replace(WORKING, launches=[LAUNCH, LAUNCH])),
    "an older launch alive": (
        "I10",
        replace(WORKING, launches=[LAUNCH, LaunchFact(launch=replace(LAUNCH.launch, fence=2), ended=True)]),
    ),
    "decided without a decision": ("I3", proof(OPENED, approvals=[replace(APPROVAL, state=ApprovalState.APPROVED)])),
    "decided twice": (
        "I3",
        proof(OPENED, DECIDED, DECIDED, approvals=[replace(APPROVAL, state=ApprovalState.APPROVED)]),
    ),
    "decided and pending": ("I3", proof(OPENED, DECIDED, approvals=[APPROVAL])),
    "decided by a stranger": (
        "I3",
        proof(OPENED, replace(DECIDED, by="U9"), approvals=[replace(APPROVAL, state=ApprovalState.APPROVED)]),
    ),
    "decided the other way": (
        "I3",
        proof(OPENED, DECIDED, approvals=[replace(APPROVAL, state=ApprovalState.REJECTED)]),
    ),
    "a verdict that was not offered": (
        "I3",
        proof(
            OPENED,
            replace(DECIDED, verdict=Verdict.APPROVE_ALWAYS),
            approvals=[replace(APPROVAL, state=ApprovalState.APPROVED)],
        ),
    ),
    "an event missing": ("I9", proof(OPENED, ticket=replace(TICKET, last_event=2))),
    "a state out of nowhere": ("I9", proof(OPENED, sessions=[replace(SESSION, state=SessionState.WAITING)])),
    "a launch of a working session": ("I9", replace(proof(OPENED, STARTED, STARTED), sessions=WORKING.sessions)),
    "an end after the end": ("I9", proof(OPENED, FINISHED, SessionDiscarded(), sessions=[DONE, SECOND])),
    "queued after the end": ("I9", proof(OPENED, FINISHED, SessionQueued(cause="input"), sessions=[DONE, SECOND])),
    "a ticket closed by nobody": ("I9", proof(OPENED, ticket=replace(TICKET, state=TicketState.DONE, last_event=1))),
    "an input sent to nobody": ("I9", proof(OPENED, inputs=[replace(MESSAGE, state=InputState.SENT)])),
    "an input that will be sent again": ("I9", proof(OPENED, InputTaken(ordinal=1), inputs=[MESSAGE])),
    "two slots in one message": (
        "I1",
        proof(
            OPENED,
            threads=[
                replace(THREAD, slots=(*THREAD.slots, PostedFact(slot="progress/1", state="done", message_id="m1")))
            ],
        ),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named(name: str) -> None:
    invariant, broken = BROKEN[name]
    assert invariant in {violation.invariant for violation in check(broken, drained=False)}


OVER = proof(OPENED, FINISHED, TicketClosed(state=TicketState.DONE), sessions=[DONE])
OVER = replace(OVER, ticket=replace(OVER.ticket, state=TicketState.DONE))
ASLEEP = replace(SESSION, state=SessionState.ASLEEP, reason=SleepReason.IDLE)
LEFT = {
    "an approval of an ended session": ("I7", replace(OVER, approvals=[APPROVAL])),
    "an input of an ended session": ("I7", replace(OVER, inputs=[MESSAGE])),
    "a launch of an ended session": ("I7", replace(OVER, launches=[LAUNCH])),
    "an open ticket without a session": ("I7", proof(OPENED, FINISHED, sessions=[DONE])),
    "a thread that was not told": ("I7", proof(OPENED, threads=[replace(THREAD, wanted_event=3)])),
    "a slot half posted": (
        "I1",
        proof(OPENED, threads=[replace(THREAD, slots=(PostedFact(slot="root", state="intended", message_id=""),))]),
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_hanging_is_named_when_nothing_is_under_way(name: str) -> None:
    invariant, left = LEFT[name]
    assert check(left, drained=False) == []
    assert {violation.invariant for violation in check(left, drained=True)} == {invariant}


def test_a_sleeper_that_somebody_spoke_to_is_named() -> None:
    asleep = replace(proof(OPENED, inputs=[MESSAGE]), sessions=[ASLEEP])
    assert "I7" in {violation.invariant for violation in check(asleep, drained=True)}


def test_a_parked_thread_owes_nobody_anything() -> None:
    parked = replace(THREAD, parked=True, wanted_event=9)
    assert check(proof(OPENED, threads=[parked]), drained=True) == []


def test_every_invariant_has_its_text() -> None:
    named = {invariant for invariant, _ in (*BROKEN.values(), *LEFT.values())}
    assert named == set(INVARIANTS)
