"""The fold: the same facts whichever way it is cut, and no more of them than fit."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from conversations.facts import SessionFacts
from conversations.progress import EMPTY, Progress, find_session, fold
from conversations.steps import RUNNING_KEPT
from sessions.events import (
    AgentSaid,
    ApprovalAsked,
    DocumentWritten,
    InputReceived,
    InputWithdrawn,
    LaunchLost,
    LaunchStarted,
    SessionFinished,
    SessionOpened,
    ToolCalled,
    UsageReported,
)
from sessions.models import (
    ApprovalKind,
    ApprovalState,
    Failure,
    FailureKind,
    InputKind,
    Phase,
    SessionState,
    SleepReason,
    TicketState,
    Verdict,
)
from tests import stories
from tests.stories import DANA, Story, begun, called, digest_of, filed, told

STORED = TypeAdapter(Progress)
STORIES = [story for story, _ in stories.CARDS.values()]


def session(progress: Progress, ordinal: int) -> SessionFacts:
    found = find_session(progress, ordinal)
    assert found is not None
    return found


@pytest.mark.parametrize("make", STORIES)
def test_snapshot_survives_storage(make: object) -> None:
    progress = told(make().events)  # type: ignore[operator] # (pytest hides the type)
    assert STORED.validate_json(STORED.dump_json(progress)) == progress


@given(at=st.integers(0, 60))
def test_folding_on_from_a_stored_snapshot_comes_to_the_same(at: int) -> None:
    events = stories.final_card().events
    progress = STORED.validate_json(STORED.dump_json(told(events[:at])))
    for recorded in events[at:]:
        progress = fold(progress, recorded)
    assert progress == told(events)


def test_event_that_was_folded_in_already_changes_nothing() -> None:
    events = stories.executing().events
    progress = told(events)
    assert fold(progress, events[-1]) is progress
    assert fold(progress, events[0]) is progress


def test_two_thousand_events_leave_a_snapshot_of_a_few_steps() -> None:
    short, long = (STORED.dump_json(told(stories.long_story(events).events)) for events in (300, 2000))
    assert len(long) < 1.1 * len(short)
    steps = session(told(stories.long_story(2000).events), 1).steps
    assert steps.count == 997
    assert len(steps.shown) == 5


def test_fold_takes_as_long_for_the_last_event_as_for_the_first() -> None:
    def seconds(events: int) -> float:
        story = stories.long_story(events).events
        began = time.perf_counter()
        told(story)
        return time.perf_counter() - began

    assert min(seconds(4000) for _ in range(3)) < 12 * min(seconds(1000) for _ in range(3))


# ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_report_on_a_call_that_is_shown_replaces_it() -> None:
    story = begun(filed(Story()), 1, Phase.EXECUTION)
    story.tell(called("a", "Bash", status="pending"), session=1).tell(called("a", "pytest -q"), session=1)
    steps = session(told(story.events), 1).steps
    assert [(step.title, step.status) for step in steps.shown] == [("pytest -q", "completed")]
    assert steps.count == 1


def test_late_report_on_a_call_that_left_the_window_counts_once_and_stays_away() -> None:
    story = begun(filed(Story()), 1, Phase.EXECUTION)
    for call in range(20):
        story.tell(called(f"c{call}", f"step {call}"), session=1)
    story.tell(called("c0", "step 0, again"), session=1)
    steps = session(told(story.events), 1).steps
    assert steps.count == 20
    assert [step.title for step in steps.shown] == [f"step {call}" for call in range(15, 20)]


def test_call_that_runs_is_shown_however_many_end_after_it() -> None:
    story = begun(filed(Story()), 1, Phase.EXECUTION)
    story.tell(called("slow", "the slow one", status="running"), session=1)
    for call in range(100):
        story.tell(called(f"c{call}", f"step {call}"), session=1)
    story.tell(called("slow", "the slow one"), session=1)
    steps = session(told(story.events), 1).steps
    assert steps.count == 101


def test_calls_that_never_end_are_bounded_too() -> None:
    story = begun(filed(Story()), 1, Phase.EXECUTION)
    for call in range(100):
        story.tell(called(f"c{call}", "x" * 10_000, status="running"), session=1)
    steps = session(told(story.events), 1).steps
    assert len(steps.shown) == RUNNING_KEPT
    assert max(len(step.title) for step in steps.shown) <= 160


def test_what_was_cut_off_and_done_again_is_one_step() -> None:
    story = begun(filed(Story()), 1, Phase.EXECUTION).tell(called("1.c1", "tests", status="running"), session=1)
    story.tell(LaunchLost(fence=1), session=1).tell(LaunchStarted(fence=2, runner="process"), session=1)
    story.tell(called("1.c1", "tests", status="interrupted"), session=1).tell(called("2.c1", "tests"), session=1)
    steps = session(told(story.events), 1).steps
    assert [(step.title, step.status) for step in steps.shown] == [("tests", "completed")]
    assert steps.count == 1


def test_relaunched_agent_may_use_its_call_ids_again() -> None:
    story = begun(filed(Story()), 1, Phase.EXECUTION).tell(called("c1", "first"), session=1)
    story.tell(LaunchLost(fence=1), session=1).tell(LaunchStarted(fence=2, runner="process"), session=1)
    story.tell(called("c1", "second"), session=1)
    steps = session(told(story.events), 1).steps
    assert [(step.title, step.status) for step in steps.shown] == [("first", "completed"), ("second", "completed")]
    assert steps.count == 2


# ── time, cost, words ───────────────────────────────────────────────────────────────────────────────────────────────


def test_only_work_counts_as_time() -> None:
    worked_s = session(told(stories.planned().events), 2).active_s
    waited = (
        stories.planned()
        .later(3600)
        .tell(InputReceived(ordinal=9, input=InputKind.MESSAGE, author_name="dana"), session=2)
    )
    assert session(told(waited.events), 2).active_s == worked_s


def test_clock_that_goes_back_takes_no_time_away() -> None:
    story = begun(filed(Story()), 1, Phase.RESEARCH).later(10).tell(called("a", "x"), session=1)
    story.later(-3600).tell(called("b", "y"), session=1)
    assert session(told(story.events), 1).active_s == 11


def test_cost_is_unknown_until_it_is_reported() -> None:
    story = begun(filed(Story()), 1, Phase.RESEARCH)
    assert session(told(story.events), 1).usage.cost_usd is None
    story.tell(UsageReported(input_tokens=10), session=1).tell(UsageReported(cost_usd=0.5), session=1)
    story.tell(UsageReported(output_tokens=5, cost_usd=0.25), session=1)
    usage = session(told(story.events), 1).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cost_usd) == (10, 5, 0.75)


def test_words_of_a_message_are_joined_and_bounded() -> None:
    story = begun(filed(Story()), 1, Phase.RESEARCH)
    for _ in range(500):
        story.tell(AgentSaid(message="m1", text="word " * 10), session=1)
    story.tell(AgentSaid(message="m2", text="Now "), session=1).tell(AgentSaid(message="m2", text="this."), session=1)
    assert session(told(story.events), 1).said == "Now this."
    assert len(session(told(story.events[:-2]), 1).said) == 600


# ── what people are asked ───────────────────────────────────────────────────────────────────────────────────────────


def test_decision_names_who_and_when() -> None:
    approval = told(stories.executing().events).approvals[-1]
    assert (approval.state, approval.by_name) == (ApprovalState.APPROVED, DANA.name)
    assert approval.settled_at is not None


def test_second_decision_changes_nothing() -> None:
    story = stories.executing().later(5)
    story.tell(replace(stories.decided(1), by_name="lee"), session=1)
    assert told(story.events).approvals[0].by_name == DANA.name


def test_whole_document_is_kept_until_it_is_approved() -> None:
    text = "# Plan\n\n" + "A long sentence about the plan. " * 100
    story = begun(filed(Story()), 1, Phase.PLANNING)
    story.tell(DocumentWritten(phase=Phase.PLANNING, revision=1, author="x", digest=digest_of(text), markdown=text))
    asked = ApprovalAsked(
        ordinal=1,
        approval=ApprovalKind.DOCUMENT,
        subject=Phase.PLANNING,
        title="Plan",
        body="A long sentence",
        digest=digest_of(text),
        deciders=(DANA.external_id,),
        decider_names=(DANA.name,),
        offers=(Verdict.APPROVE,),
        revision=1,
    )
    story.tell(asked, session=1)
    assert told(story.events).documents[0].markdown == text
    assert told(story.events).approvals[0].body == "A long sentence"
    stories.approved(story, 1, ordinal=1)
    assert told(story.events).documents[0].markdown == ""


def test_settled_approvals_are_bounded_and_pending_ones_stay() -> None:
    story = stories.permission_card()
    for ordinal in range(5, 60):
        stories.allowed(story)
        asked = next(r.event for r in reversed(story.events) if isinstance(r.event, ApprovalAsked))
        story.tell(replace(asked, ordinal=ordinal), session=3)
        story.tell(stories.decided(ordinal), session=3)
    approvals = told(story.events).approvals
    assert len(approvals) <= 21


# ── queue, failures, stops ──────────────────────────────────────────────────────────────────────────────────────────


def test_message_that_nobody_read_goes_to_the_next_session() -> None:
    story = stories.planning()
    story.tell(InputReceived(ordinal=7, input=InputKind.MESSAGE, author_name="lee", text="And leap years"), session=2)
    story.tell(SessionFinished(outcome="approved"), session=2)
    story.tell(SessionOpened(phase=Phase.EXECUTION, lane=1, agent="x", branch="b"), session=3)
    progress = told(story.events)
    assert [(one.ordinal, one.session) for one in progress.inputs] == [(7, 3)]
    assert session(progress, 3).progress_position
    assert not told(story.tell(InputWithdrawn(ordinal=7), session=3).events).inputs


def test_failure_is_known_with_what_is_safe() -> None:
    progress = told(stories.error_card().events)
    assert [one.kind for one in progress.failures] == [FailureKind.HOST_REFUSED]
    assert session(progress, 3).reason is SleepReason.FAILED
    assert session(progress, 3).saved_files == 3


def test_lost_launch_is_no_failure_while_it_is_tried_again() -> None:
    story = begun(filed(Story()), 1, Phase.RESEARCH).tell(LaunchLost(fence=1, detail="gone"), session=1)
    assert not told(story.events).failures
    broken = Failure(kind=FailureKind.AGENT_MISSING, detail="kimi: not found")
    story = begun(filed(Story()), 1, Phase.RESEARCH).tell(LaunchLost(fence=1, failure=broken), session=1)
    assert told(story.events).failures[0].detail == "kimi: not found"


def test_retry_is_told_on_the_failure() -> None:
    progress = told(stories.retried(stories.error_card()).events)
    assert progress.failures[0].resumed_by == DANA.name
    assert session(progress, 3).state is SessionState.QUEUED


def test_stop_tells_done_in_flight_and_left() -> None:
    stop = told(stories.stopped_card().events).stops[0]
    assert (stop.by_name, stop.steps, len(stop.ended)) == ("lee", 14, 4)
    assert [step.title for step in stop.in_flight] == ["pytest tests/billing -q"]
    assert stop.left == ("Add a regression test", "Note it in the changelog")


def test_ticket_ends_with_its_last_session() -> None:
    progress = told(stories.final_card().events)
    assert progress.ticket is not None
    assert progress.ticket.state is TicketState.DONE
    assert session(progress, 3).publication is not None


def test_event_of_a_session_nobody_opened_is_passed_over() -> None:
    story = filed(Story()).tell(ToolCalled(call="c", title="t", tool="read", status="running"), session=9)
    assert told(story.events).sessions == ()


def test_empty_progress_has_no_ticket() -> None:
    assert EMPTY.ticket is None
