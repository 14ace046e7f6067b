"""The states of a session and a ticket, as a fold."""

from typing import get_args

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sessions.events import (
    AgentSaid,
    ApprovalAsked,
    Event,
    InputTaken,
    KnownEvent,
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
    UnknownEvent,
    WorkerEnded,
)
from sessions.lifecycle import LOSSES_LIMIT, advance, advance_ticket
from sessions.models import (
    ApprovalKind,
    Digest,
    Failure,
    FailureKind,
    Session,
    SessionState,
    SleepReason,
    TicketState,
    Verdict,
)
from tests.unit.sessions.people import SESSION

ASKED = ApprovalAsked(
    ordinal=1,
    approval=ApprovalKind.DOCUMENT,
    subject="research",
    title="t",
    body="b",
    digest=Digest("d"),
    deciders=("U1",),
    decider_names=("dana",),
    offers=(Verdict.APPROVE,),
)
BROKEN = Failure(kind=FailureKind.REPOSITORY, detail="no such branch")
CONCERNING: tuple[Event, ...] = (
    SessionQueued(cause="input"),
    SessionQueued(cause="resume"),
    SessionQueued(cause="retry"),
    SessionQueued(cause="restart"),
    LaunchStarted(fence=1, runner="process"),
    LaunchLost(fence=1),
    LaunchLost(fence=1, blameless=True),
    LaunchLost(fence=1, failure=BROKEN),
    StopRequested(by_name="dana"),
    SessionFinished(outcome="approved"),
    SessionDiscarded(),
    ASKED,
    QuestionAsked(ordinal=1, text="?"),
    InputTaken(ordinal=1),
    PermissionSettled(request="r", outcome="allowed"),
    PermissionSettled(request="r", outcome="cancelled"),
    PeopleAwaited(),
    TurnEnded(turn=1, stop_reason="end_turn"),
    WorkerEnded(reason="finished"),
    WorkerEnded(reason="stopped"),
    WorkerEnded(reason="idle"),
    WorkerEnded(reason="failed"),
    WorkerEnded(reason="terminated"),
    AgentSaid(message="m", text="hello"),
    UnknownEvent(kind="from_the_future", version=9, payload={}),
)


def after(*events: Event) -> Session:
    session = SESSION
    for event in events:
        session = advance(session, event)
    return session


def test_the_way_of_a_good_session() -> None:
    launch, asked, done = LaunchStarted(fence=1, runner="process"), ASKED, SessionFinished(outcome="approved")
    assert after().state is SessionState.QUEUED
    assert after(launch).state is SessionState.WORKING
    assert after(launch, asked).state is SessionState.WAITING
    assert after(launch, asked, InputTaken(ordinal=1)).state is SessionState.WORKING
    assert after(launch, asked, done).state is SessionState.DONE


@pytest.mark.parametrize(
    ("reason", "sleeps"),
    [
        ("stopped", SleepReason.STOPPED),
        ("idle", SleepReason.IDLE),
        ("failed", SleepReason.FAILED),
        ("terminated", SleepReason.INTERRUPTED),
    ],
)
def test_every_other_end_of_a_worker_leaves_the_session_asleep(reason: str, sleeps: SleepReason) -> None:
    ended = {each.reason: each for each in CONCERNING if isinstance(each, WorkerEnded)}[reason]  # type: ignore[index]
    session = after(LaunchStarted(fence=1, runner="process"), ended)
    assert (session.state, session.reason) == (SessionState.ASLEEP, sleeps)


def test_three_losses_in_a_row_are_a_failure() -> None:
    once = (LaunchStarted(fence=1, runner="process"), LaunchLost(fence=1))
    again = SessionQueued(cause="restart")
    assert after(*once).reason is SleepReason.INTERRUPTED
    assert after(*once, again, *once, again, *once).reason is SleepReason.FAILED


def test_a_turn_that_ended_forgives_the_losses_before_it() -> None:
    once = (LaunchStarted(fence=1, runner="process"), LaunchLost(fence=1), SessionQueued(cause="restart"))
    turn = (LaunchStarted(fence=1, runner="process"), TurnEnded(turn=1, stop_reason="end_turn"))
    assert after(*once, *once, *turn, LaunchLost(fence=1)).losses == 1


def test_somebody_who_speaks_gives_the_session_all_its_attempts_again() -> None:
    once = (LaunchStarted(fence=1, runner="process"), LaunchLost(fence=1))
    assert after(*once, SessionQueued(cause="retry")).losses == 0
    assert after(*once, SessionQueued(cause="restart")).losses == 1


def test_a_loss_that_is_not_the_sessions_is_not_counted() -> None:
    once = (
        LaunchStarted(fence=1, runner="process"),
        LaunchLost(fence=1, blameless=True),
        SessionQueued(cause="restart"),
    )
    assert after(*once * 10).losses == 0


def test_a_failure_needs_no_second_attempt() -> None:
    session = after(LaunchStarted(fence=1, runner="process"), LaunchLost(fence=1, failure=BROKEN))
    assert session.reason is SleepReason.FAILED


def test_a_cancelled_permission_is_still_waited_for() -> None:
    cancelled = PermissionSettled(request="r", outcome="cancelled")
    assert after(LaunchStarted(fence=1, runner="process"), ASKED, cancelled).state is SessionState.WAITING


def test_a_later_launch_waits_for_what_people_were_asked_before() -> None:
    stopped = (LaunchStarted(fence=1, runner="process"), ASKED, WorkerEnded(reason="stopped"))
    again = (*stopped, SessionQueued(cause="resume"), LaunchStarted(fence=2, runner="process"))
    assert after(*again).state is SessionState.WORKING
    assert after(*again, PeopleAwaited()).state is SessionState.WAITING


def test_a_stop_before_the_launch_is_carried_out_at_once() -> None:
    session = after(StopRequested(by_name="dana"))
    assert (session.state, session.reason) == (SessionState.ASLEEP, SleepReason.STOPPED)


def test_a_ticket_closes_once_and_opens_again() -> None:
    done = advance_ticket(TicketState.OPEN, TicketClosed(state=TicketState.DONE))
    assert done is TicketState.DONE
    assert advance_ticket(done, TicketClosed(state=TicketState.REJECTED)) is TicketState.DONE
    assert advance_ticket(done, TicketReopened()) is TicketState.OPEN


def test_every_event_has_a_name_and_a_version_of_its_own() -> None:
    kinds = [event.kind for event in get_args(KnownEvent)]
    assert len(kinds) == len(set(kinds))
    assert all(event.VERSION >= 1 for event in get_args(KnownEvent))


EDGES = {
    SessionState.QUEUED: {SessionState.WORKING, SessionState.ASLEEP},
    SessionState.WORKING: {SessionState.WAITING, SessionState.ASLEEP},
    SessionState.WAITING: {SessionState.WORKING, SessionState.ASLEEP, SessionState.QUEUED},
    SessionState.ASLEEP: {SessionState.QUEUED},
    SessionState.DONE: set[SessionState](),
    SessionState.DISCARDED: set[SessionState](),
}
ENDS = {SessionState.DONE, SessionState.DISCARDED}


class LifecycleMachine(RuleBasedStateMachine):
    """Any event in any state: the session moves along declared edges only, and its ends are final."""

    @initialize()
    def begin(self) -> None:
        self.session = self.before = SESSION
        self.row_of_losses = 0

    @rule(event=st.sampled_from(CONCERNING))
    def happen(self, event: Event) -> None:
        self.before, self.session = self.session, advance(self.session, event)
        self.count(event)

    @precondition(lambda self: self.session.state is SessionState.ASLEEP)
    @rule()
    def start_again(self) -> None:
        self.happen(SessionQueued(cause="restart"))
        self.happen(LaunchStarted(fence=1, runner="process"))

    def count(self, event: Event) -> None:
        running = self.before.state in (SessionState.WORKING, SessionState.WAITING)
        match event:
            case LaunchLost(blameless=False) if running:
                self.row_of_losses += 1
                too_often = self.row_of_losses >= LOSSES_LIMIT or event.failure is not None
                assert self.session.reason is (SleepReason.FAILED if too_often else SleepReason.INTERRUPTED)
            case TurnEnded() if running:
                self.row_of_losses = 0
            case SessionQueued(cause="input" | "resume" | "retry") if self.before.state not in {
                *ENDS,
                SessionState.WORKING,
            }:
                self.row_of_losses = 0

    @invariant()
    def moves_along_declared_edges(self) -> None:
        before, now = self.before.state, self.session.state
        assert before is now or now in EDGES[before] | (set() if before in ENDS else ENDS)

    @invariant()
    def sleeps_for_a_reason_and_for_nothing_else(self) -> None:
        assert (self.session.state is SessionState.ASLEEP) == (self.session.reason is not None)

    @invariant()
    def counts_losses_as_the_model_does(self) -> None:
        assert self.session.over or self.session.losses == self.row_of_losses


TestLifecycleMachine = LifecycleMachine.TestCase
