"""Approvals from the agent's request to what the decision does."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import TypeVar

import pytest

from sessions.errors import (
    ApprovalAlreadyDecided,
    ApprovalStale,
    ApprovalUnknown,
    NotAllowed,
    QuestionAlreadyAnswered,
    QuestionUnknown,
    SessionOver,
    SessionsError,
    VerdictNotOffered,
)
from sessions.events import (
    ApprovalAsked,
    ApprovalDecided,
    DocumentSubmitted,
    InputTaken,
    PermissionSettled,
    QuestionFiled,
    TicketClosed,
    WorkerEnded,
)
from sessions.models import (
    ApprovalState,
    InputKind,
    InputState,
    Phase,
    Role,
    SessionState,
    SleepReason,
    TicketState,
    Verdict,
)
from storage.database import Database
from storage.registry import Registry
from tests.bureau import Bureau, context, opened

T = TypeVar("T")


async def attempted(act: Awaitable[T]) -> T | SessionsError:
    try:
        return await act
    except SessionsError as error:
        return error


async def test_a_document_is_asked_for_by_its_digest_and_deciders(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    approval = await bureau.document(claim)
    written, asked = (await bureau.events(claim.ticket.id))[-2:]
    assert (written.kind, asked.kind) == ("document_written", "approval_asked")
    assert isinstance(asked, ApprovalAsked)
    assert (asked.revision, asked.title, asked.body) == (1, "Findings", "The discount is None.\n\n- Findings")
    assert (asked.deciders, asked.decider_names) == (("U-dana",), ("dana",))
    assert approval.offers == (Verdict.APPROVE, Verdict.REQUEST_CHANGES, Verdict.REJECT)
    assert (await bureau.session(claim)).state is SessionState.WAITING


async def test_the_same_document_again_becomes_nothing(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.document(claim)
    before = await bureau.kinds(claim.ticket.id)
    await bureau.document(claim)
    assert await bureau.kinds(claim.ticket.id) == before


async def test_a_new_revision_takes_the_place_of_the_old_approval(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    first = await bureau.document(claim)
    second = await bureau.document(claim, "# Findings\n\nIt is the discount.")
    assert (second.ordinal, second.digest != first.digest) == (2, True)
    with pytest.raises(ApprovalAlreadyDecided) as refused:
        await bureau.decide(first, Verdict.APPROVE)
    assert refused.value.state is ApprovalState.LAPSED


async def test_a_document_of_another_phase_is_set_aside(bureau: Bureau) -> None:
    claim = await bureau.at_work(phase=Phase.EXECUTION)
    await bureau.report(claim, DocumentSubmitted(phase=Phase.PLANNING, markdown="late"))
    assert (await bureau.kinds(claim.ticket.id))[-1] == "quarantined"
    assert await bureau.count("document_revisions") == 0


async def test_approving_ends_the_session_and_queues_the_next_phase_in_its_lane(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.decide(await bureau.document(claim), Verdict.APPROVE)
    research, planning = (await bureau.standing(claim.ticket.id)).sessions
    assert research.state is SessionState.DONE
    assert (planning.phase, planning.state, planning.lane) == (Phase.PLANNING, SessionState.QUEUED, research.lane)
    assert planning.branch == research.branch
    assert (await bureau.desk.inputs(context(claim), after=0, time_limit_s=5)).over
    assert [row["what"] for row in await bureau.rows("audit")] == ["approval.approve"]


async def test_three_phases_lead_to_execution_with_both_documents(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    for text in ("# Findings", "# Plan"):
        await bureau.decide(await bureau.document(claim, text), Verdict.APPROVE)
        await bureau.report(claim, WorkerEnded(reason="finished"))
        claim = await bureau.claim()
    assert claim.session.phase is Phase.EXECUTION
    bootstrap = await bureau.desk.bootstrap(context(claim))
    assert [(held.phase, held.markdown) for held in bootstrap.documents] == [
        (Phase.RESEARCH, "# Findings"),
        (Phase.PLANNING, "# Plan"),
    ]


async def test_phases_that_a_project_skips_are_skipped(database: Database) -> None:
    async with opened(database, phases=(Phase.RESEARCH, Phase.EXECUTION)) as bureau:
        claim = await bureau.at_work()
        await bureau.decide(await bureau.document(claim), Verdict.APPROVE)
        assert (await bureau.standing(claim.ticket.id)).session.phase is Phase.EXECUTION


async def test_after_the_last_phase_of_a_project_the_ticket_is_done(database: Database) -> None:
    async with opened(database, phases=(Phase.RESEARCH,)) as bureau:
        claim = await bureau.at_work()
        await bureau.decide(await bureau.document(claim), Verdict.APPROVE)
        assert (await bureau.standing(claim.ticket.id)).ticket.state is TicketState.DONE


async def test_requested_changes_go_to_the_same_session(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    approval = await bureau.document(claim)
    await bureau.decide(approval, Verdict.REQUEST_CHANGES, comment="shorter")
    inbound = await bureau.desk.inputs(context(claim), after=0, time_limit_s=0)
    assert [(held.kind, held.verdict, held.subject, held.text) for held in inbound.inputs] == [
        (InputKind.DECISION, Verdict.REQUEST_CHANGES, approval.ordinal, "shorter")
    ]
    await bureau.report(claim, InputTaken(ordinal=1))
    assert (await bureau.session(claim)).state is SessionState.WORKING


async def test_a_document_sent_back_and_submitted_unchanged_is_asked_for_again(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    first = await bureau.document(claim)
    await bureau.decide(first, Verdict.REQUEST_CHANGES)
    assert (await bureau.document(claim)).ordinal == first.ordinal
    await bureau.report(claim, InputTaken(ordinal=1))
    again = await bureau.document(claim)
    assert (again.ordinal, again.digest) == (2, first.digest)
    assert await bureau.count("document_revisions") == 1


async def test_rejecting_ends_the_ticket(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.service.say(bureau.act(), claim.ticket.id, "never read")
    await bureau.decide(await bureau.document(claim), Verdict.REJECT, comment="not worth it")
    standing = await bureau.standing(claim.ticket.id)
    assert standing.ticket.state is TicketState.REJECTED
    assert standing.session.state is SessionState.DONE
    assert standing.inputs[0].state is InputState.WITHDRAWN
    closed = (await bureau.events(claim.ticket.id))[-1]
    assert closed == TicketClosed(state=TicketState.REJECTED, by_name="dana", reason="not worth it")


async def test_a_message_that_nobody_read_goes_on_to_the_next_phase(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    approval = await bureau.document(claim)
    await bureau.service.say(bureau.act(), claim.ticket.id, "mind the tests")
    await bureau.decide(approval, Verdict.APPROVE)
    await bureau.report(claim, WorkerEnded(reason="finished"))
    waiting = await bureau.desk.inputs(context(await bureau.claim()), after=0, time_limit_s=0)
    assert [held.text for held in waiting.inputs] == ["mind the tests"]


async def test_a_permission_comes_back_with_request_and_grant(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    approval = await bureau.permission(claim)
    assert approval.offers == (Verdict.APPROVE, Verdict.REJECT)
    await bureau.decide(approval, Verdict.APPROVE)
    decision = (await bureau.desk.inputs(context(claim), after=0, time_limit_s=0)).inputs[0]
    assert (decision.request, decision.grant, decision.verdict) == ("r1", "g" * 64, Verdict.APPROVE)


async def test_a_permission_can_be_decided_while_the_session_sleeps(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    approval = await bureau.permission(claim)
    cancelled = PermissionSettled(request="r1", outcome="cancelled")
    await bureau.report(claim, cancelled, WorkerEnded(reason="terminated"))
    session = await bureau.session(claim)
    assert (session.state, session.reason) == (SessionState.ASLEEP, SleepReason.INTERRUPTED)
    await bureau.decide(approval, Verdict.APPROVE)
    resumed = context(await bureau.claim())
    waiting = await bureau.desk.inputs(resumed, after=0, time_limit_s=0)
    assert [held.request for held in waiting.inputs] == ["r1"]
    bootstrap = await bureau.desk.bootstrap(resumed)
    assert bootstrap.previous is not None
    assert bootstrap.previous.id == claim.launch.id


async def test_a_repeated_request_is_asked_once(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    assert [(await bureau.permission(claim)).ordinal for _ in range(2)] == [1, 1]


@pytest.mark.parametrize(
    ("name", "role", "verdict", "digest", "error"),
    [
        ("dana", Role.MEMBER, Verdict.APPROVE, "0" * 64, ApprovalStale),
        ("dana", Role.MEMBER, Verdict.APPROVE, "", ApprovalStale),
        ("dana", Role.MEMBER, Verdict.APPROVE_ALWAYS, None, VerdictNotOffered),
        ("dana", Role.GUEST, Verdict.APPROVE, None, NotAllowed),
        ("lee", Role.MEMBER, Verdict.APPROVE, None, NotAllowed),
        ("lee", Role.ADMIN, Verdict.APPROVE, None, NotAllowed),
    ],
)
async def test_a_press_that_is_not_good_changes_nothing(
    bureau: Bureau, name: str, role: Role, verdict: Verdict, digest: str | None, error: type[SessionsError]
) -> None:
    claim = await bureau.at_work()
    approval = await bureau.document(claim)
    before = await bureau.kinds(claim.ticket.id)
    act = bureau.act(name, role=role, source="press")
    with pytest.raises(error):
        await bureau.service.decide(
            act, claim.ticket.id, 1, verdict, digest=approval.digest if digest is None else digest
        )
    assert await bureau.kinds(claim.ticket.id) == before
    assert await bureau.count("audit") == 0
    assert "press" not in [row["source"] for row in await bureau.rows("inbox")]


async def test_an_approval_that_does_not_exist_is_unknown(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    with pytest.raises(ApprovalUnknown):
        await bureau.service.decide(bureau.act(), claim.ticket.id, 7, Verdict.APPROVE, digest="0" * 64)


async def test_who_may_decide_is_asked_when_they_press(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    approval = await bureau.document(claim)
    await Registry(bureau.database).put_project(replace(bureau.project, deciders=("slack:U-lee",)))
    with pytest.raises(NotAllowed):
        await bureau.decide(approval, Verdict.APPROVE, name="dana")
    await bureau.decide(approval, Verdict.APPROVE, name="lee")


async def test_of_fifty_decisions_at_once_one_wins(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    approval = await bureau.document(claim)
    verdicts = [approval.offers[n % 3] for n in range(50)]
    outcomes = await asyncio.gather(*(attempted(bureau.decide(approval, verdict)) for verdict in verdicts))
    losers = [outcome for outcome in outcomes if isinstance(outcome, ApprovalAlreadyDecided)]
    assert len(losers) == 49
    assert {loser.by_name for loser in losers} == {"dana"}
    decisions = [event for event in await bureau.events(claim.ticket.id) if isinstance(event, ApprovalDecided)]
    assert len(decisions) == 1
    assert await bureau.count("audit") == 1


async def test_of_fifty_answers_at_once_one_wins(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.report(claim, QuestionFiled(text="Which one?"))
    answers = (bureau.service.answer(bureau.act(), claim.ticket.id, 1, f"number {n}") for n in range(50))
    outcomes = await asyncio.gather(*(attempted(answer) for answer in answers))
    assert sum(isinstance(outcome, QuestionAlreadyAnswered) for outcome in outcomes) == 49
    assert await bureau.count("inputs") == 1


async def test_the_same_question_while_it_is_open_becomes_nothing(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.report(claim, QuestionFiled(text="Which?", options=("a", "b")), QuestionFiled(text="Which?"))
    await bureau.service.answer(bureau.act(), claim.ticket.id, 1, "a")
    await bureau.report(claim, QuestionFiled(text="Which?"))
    assert [asked.ordinal for asked in (await bureau.standing(claim.ticket.id)).questions] == [1, 2]


async def test_an_unknown_question_and_one_of_an_ended_session_take_no_answer(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    with pytest.raises(QuestionUnknown):
        await bureau.service.answer(bureau.act(), claim.ticket.id, 1, "a")
    await bureau.report(claim, QuestionFiled(text="Which?"))
    await bureau.service.discard(bureau.act(), claim.ticket.id)
    with pytest.raises(SessionOver):
        await bureau.service.answer(bureau.act(), claim.ticket.id, 1, "a")


async def test_approvals_of_a_discarded_session_lapse(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    approval = await bureau.permission(claim)
    await bureau.service.discard(bureau.act(), claim.ticket.id)
    with pytest.raises(ApprovalAlreadyDecided):
        await bureau.decide(approval, Verdict.APPROVE)
    await bureau.report(claim, WorkerEnded(reason="stopped"))
    assert await bureau.violations(claim.ticket.id) == []
    assert (await bureau.standing(claim.ticket.id)).ticket.state is TicketState.REJECTED


@pytest.mark.parametrize("round_", range(4))
async def test_stop_against_approve_leaves_one_sound_story(bureau: Bureau, round_: int) -> None:
    claim = await bureau.at_work()
    approval = await bureau.document(claim)
    acts = [bureau.decide(approval, Verdict.APPROVE), bureau.service.stop(bureau.act(), claim.ticket.id)]
    await asyncio.gather(*(acts if round_ % 2 else reversed(acts)))
    research, planning = (await bureau.standing(claim.ticket.id)).sessions
    assert research.state is SessionState.DONE
    assert planning.state in (SessionState.QUEUED, SessionState.ASLEEP)
    await bureau.report(claim, WorkerEnded(reason="stopped"))
    assert await bureau.violations(claim.ticket.id, drained=True) == []
