"""What people write and press in a thread, all the way to the database and back to the cards."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from conversations.errors import InstallationUnknown
from conversations.intake import Intake
from conversations.messages import Form
from conversations.models import Change, IncomingMessage
from sessions.events import InputTaken, QuestionFiled, WorkerEnded
from sessions.models import (
    ApprovalState,
    Failure,
    FailureKind,
    InputState,
    Phase,
    ProjectId,
    Role,
    SessionState,
    TicketState,
)
from sessions.ports import Claim
from storage.registry import Registry
from tests.bureau import Bureau
from tests.room import Room, words


@pytest.fixture
def room(bureau: Bureau) -> Room:
    return Room.open(bureau)


async def test_request_becomes_a_ticket_and_its_root_card(room: Room) -> None:
    assert await room.say("@viberator Fix the failing billing test\nSince Tuesday.") is None
    ticket = (await room.standing()).ticket
    assert (ticket.title, ticket.description) == (
        "Fix the failing billing test",
        "Fix the failing billing test\nSince Tuesday.",
    )
    assert room.outlet.posts == ["root"]
    assert room.text("root").startswith("🛠 Fix the failing billing test · ⏳ Research 1/3, queued")


async def test_redelivered_message_starts_nothing_new(room: Room) -> None:
    await room.say("Fix it", message_id="m1")
    await room.say("Fix it", message_id="m1")
    assert await room.bureau.count("tickets") == 1
    assert await room.bureau.count("inputs") == 0


async def test_of_two_first_messages_one_is_the_request_and_the_other_is_for_its_agent(room: Room) -> None:
    await asyncio.gather(room.intake_only("Fix it"), room.intake_only("The billing test, I mean"))
    assert await room.bureau.count("tickets") == 1
    standing = await room.standing()
    said = {standing.ticket.title, *(held.text for held in standing.inputs)}
    assert said == {"Fix it", "The billing test, I mean"}


async def test_words_decide_nothing_that_was_not_shown_yet(room: Room) -> None:
    await room.say("fix it")
    claim = await room.bureau.claim()
    await room.bureau.document(claim, "# One")
    await room.catch_up()
    await room.bureau.document(claim, "# Two")
    assert "Please look at it first" in await room.hint("approve")
    states = [approval.state for approval in (await room.standing()).approvals]
    assert states == [ApprovalState.LAPSED, ApprovalState.PENDING]
    await room.say("approve")
    assert (await room.standing()).approvals[-1].state is ApprovalState.APPROVED


async def test_a_thread_with_a_ticket_takes_no_second_one(room: Room) -> None:
    form = await room.say("/viberator")
    assert isinstance(form, Form)
    await room.say("Fix it")
    assert "has a ticket already" in words(await room.fill(title="Fix the other"))
    assert "has a ticket already" in await room.hint("/viberator Fix the other")
    assert await room.bureau.count("tickets") == 1


async def test_each_thread_has_its_own_ticket(room: Room) -> None:
    await room.say("Fix it")
    await room.elsewhere("t2").say("Fix the other")
    assert await room.bureau.count("tickets") == 2


async def test_inline_options_choose_phase_and_branch(room: Room) -> None:
    await room.say("[phase=execution branch=dev] fix it")
    ticket = (await room.standing()).ticket
    assert (ticket.phase, ticket.base_branch) == (Phase.EXECUTION, "dev")


async def test_options_that_make_no_sense_start_nothing(room: Room) -> None:
    assert "phase=lunch" in await room.hint("fix it [phase=lunch]")
    assert "no project “nope”" in await room.hint("fix it [repo=nope]")
    assert "no agent “kimi”" in await room.hint("fix it [agent=kimi]")
    assert await room.bureau.count("tickets") == 0


async def test_among_several_projects_nothing_is_guessed(room: Room) -> None:
    await second_project(room)
    form = await room.say("fix it")
    assert isinstance(form, Form)
    assert await room.bureau.count("tickets") == 0
    await room.fill(title="fix it", project="gadgets")
    assert (await room.standing()).project.name == "gadgets"


async def test_named_project_is_taken_by_name_or_repository(room: Room) -> None:
    await second_project(room)
    await room.say("fix it [repo=Gadgets]")
    other = room.elsewhere("t2")
    await other.say("fix it [repo=widgets]")
    assert ((await room.standing()).project.name, (await other.standing()).project.name) == ("gadgets", "widgets")


async def test_bound_channel_decides_among_projects(room: Room) -> None:
    gadgets = await second_project(room)

    class Bound:
        async def project_of(self, place: object) -> ProjectId | None:
            return gadgets

    installation = room.bureau.installation
    intake = Intake(room.bureau.service, room.threads, installations={installation.id: installation}, bindings=Bound())
    await intake.message(message(room, "fix it"))
    assert (await room.standing()).project.name == "gadgets"


async def test_form_files_a_ticket(room: Room) -> None:
    form = await room.say("/viberator fix the build")
    assert isinstance(form, Form)
    assert {field.name: field.value for field in form.fields}["title"] == "fix the build"
    await room.fill(title="Fix the build", description="It is red.", phase="planning", severity="urgent")
    ticket = (await room.standing()).ticket
    assert (ticket.title, ticket.phase, ticket.severity) == ("Fix the build", Phase.PLANNING, "urgent")


async def test_guest_may_start_nothing_and_is_told(room: Room) -> None:
    answer = await room.say("fix it", name="gus", role=Role.GUEST)
    assert words(answer) == "Only members of the workspace may file a ticket here."
    assert await room.bureau.count("tickets") == 0


async def test_what_people_say_to_each_other_is_theirs(room: Room) -> None:
    await room.say("fix it")
    assert await room.intake.message(replace(message(room, "lunch?"), addressed=False)) is None
    assert await room.bureau.count("inbox") == 1


async def test_stranger_installation_is_refused(room: Room) -> None:
    with pytest.raises(InstallationUnknown):
        await Intake(room.bureau.service, room.threads, installations={}).message(message(room, "hello"))


# ── while an agent works ────────────────────────────────────────────────────────────────────────────────────────────


async def test_message_to_a_busy_agent_is_queued_and_can_be_removed(room: Room) -> None:
    await at_work(room)
    assert (await room.hint("Cover leap years too", name="lee")).startswith("Queued")
    assert "⏳ queued from @lee: Cover leap years too" in room.text("progress/1")
    await room.press("Remove", slot="progress/1")
    assert "queued" not in room.text("progress/1")
    assert [one.state for one in (await room.standing()).inputs] == [InputState.WITHDRAWN]


async def test_edit_changes_and_deletion_withdraws_what_is_queued(room: Room) -> None:
    claim = await at_work(room)
    await room.say("Cover leap yeras", message_id="q1")
    await room.say("@viberator Cover leap years", message_id="q1", change=Change.EDITED)
    assert "⏳ queued from @dana: Cover leap years\n" in room.text("progress/1")
    await room.say("", message_id="q1", change=Change.DELETED)
    assert "queued" not in room.text("progress/1")
    await room.say("Another", message_id="q2")
    await room.bureau.report(claim, InputTaken(ordinal=2))
    late = await room.say("Another one", message_id="q2", change=Change.EDITED)
    assert words(late) == "That message was handed to the agent already."


async def test_edited_request_starts_no_second_ticket(room: Room) -> None:
    await room.say("fix it", message_id="m1")
    await room.say("fix that", message_id="m1", change=Change.EDITED)
    assert await room.bureau.count("tickets") == 1
    assert await room.bureau.count("inputs") == 0


async def test_question_is_answered_by_a_button_by_words_or_by_a_form(room: Room) -> None:
    claim = await at_work(room)
    await room.bureau.report(claim, QuestionFiled(text="Which one?", options=("First", "Second")))
    await room.catch_up()
    await room.press("Second", slot="question/1")
    assert "→ Second\nAnswered by @dana" in room.text("question/1")
    await room.bureau.report(claim, QuestionFiled(text="Sure?"))
    await room.catch_up()
    await room.say("quite sure", name="lee")
    assert "→ quite sure" in room.text("question/2")
    await room.bureau.report(claim, QuestionFiled(text="Really?"))
    await room.catch_up()
    assert isinstance(await room.press("Answer…", slot="question/3"), Form)
    await room.fill(text="Really.")
    assert "→ Really." in room.text("question/3")


async def test_second_answer_hears_who_was_first(room: Room) -> None:
    claim = await at_work(room)
    await room.bureau.report(claim, QuestionFiled(text="Which one?", options=("First", "Second")))
    await room.catch_up()
    second = room.encoded("Second", slot="question/1")
    await room.press("First", slot="question/1")
    assert words(await room.press_encoded(second, name="lee")) == "@dana has answered that already."


async def test_commands_stop_and_tell(room: Room) -> None:
    await at_work(room)
    assert "the agent works" in await room.hint("!status")
    assert "!stop" in await room.hint("!help")
    assert await room.hint("!stpo") == "I know no !stpo. Did you mean !stop?"
    assert await room.hint("!diff") == "Nothing is pushed yet. The steps so far are in the progress card."
    assert await room.say("!stop", name="lee") is None
    assert "stopping…" in room.text("root")


async def test_command_without_a_ticket_says_so(room: Room) -> None:
    assert (await room.hint("!stop")).startswith("There is no ticket in this thread")
    await room.say("fix it")
    key = (await room.standing()).ticket.key
    assert await room.elsewhere("t9").hint(f"!status {key}") == f"{key} · Research: queued"


async def test_stopped_session_is_resumed_or_discarded(room: Room) -> None:
    claim = await at_work(room)
    await room.press("Stop", slot="root")
    await room.bureau.report(claim, WorkerEnded(reason="stopped"))
    await room.catch_up()
    await room.press("Resume", slot="stopped/1")
    assert (await room.standing()).session.state is SessionState.QUEUED
    assert "Resumed by @dana" in room.text("stopped/1")
    await room.press("Stop", slot="root")
    assert isinstance(await room.press("Discard", slot="root"), Form)
    assert words(await room.fill(sure="no")) == "Kept: nothing was thrown away."
    await room.fill(sure="yes")
    assert (await room.standing()).ticket.state is TicketState.REJECTED


async def test_typed_discard_wants_the_key(room: Room) -> None:
    await at_work(room)
    key = (await room.standing()).ticket.key
    assert f"!discard {key}" in await room.hint("!discard")
    await room.say(f"!discard {key}")
    assert (await room.standing()).session.state is SessionState.DISCARDED


async def test_failure_is_told_with_details_and_retried(room: Room) -> None:
    claim = await at_work(room)
    failure = Failure(kind=FailureKind.AGENT_CRASHED, detail="exit code 3", last_words="Segmentation fault")
    await room.bureau.report(claim, WorkerEnded(reason="failed", failure=failure))
    await room.catch_up()
    assert "The agent's program ended by itself\nexit code 3" in room.text("error/1")
    assert words(await room.press("Details", slot="error/1")) == "exit code 3\nSegmentation fault"
    await room.press("Retry", slot="error/1")
    assert (await room.standing()).session.state is SessionState.QUEUED
    assert "[Retry]" not in room.text("error/1")


# ── decisions ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_approved_document_starts_the_next_phase(room: Room) -> None:
    await documented(room)
    assert await room.press("Approve & plan", slot="approval/1") is None
    assert "Approved by @dana" in room.text("approval/1")
    assert (await room.standing()).session.phase is Phase.PLANNING
    assert "Research ✓" in room.text("root")


async def test_typed_word_decides_too(room: Room) -> None:
    await documented(room)
    await room.say("approve")
    assert (await room.standing()).approvals[0].state is ApprovalState.APPROVED


async def test_typed_condition_sends_it_back(room: Room) -> None:
    await documented(room)
    await room.say("approve, but look at leap years")
    standing = await room.standing()
    assert standing.approvals[0].state is ApprovalState.CHANGES_REQUESTED
    assert standing.approvals[0].comment == "but look at leap years"


async def test_changes_are_asked_for_in_a_form(room: Room) -> None:
    await documented(room)
    assert isinstance(await room.press("Request changes", slot="approval/1"), Form)
    await room.fill(text="Look at leap years.")
    assert "“Look at leap years.”\nChanges requested by @dana" in room.text("approval/1")


async def test_second_click_hears_who_was_first_and_when(room: Room) -> None:
    await documented(room)
    reject = room.encoded("Reject", slot="approval/1")
    await room.press("Approve & plan", slot="approval/1")
    assert words(await room.press_encoded(reject)) == "Already decided: approved by @dana at 12:00 UTC."


async def test_stale_card_approves_nothing(room: Room) -> None:
    claim = await documented(room)
    approve = room.encoded("Approve & plan", slot="approval/1")
    await room.bureau.document(claim, "# Findings\n\nIt is something else.")
    await room.catch_up()
    assert words(await room.press_encoded(approve)).startswith("That is not asked any more")
    assert "The research is now v2." in room.text("approval/1")
    assert "v2 is the newest" in await room.hint("approve v1")
    assert [one.state for one in (await room.standing()).approvals] == [ApprovalState.LAPSED, ApprovalState.PENDING]


async def test_only_deciders_decide(room: Room) -> None:
    await documented(room)
    assert words(await room.press("Approve & plan", slot="approval/1", name="lee")) == "Only @dana may decide here."
    assert await room.hint("approve", name="lee") == "Only @dana may decide here."
    assert (await room.standing()).approvals[0].state is ApprovalState.PENDING


async def test_deciders_that_the_project_names_decide_in_place_of_the_requester(room: Room) -> None:
    named = replace(room.bureau.project, deciders=("slack:U-lee", "discord:U-dana"))
    await Registry(room.bureau.database).put_project(named)
    await documented(room)
    assert "Deciders: @U-lee" in room.text("approval/1")
    assert words(await room.press("Approve & plan", slot="approval/1")) == "Only @U-lee may decide here."
    await room.press("Approve & plan", slot="approval/1", name="lee")
    assert "Approved by @lee" in room.text("approval/1")


async def test_a_person_is_of_the_platform_that_the_installation_belongs_to(room: Room) -> None:
    person = replace(room.bureau.person(), platform="elsewhere")
    await room.intake.message(replace(message(room, "fix it"), person=person))
    assert (await room.standing()).ticket.requester.platform == "slack"


async def test_among_several_decisions_a_word_decides_none(room: Room) -> None:
    claim = await documented(room)
    await room.bureau.permission(claim)
    await room.catch_up()
    assert (await room.hint("approve")).startswith("Several things wait")
    await room.press("Allow once", slot="approval/2")
    assert "Approved by @dana" in room.text("approval/2")


async def test_rejected_ticket_takes_nothing_until_it_is_reopened(room: Room) -> None:
    await documented(room)
    await room.say("reject because we drop it anyway")
    assert "✗ Rejected" in room.text("root")
    assert "is rejected" in await room.hint("one more thing")
    await room.press("Reopen", slot="root")
    assert (await room.standing()).ticket.state is TicketState.OPEN


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def message(room: Room, text: str) -> IncomingMessage:
    return IncomingMessage(
        place=room.place,
        message_id="x1",
        person=room.bureau.person(),
        text=text,
        at=datetime(2026, 11, 20, tzinfo=UTC),
    )


async def at_work(room: Room) -> Claim:
    await room.say("fix it")
    claim = await room.bureau.claim()
    await room.catch_up()
    return claim


async def documented(room: Room) -> Claim:
    claim = await at_work(room)
    await room.bureau.document(claim)
    await room.catch_up()
    return claim


async def second_project(room: Room) -> ProjectId:
    project = replace(
        room.bureau.project,
        id=ProjectId(UUID(int=4)),
        name="gadgets",
        repository="https://host.example/acme/gadgets.git",
    )
    stored = await Registry(room.bureau.database).put_project(project)
    assert stored is not None
    return stored.id
