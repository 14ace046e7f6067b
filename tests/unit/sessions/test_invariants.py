"""The checker sees what it is there for, and nothing else."""

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest

from sessions.events import (
    ApprovalAsked,
    ApprovalDecided,
    ApprovalLapsed,
    Event,
    InputTaken,
    LaunchStarted,
    Recorded,
    SessionDiscarded,
    SessionFinished,
    SessionOpened,
    SessionQueued,
    TicketClosed,
    WorkerEnded,
)
from sessions.invariants import INVARIANTS, SILENCE_S, Inspection, check, inspect
from sessions.models import (
    ApprovalState,
    Digest,
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
from sessions.ports import InboxKey
from sessions.proofs import LaunchFact, PostedFact, Proof, ThreadFact, Unsettled, Violation
from tests.unit.sessions.people import APPROVAL, NOW, SESSION, TEAM, TICKET

OPENED = SessionOpened(phase=Phase.RESEARCH, lane=1, agent="scripted", branch=SESSION.branch)
STARTED = LaunchStarted(fence=1, runner="process")
LAUNCH = LaunchFact(
    launch=Launch(id=LaunchId(UUID(int=9)), session=SESSION.id, fence=1, engine="here", last_frame=3),
    ended=False,
    stored_frame=3,
)
ASKED = ApprovalAsked(
    ordinal=1,
    approval=APPROVAL.kind,
    subject=APPROVAL.subject,
    title=APPROVAL.title,
    body="",
    digest=APPROVAL.digest,
    deciders=APPROVAL.deciders,
    decider_names=("dana",),
    offers=APPROVAL.offers,
)
DECIDED = ApprovalDecided(ordinal=1, verdict=Verdict.APPROVE, by="U1", by_name="dana")
LAPSED = ApprovalLapsed(ordinal=1, cause="over")
MESSAGE = Input(
    ticket=TICKET.id, session=SESSION.id, ordinal=1, kind=InputKind.MESSAGE, author="U1", author_name="dana"
)
ROOT = PostedFact(slot="root", state="done", message_id="m1", changed_at=NOW)
QUIET_S = 30.0
"""How long ago everything happened in these proofs."""


def thread(wanted_event: int, *slots: PostedFact, told: int | None = None, parked: bool = False) -> ThreadFact:
    return ThreadFact(
        wanted_event=wanted_event,
        delivered_event=wanted_event if told is None else told,
        wanted_at=NOW,
        parked=parked,
        slots=slots or (ROOT,),
    )


def proof(*events: Event, **changes: object) -> Proof:
    """A ticket with one session and this history, which its thread was told."""
    history = [Recorded(position=n, session=1, at=NOW, event=event) for n, event in enumerate(events, 1)]
    sound = Proof(
        read_at=NOW + timedelta(seconds=QUIET_S),
        ticket=replace(TICKET, last_event=len(history)),
        history=history,
        sessions=[SESSION],
        launches=[],
        approvals=[],
        inputs=[],
        threads=[thread(len(history))],
    )
    return replace(sound, **changes)  # type: ignore[arg-type]


def named(broken: Proof, *, patience_s: float) -> set[str]:
    return {violation.invariant for violation in check(broken, patience_s=patience_s)}


WORKING = proof(OPENED, STARTED, sessions=[replace(SESSION, state=SessionState.WORKING)], launches=[LAUNCH])
OLDER, NEWER = LAUNCH, replace(LAUNCH, launch=replace(LAUNCH.launch, fence=2), ended=True)
DONE = replace(SESSION, state=SessionState.DONE)
SECOND = replace(SESSION, id=SessionId(UUID(int=5)), ordinal=2)
FINISHED = SessionFinished(outcome="approved")
APPROVED = replace(APPROVAL, state=ApprovalState.APPROVED)
WAITING = proof(OPENED, STARTED, ASKED, sessions=[replace(SESSION, state=SessionState.WAITING)], approvals=[APPROVAL])
BOTH = proof(OPENED, OPENED, sessions=[SESSION, SECOND])
BOTH = replace(BOTH, history=[BOTH.history[0], replace(BOTH.history[1], session=2)])


def asked(*events: Event, state: ApprovalState = ApprovalState.PENDING) -> Proof:
    """A queued session's approval, asked in its history unless the events say otherwise."""
    return proof(OPENED, *events, approvals=[replace(APPROVAL, state=state)])


@pytest.mark.parametrize(
    "sound",
    [
        proof(OPENED),
        WORKING,
        asked(ASKED),
        asked(ASKED, DECIDED, state=ApprovalState.APPROVED),
        asked(ASKED, LAPSED, state=ApprovalState.LAPSED),
    ],
)
def test_a_sound_ticket_has_no_violations(sound: Proof) -> None:
    assert check(sound, patience_s=0) == []


BROKEN = {
    "a thread that does not want the newest": ("I1", proof(OPENED, threads=[thread(0)])),
    "a thread that was told what is not wanted": ("I1", proof(OPENED, threads=[thread(1, told=2)])),
    "two slots in one message": ("I1", proof(OPENED, threads=[thread(1, ROOT, replace(ROOT, slot="progress/1"))])),
    "two live sessions in a lane": ("I2", BOTH),
    "two live launches": ("I2", replace(WORKING, launches=[LAUNCH, LAUNCH])),
    "an approval that its history lacks": ("I3", proof(OPENED, approvals=[APPROVAL])),
    "an approval that only its history has": ("I3", proof(OPENED, ASKED)),
    "asked twice": ("I3", asked(ASKED, ASKED)),
    "asked about something else": ("I3", asked(replace(ASKED, digest=Digest("0" * 64)))),
    "decided without a decision": ("I3", asked(ASKED, state=ApprovalState.APPROVED)),
    "decided twice": ("I3", asked(ASKED, DECIDED, DECIDED, state=ApprovalState.APPROVED)),
    "decided and pending": ("I3", asked(ASKED, DECIDED)),
    "decided by a stranger": ("I3", asked(ASKED, replace(DECIDED, by="U9"), state=ApprovalState.APPROVED)),
    "decided the other way": ("I3", asked(ASKED, DECIDED, state=ApprovalState.REJECTED)),
    "a verdict that was not offered": (
        "I3",
        asked(ASKED, replace(DECIDED, verdict=Verdict.APPROVE_ALWAYS), state=ApprovalState.APPROVED),
    ),
    "lapsed and nobody told": ("I3", asked(ASKED, state=ApprovalState.LAPSED)),
    "lapsed and pending": ("I3", asked(ASKED, LAPSED)),
    "a frame that was never acknowledged": ("I5", replace(WORKING, launches=[replace(LAUNCH, stored_frame=4)])),
    "working without a launch": ("I7", replace(WORKING, launches=[])),
    "working with an ended launch": ("I7", replace(WORKING, launches=[replace(LAUNCH, ended=True)])),
    "waiting without a launch": ("I7", WAITING),
    "an event missing": ("I9", proof(OPENED, ticket=replace(TICKET, last_event=2), threads=[thread(2)])),
    "an event in another's place": (
        "I9",
        proof(OPENED, history=[Recorded(position=2, session=1, at=NOW, event=OPENED)]),
    ),
    "a state out of nowhere": ("I9", proof(OPENED, sessions=[replace(SESSION, state=SessionState.ASLEEP)])),
    "losses that nobody counted": ("I9", proof(OPENED, sessions=[replace(SESSION, losses=2)])),
    "a session that was never opened": ("I9", proof(OPENED, sessions=[SESSION, replace(SECOND, lane=2)])),
    "a launch of a working session": (
        "I9",
        proof(OPENED, STARTED, STARTED, sessions=WORKING.sessions, launches=[LAUNCH]),
    ),
    "an end after the end": ("I9", proof(OPENED, FINISHED, SessionDiscarded(), sessions=[DONE])),
    "queued after the end": ("I9", proof(OPENED, FINISHED, SessionQueued(cause="input"), sessions=[DONE])),
    "opened after its launch": ("I9", proof(STARTED, OPENED, sessions=WORKING.sessions, launches=[LAUNCH])),
    "a ticket closed by nobody": ("I9", proof(OPENED, ticket=replace(TICKET, state=TicketState.DONE, last_event=1))),
    "an input sent to nobody": ("I9", proof(OPENED, inputs=[replace(MESSAGE, state=InputState.SENT)])),
    "an input that will be sent again": ("I9", proof(OPENED, InputTaken(ordinal=1), inputs=[MESSAGE])),
    "an older launch alive": ("I10", replace(WORKING, launches=[OLDER, NEWER])),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_at_every_moment(name: str) -> None:
    invariant, broken = BROKEN[name]
    assert named(broken, patience_s=math.inf) == {invariant}


OVER = proof(OPENED, FINISHED, TicketClosed(state=TicketState.DONE), sessions=[DONE])
OVER = replace(OVER, ticket=replace(OVER.ticket, state=TicketState.DONE))
OVER_ASKED = proof(OPENED, ASKED, FINISHED, TicketClosed(state=TicketState.DONE), sessions=[DONE], approvals=[APPROVAL])
OVER_ASKED = replace(OVER_ASKED, ticket=replace(OVER_ASKED.ticket, state=TicketState.DONE))
SLEPT = (OPENED, STARTED, WorkerEnded(reason="idle"))
ASLEEP = replace(SESSION, state=SessionState.ASLEEP, reason=SleepReason.IDLE)
STOPPED = replace(SESSION, state=SessionState.ASLEEP, reason=SleepReason.STOPPED)
LEFT = {
    "an approval of an ended session": ("I7", OVER_ASKED),
    "an input of an ended session": ("I7", replace(OVER, inputs=[MESSAGE])),
    "a launch of an ended session": ("I7", replace(OVER, launches=[LAUNCH])),
    "an open ticket without a live session": ("I7", proof(OPENED, FINISHED, sessions=[DONE])),
    "a sleeper that somebody spoke to": ("I7", proof(*SLEPT, sessions=[ASLEEP], inputs=[MESSAGE])),
    "a thread that was not told": ("I7", proof(OPENED, threads=[thread(1, told=0)])),
    "a slot half posted": (
        "I1",
        proof(OPENED, threads=[thread(1, replace(ROOT, state="intended", message_id=""))]),
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_hanging_is_named_when_patience_is_at_its_end(name: str) -> None:
    invariant, left = LEFT[name]
    assert named(left, patience_s=QUIET_S) == {invariant}


@pytest.mark.parametrize("name", LEFT)
def test_what_happens_soon_is_given_its_time(name: str) -> None:
    _, left = LEFT[name]
    assert check(left, patience_s=QUIET_S + 1) == []


def test_patience_with_an_ended_session_is_not_renewed_by_what_others_do() -> None:
    later = replace(OVER.history[-1], at=NOW + timedelta(seconds=QUIET_S))
    left = replace(OVER, inputs=[MESSAGE], history=[*OVER.history[:-1], later])
    assert named(left, patience_s=QUIET_S) == {"I7"}


def test_a_sleeper_that_was_stopped_sleeps_on() -> None:
    slept = (OPENED, STARTED, WorkerEnded(reason="stopped"))
    assert check(proof(*slept, sessions=[STOPPED], inputs=[MESSAGE]), patience_s=0) == []


def test_a_parked_thread_owes_nobody_anything() -> None:
    half = replace(ROOT, state="intended", message_id="")
    assert check(proof(OPENED, threads=[thread(1, half, told=0, parked=True)]), patience_s=0) == []


def test_a_violation_is_a_sentence_that_begins_with_the_ticket() -> None:
    broken = proof(OPENED, sessions=[replace(ASLEEP, losses=2)])
    assert check(broken, patience_s=math.inf) == [
        Violation(
            invariant="I9", subject="4f2aa.1", problem="is asleep (idle) after 2 losses, but by its history queued"
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Evidence that a test wrote down; a message waits for `waited_s` seconds."""

    held: Sequence[Proof] = ()
    waited_s: float | None = None

    async def proofs(self) -> AsyncIterator[Proof]:
        for one in self.held:
            yield one

    async def unsettled(self, *, older_than_s: float) -> Sequence[Unsettled]:
        if self.waited_s is None or self.waited_s < older_than_s:
            return ()
        key = InboxKey(installation=TEAM, source="C1/17")
        return (Unsettled(workspace=TICKET.workspace, key=key, received_at=NOW),)


async def test_every_ticket_is_inspected_and_counted() -> None:
    _, broken = BROKEN["an event missing"]
    found = await inspect(Shelf(held=[WORKING, broken, proof(OPENED)]))
    assert found == Inspection(tickets=3, violations=tuple(check(broken, patience_s=math.inf)))


async def test_nobody_is_met_with_silence() -> None:
    found = await inspect(Shelf(waited_s=SILENCE_S))
    assert found.violations == (
        Violation(invariant="I5", subject="message C1/17", problem="has no outcome since 2026-11-20 12:00:00 UTC"),
    )


async def test_what_was_just_said_may_still_wait_unless_nothing_is_under_way() -> None:
    said = Shelf(waited_s=SILENCE_S - 1)
    assert (await inspect(said)).violations == ()
    assert {violation.invariant for violation in (await inspect(said, patience_s=0)).violations} == {"I5"}


def test_every_invariant_is_broken_here() -> None:
    assert {invariant for invariant, _ in (*BROKEN.values(), *LEFT.values())} == set(INVARIANTS)
