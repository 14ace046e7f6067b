"""What workers report, hear and publish."""

import asyncio
from pathlib import Path

import pytest

from sessions.errors import FramesMissing, LaunchFenced, LaunchUnknown, PublishRefused
from sessions.events import (
    AgentSaid,
    AgentStarted,
    DocumentSubmitted,
    InputTaken,
    PermissionSettled,
    Published,
    Quarantined,
    QuestionFiled,
    SessionFinished,
    SessionQueued,
    TicketClosed,
    TurnEnded,
    TurnStarted,
    UsageReported,
    WorkerEnded,
)
from sessions.models import (
    Failure,
    FailureKind,
    InputKind,
    InputState,
    LaunchId,
    Phase,
    Publication,
    SessionState,
    SleepReason,
    TicketState,
)
from sessions.ports import LaunchContext
from sessions.scrubbing import Frame
from tests.bureau import SECRET, TOKEN, Bureau, context

BUNDLE = Path("/nowhere/bundle")
SAID = AgentSaid(message="m", text="hello")
ENDED = TurnEnded(turn=1, stop_reason="end_turn")


async def publish(bureau: Bureau, claimed: LaunchContext, branch: str, *, base: str = "main") -> Publication:
    return await bureau.desk.publish(claimed, bundle=BUNDLE, branch=branch, base=base, head="a" * 40)


async def test_a_token_opens_its_own_launch_and_no_other(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    assert await bureau.desk.authenticate(claim.launch.id, TOKEN) == context(claim)
    with pytest.raises(LaunchUnknown):
        await bureau.desk.authenticate(claim.launch.id, "another")
    with pytest.raises(LaunchUnknown):
        await bureau.desk.authenticate(LaunchId(bureau.ids.uuid()), TOKEN)


async def test_a_launch_is_recognised_by_its_own_token_only(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    for _ in range(2):
        assert await bureau.desk.recognise(claim.launch.id, TOKEN) == context(claim)
        with pytest.raises(LaunchUnknown):
            await bureau.desk.recognise(claim.launch.id, "another")
        with pytest.raises(LaunchUnknown):
            await bureau.desk.recognise(LaunchId(bureau.ids.uuid()), TOKEN)


async def test_a_launch_that_is_recognised_changes_nothing_after_its_end(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.desk.recognise(claim.launch.id, TOKEN)
    await bureau.report(claim, WorkerEnded(reason="idle"))
    known = await bureau.desk.recognise(claim.launch.id, TOKEN)
    for frames in ([], [SAID], [InputTaken(ordinal=1)]):
        with pytest.raises(LaunchFenced):
            await bureau.desk.take(known, first=2, frames=frames)
    with pytest.raises(LaunchFenced):
        await bureau.desk.inputs(known, after=0, time_limit_s=5)


async def test_the_token_of_an_ended_launch_is_dead(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.report(claim, WorkerEnded(reason="idle"))
    with pytest.raises(LaunchFenced):
        await bureau.desk.authenticate(claim.launch.id, TOKEN)
    for call in (
        bureau.desk.bootstrap(context(claim)),
        bureau.desk.take(context(claim), first=2, frames=[SAID]),
        bureau.desk.take(context(claim), first=2, frames=[InputTaken(ordinal=1)]),
        bureau.desk.inputs(context(claim), after=0, time_limit_s=5),
        publish(bureau, context(claim), claim.session.branch),
    ):
        with pytest.raises(LaunchFenced):
            await call


async def test_bootstrap_tells_what_the_worker_needs(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    told = await bureau.desk.bootstrap(context(claim))
    assert (told.ticket.key, told.session.id, told.project.name) == (claim.ticket.key, claim.session.id, "widgets")
    assert (told.base, told.start) == ("main", "main")
    assert [recorded.event.kind for recorded in told.history][:2] == ["ticket_filed", "session_opened"]
    assert told.previous is None


@pytest.mark.parametrize("last", [SAID, ENDED])
async def test_frames_are_stored_once_whatever_is_repeated(bureau: Bureau, last: AgentSaid | TurnEnded) -> None:
    claim = await bureau.at_work()
    frames: list[Frame] = [TurnStarted(turn=1, cause="task"), SAID, last]
    take = bureau.desk.take
    assert await take(context(claim), first=1, frames=frames) == 3
    before = await bureau.kinds(claim.ticket.id)
    assert await take(context(claim), first=1, frames=frames) == 3
    assert await take(context(claim), first=2, frames=frames[1:]) == 3
    assert await bureau.kinds(claim.ticket.id) == before


@pytest.mark.parametrize("more", [SAID, ENDED])
async def test_an_overlap_is_trimmed_and_a_gap_refused(bureau: Bureau, more: AgentSaid | TurnEnded) -> None:
    claim = await bureau.at_work()
    await bureau.desk.take(context(claim), first=1, frames=[SAID, SAID])
    assert await bureau.desk.take(context(claim), first=2, frames=[SAID, more]) == 3
    with pytest.raises(FramesMissing) as refused:
        await bureau.desk.take(context(claim), first=5, frames=[more])
    assert refused.value.wanted == 4
    assert (await bureau.kinds(claim.ticket.id))[3:] == ["agent_said", "agent_said", more.kind]


async def test_an_empty_batch_is_no_news(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    assert await bureau.desk.take(context(claim), first=1, frames=[]) == 0


async def test_secrets_and_controls_are_gone_before_anything_is_stored(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.report(claim, AgentSaid(message="m", text=f"\x1b[31m{SECRET}\x00"))
    await bureau.report(claim, DocumentSubmitted(phase=Phase.RESEARCH, markdown=f"# {SECRET}"))
    assert AgentSaid(message="m", text="[redacted]␀") in await bureau.events(claim.ticket.id)
    for table in ("events", "document_revisions", "approvals"):
        assert SECRET not in str([dict(row) for row in await bureau.rows(table)])


async def test_a_secret_in_two_batches_is_found_though_the_second_was_refused_at_first(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.report(claim, AgentSaid(message="m", text=SECRET[:5]))
    rest = [AgentSaid(message="m", text=f"{SECRET[5:]}!")]
    with pytest.raises(FramesMissing):
        await bureau.desk.take(context(claim), first=7, frames=rest)
    await bureau.desk.take(context(claim), first=2, frames=rest)
    assert (await bureau.events(claim.ticket.id))[-1] == AgentSaid(message="m", text="!")


async def test_a_placeholder_stands_for_a_frame_that_could_not_be_read(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    poison = Quarantined(frame=1, size_bytes=10, problem="not JSON")
    assert await bureau.report(claim, poison, SAID) == 2
    assert (await bureau.events(claim.ticket.id))[-2:] == [poison, SAID]


async def test_an_input_that_was_taken_is_not_offered_again(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    for text in ("one", "two"):
        await bureau.service.say(bureau.act(), claim.ticket.id, text)
    await bureau.report(claim, InputTaken(ordinal=1))
    inbound = await bureau.desk.inputs(context(claim), after=0, time_limit_s=0)
    assert [held.text for held in inbound.inputs] == ["two"]
    assert not (await bureau.desk.inputs(context(claim), after=2, time_limit_s=0)).inputs


async def test_whoever_waits_for_inputs_is_woken_by_one(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    waiting = asyncio.create_task(bureau.desk.inputs(context(claim), after=0, time_limit_s=30))
    await asyncio.sleep(0)
    await bureau.service.say(bureau.act(), claim.ticket.id, "hello")
    async with asyncio.timeout(5):
        assert [held.text for held in (await waiting).inputs] == ["hello"]


async def test_whoever_waits_for_inputs_is_told_of_the_end(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    waiting = asyncio.create_task(bureau.desk.inputs(context(claim), after=0, time_limit_s=30))
    await asyncio.sleep(0)
    await bureau.service.discard(bureau.act(), claim.ticket.id)
    async with asyncio.timeout(5):
        assert (await waiting).over


async def test_usage_is_added_up(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.report(claim, UsageReported(input_tokens=10, output_tokens=1), UsageReported(input_tokens=5))
    assert [(row["input_tokens"], row["output_tokens"]) for row in await bureau.rows("usage")] == [(15, 1)]


async def test_nothing_to_change_is_a_good_end(bureau: Bureau) -> None:
    claim = await bureau.at_work(phase=Phase.EXECUTION)
    await bureau.report(claim, WorkerEnded(reason="finished", nothing_to_change=True, words="It is right already."))
    standing = await bureau.standing(claim.ticket.id)
    assert (standing.session.state, standing.ticket.state) == (SessionState.DONE, TicketState.DONE)
    assert (await bureau.events(claim.ticket.id))[-2:] == [
        SessionFinished(outcome="nothing_to_change", words="It is right already."),
        TicketClosed(state=TicketState.DONE),
    ]
    assert await bureau.violations(claim.ticket.id, drained=True) == []


async def test_a_message_against_the_end_is_never_lost(bureau: Bureau) -> None:
    claim = await bureau.at_work(phase=Phase.EXECUTION)
    await asyncio.gather(
        bureau.service.say(bureau.act(), claim.ticket.id, "and the docs"),
        bureau.report(claim, WorkerEnded(reason="finished", nothing_to_change=True)),
    )
    standing = await bureau.standing(claim.ticket.id)
    assert standing.ticket.state is TicketState.OPEN
    assert standing.session.state is SessionState.QUEUED
    waiting = await bureau.desk.inputs(context(await bureau.claim()), after=0, time_limit_s=0)
    assert [held.text for held in waiting.inputs] == ["and the docs"]


async def test_a_worker_that_leaves_without_its_work_is_lost(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.report(claim, WorkerEnded(reason="finished"))
    assert (await bureau.kinds(claim.ticket.id))[-3:] == ["worker_ended", "launch_lost", "session_queued"]
    assert (await bureau.session(claim)).losses == 1


async def test_a_terminated_worker_goes_on_at_the_next_start(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.report(claim, WorkerEnded(reason="terminated"))
    assert (await bureau.events(claim.ticket.id))[-1] == SessionQueued(cause="restart")
    assert (await bureau.claim()).launch.fence == 2


async def test_a_terminated_worker_that_waited_sleeps_until_somebody_speaks(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.report(claim, QuestionFiled(text="Which?"), WorkerEnded(reason="terminated"))
    session = await bureau.session(claim)
    assert (session.state, session.reason) == (SessionState.ASLEEP, SleepReason.INTERRUPTED)
    await bureau.service.answer(bureau.act(), claim.ticket.id, 1, "the first")
    assert (await bureau.session(claim)).state is SessionState.QUEUED


async def test_a_message_that_came_while_the_worker_fell_asleep_wakes_the_session(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.service.say(bureau.act(), claim.ticket.id, "one more thing")
    await bureau.report(claim, WorkerEnded(reason="idle"))
    assert (await bureau.session(claim)).state is SessionState.QUEUED


async def test_a_failed_worker_is_not_started_again_by_what_is_queued(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.service.say(bureau.act(), claim.ticket.id, "one more thing")
    failure = Failure(kind=FailureKind.AGENT_MISSING, detail="no such program")
    await bureau.report(claim, WorkerEnded(reason="failed", failure=failure))
    session = await bureau.session(claim)
    assert (session.state, session.reason) == (SessionState.ASLEEP, SleepReason.FAILED)
    assert await bureau.service.retry(bureau.act(), claim.ticket.id) is not None
    assert (await bureau.session(claim)).state is SessionState.QUEUED


async def test_a_stop_is_heard_and_carried_out(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    for _ in range(2):
        await bureau.service.stop(bureau.act(), claim.ticket.id)
    inbound = await bureau.desk.inputs(context(claim), after=0, time_limit_s=0)
    assert [held.kind for held in inbound.inputs] == [InputKind.STOP]
    await bureau.report(claim, InputTaken(ordinal=1), WorkerEnded(reason="stopped"))
    session = await bureau.session(claim)
    assert (session.state, session.reason) == (SessionState.ASLEEP, SleepReason.STOPPED)
    assert (await bureau.kinds(claim.ticket.id)).count("stop_requested") == 1
    assert [row["state"] for row in await bureau.rows("inputs")] == [InputState.SENT]


async def test_a_message_before_the_stop_waits_for_resume_and_one_after_it_wakes(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.service.say(bureau.act(), claim.ticket.id, "before")
    await bureau.service.stop(bureau.act(), claim.ticket.id)
    await bureau.report(claim, WorkerEnded(reason="stopped"))
    assert (await bureau.session(claim)).state is SessionState.ASLEEP
    await bureau.service.resume(bureau.act(), claim.ticket.id)
    claim = await bureau.claim()
    await bureau.service.stop(bureau.act(), claim.ticket.id)
    await bureau.service.say(bureau.act(), claim.ticket.id, "after")
    await bureau.report(claim, WorkerEnded(reason="stopped"))
    assert (await bureau.session(claim)).state is SessionState.QUEUED


async def test_a_worker_that_was_terminated_over_a_stop_has_stopped(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.service.stop(bureau.act(), claim.ticket.id)
    await bureau.report(claim, WorkerEnded(reason="terminated"))
    assert (await bureau.session(claim)).reason is SleepReason.STOPPED


async def test_a_stop_before_the_launch_puts_the_session_to_sleep(bureau: Bureau) -> None:
    ticket = await bureau.file()
    session = await bureau.service.stop(bureau.act(), ticket.id)
    assert session is not None
    assert session.reason is SleepReason.STOPPED
    assert await bureau.try_claim() is None


async def test_after_the_end_frames_are_history_and_change_nothing(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.service.discard(bureau.act(), claim.ticket.id)
    late = (
        AgentStarted(agent="late"),
        SAID,
        QuestionFiled(text="?"),
        DocumentSubmitted(phase=Phase.RESEARCH, markdown="late"),
        PermissionSettled(request="r", outcome="allowed"),
        WorkerEnded(reason="stopped"),
    )
    await bureau.report(claim, *late)
    assert (await bureau.kinds(claim.ticket.id))[-4:] == [
        "agent_started",
        "agent_said",
        "permission_settled",
        "worker_ended",
    ]
    assert (await bureau.session(claim)).state is SessionState.DISCARDED
    assert await bureau.violations(claim.ticket.id, drained=True) == []


async def test_publishing_is_told_once_and_ends_the_work(bureau: Bureau) -> None:
    claim = await bureau.at_work(phase=Phase.EXECUTION)
    published = [await publish(bureau, context(claim), claim.session.branch) for _ in range(2)]
    assert published[0] == published[1]
    assert bureau.host.pushed == ["a" * 40]
    await bureau.report(claim, WorkerEnded(reason="finished"))
    kinds = await bureau.kinds(claim.ticket.id)
    assert kinds[-4:] == ["published", "session_finished", "ticket_closed", "worker_ended"]
    assert await bureau.violations(claim.ticket.id, drained=True) == []


async def test_a_follow_up_starts_at_what_was_published(bureau: Bureau) -> None:
    claim = await bureau.at_work(phase=Phase.EXECUTION)
    await publish(bureau, context(claim), claim.session.branch)
    await bureau.report(claim, WorkerEnded(reason="finished"))
    await bureau.service.follow_up(bureau.act(), claim.ticket.id, "and the docs")
    told = await bureau.desk.bootstrap(context(await bureau.claim()))
    assert (told.base, told.start) == ("main", claim.session.branch)


async def test_a_message_during_the_push_begins_another_session(bureau: Bureau) -> None:
    claim = await bureau.at_work(phase=Phase.EXECUTION)
    bureau.host.hold = asyncio.Event()
    pushing = asyncio.create_task(publish(bureau, context(claim), claim.session.branch))
    await bureau.host.pushing.wait()
    await bureau.service.say(bureau.act(), claim.ticket.id, "wait")
    bureau.host.hold.set()
    await pushing
    standing = await bureau.standing(claim.ticket.id)
    assert standing.ticket.state is TicketState.OPEN
    assert [session.state for session in standing.sessions] == [SessionState.DONE, SessionState.QUEUED]


async def test_what_was_pushed_is_told_even_if_the_session_was_discarded_meanwhile(bureau: Bureau) -> None:
    claim = await bureau.at_work(phase=Phase.EXECUTION)
    bureau.host.hold = asyncio.Event()
    pushing = asyncio.create_task(publish(bureau, context(claim), claim.session.branch))
    await bureau.host.pushing.wait()
    await bureau.service.discard(bureau.act(), claim.ticket.id)
    bureau.host.hold.set()
    await pushing
    assert isinstance((await bureau.events(claim.ticket.id))[-1], Published)
    assert (await bureau.session(claim)).state is SessionState.DISCARDED


async def test_only_the_sessions_own_branch_is_published(bureau: Bureau) -> None:
    claim = await bureau.at_work(phase=Phase.EXECUTION)
    with pytest.raises(PublishRefused):
        await publish(bureau, context(claim), "main")
    assert bureau.host.pushed == []


async def test_a_branch_is_looked_at_from_the_base_it_is_meant_for(bureau: Bureau) -> None:
    claim = await bureau.at_work(phase=Phase.EXECUTION)
    with pytest.raises(PublishRefused):
        await publish(bureau, context(claim), claim.session.branch, base="somebody/elses")
    assert bureau.host.pushed == []


@pytest.mark.parametrize("phase", [Phase.RESEARCH, Phase.PLANNING])
async def test_nothing_is_published_before_execution(bureau: Bureau, phase: Phase) -> None:
    claim = await bureau.at_work(phase=phase)
    with pytest.raises(PublishRefused):
        await publish(bureau, context(claim), claim.session.branch)
    assert bureau.host.pushed == []


async def test_nothing_is_published_after_somebody_said_stop(bureau: Bureau) -> None:
    claim = await bureau.at_work(phase=Phase.EXECUTION)
    await bureau.service.stop(bureau.act(), claim.ticket.id)
    with pytest.raises(LaunchFenced):
        await publish(bureau, context(claim), claim.session.branch)
    assert bureau.host.pushed == []


async def test_a_refused_push_leaves_the_session_as_it_is(bureau: Bureau) -> None:
    claim = await bureau.at_work(phase=Phase.EXECUTION)
    bureau.host.trouble = PublishRefused(FailureKind.HOST_REFUSED, "403")
    before = await bureau.kinds(claim.ticket.id)
    with pytest.raises(PublishRefused):
        await publish(bureau, context(claim), claim.session.branch)
    assert await bureau.kinds(claim.ticket.id) == before
    bureau.host.trouble = None
    await publish(bureau, context(claim), claim.session.branch)
