"""Filing tickets, and saying things in their threads."""

import asyncio
from dataclasses import replace

import pytest

from sessions.errors import InputGone, KeysExhausted, NotAllowed, TicketOver
from sessions.events import InputTaken, QuestionFiled, SessionOpened, TicketFiled, WorkerEnded
from sessions.filing import KEY_ATTEMPTS, branch_name
from sessions.models import Attachment, InputKind, InputState, Phase, Role, SessionState, TicketState, Verdict
from sessions.ports import Place
from storage.database import Database
from tests.bureau import Bureau, context, opened


async def test_a_ticket_is_filed_with_thread_session_and_its_first_events(bureau: Bureau) -> None:
    new = bureau.new_ticket()
    ticket = await bureau.service.file(bureau.act(), new)
    assert ticket is not None
    standing = await bureau.service.find_at(bureau.workspace, new.place)
    assert standing is not None
    assert standing.ticket.last_event == 2
    assert standing.session.state is SessionState.QUEUED
    assert standing.session.phase is Phase.RESEARCH
    filed, opened = await bureau.events(ticket.id)
    assert isinstance(filed, TicketFiled)
    assert (filed.key, filed.project, filed.agent, filed.base_branch) == (
        ticket.key,
        "widgets",
        "Scripted agent",
        "main",
    )
    assert isinstance(opened, SessionOpened)
    assert opened.branch == f"viberator/{ticket.key}-fix-billing"
    assert [row["outcome"] for row in await bureau.rows("inbox")] == ["ticket"]


async def test_a_ticket_keeps_the_files_that_came_with_the_request(bureau: Bureau) -> None:
    attachment = Attachment(name="a.txt", blob="b", media_type="text/plain", size_bytes=1)
    new = replace(bureau.new_ticket(), attachments=(attachment,))
    assert await bureau.service.file(bureau.act(), new) is not None
    told = await bureau.desk.bootstrap(context(await bureau.claim()))
    assert told.ticket.attachments == (attachment,)


async def test_the_history_holds_no_credential_of_the_repository(database: Database) -> None:
    async with opened(database, repository="https://bot@corp.example:hunter2@host.example/acme/widgets.git") as bureau:
        ticket = await bureau.file()
        (filed, _) = await bureau.events(ticket.id)
        assert isinstance(filed, TicketFiled)
        assert filed.repository == "https://host.example/acme/widgets.git"


async def test_redelivered_mention_starts_nothing_new(bureau: Bureau) -> None:
    new, act = bureau.new_ticket(), bureau.act(source="m1")
    assert await bureau.service.file(act, new) is not None
    assert (
        await bureau.service.file(act, replace(new, place=Place(installation=new.place.installation, channel="C2")))
        is None
    )
    assert await bureau.count("tickets") == 1


async def test_one_delivery_at_two_replicas_files_one_ticket(bureau: Bureau) -> None:
    new, act = bureau.new_ticket(), bureau.act(source="m1")
    filed = await asyncio.gather(*(bureau.service.file(act, new) for _ in range(4)))
    assert sum(ticket is not None for ticket in filed) == 1


async def test_a_key_that_is_taken_is_drawn_again(bureau: Bureau) -> None:
    bureau.ids.keys[:] = ["taken", "taken", "taken", "fresh"]
    keys = [(await bureau.file()).key for _ in range(2)]
    assert keys == ["taken", "fresh"]


async def test_without_any_free_key_nothing_is_filed(bureau: Bureau) -> None:
    bureau.ids.keys[:] = ["taken"]
    await bureau.file()
    bureau.ids.keys[:] = ["taken"] * KEY_ATTEMPTS * 2
    with pytest.raises(KeysExhausted):
        await bureau.file()
    assert await bureau.count("inbox") == 1


async def test_guests_file_nothing(bureau: Bureau) -> None:
    with pytest.raises(NotAllowed):
        await bureau.service.file(bureau.act(role=Role.GUEST), bureau.new_ticket())
    assert await bureau.count("inbox") == 0


async def test_filing_wakes_whoever_claims_and_delivers(bureau: Bureau) -> None:
    waiting = bureau.signals.subscribe("sessions"), bureau.signals.subscribe("threads")
    await bureau.file()
    assert [await one.wait(time_limit_s=0) for one in waiting] == [True, True]


@pytest.mark.parametrize(
    ("title", "branch"),
    [
        ("Fix the 500 on /api/billing!", "viberator/4f2aa-fix-the-500-on-api-billing"),
        ("Ärger mit Größen", "viberator/4f2aa-arger-mit-groen"),
        ("修复账单", "viberator/4f2aa"),
        ("a" * 60, f"viberator/4f2aa-{'a' * 32}"),
        ("one two three four five six seven eight nine", "viberator/4f2aa-one-two-three-four-five-six"),
    ],
)
def test_branches_are_named_for_the_ticket(title: str, branch: str) -> None:
    assert branch_name("4f2aa", title) == branch


async def test_a_message_waits_for_the_agent(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    heard = await bureau.service.say(bureau.act("lee"), claim.ticket.id, "also fix the tests", source="m7")
    assert heard is not None
    assert (heard.became, heard.ordinal) == ("queued", 1)
    inbound = await bureau.desk.inputs(context(claim), after=0, time_limit_s=0)
    assert [(held.kind, held.text, held.author_name) for held in inbound.inputs] == [
        (InputKind.MESSAGE, "also fix the tests", "lee")
    ]


async def test_a_repeated_message_is_heard_once(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    act = bureau.act(source="m1")
    heard = [await bureau.service.say(act, claim.ticket.id, "hello") for _ in range(2)]
    assert heard[1] is None
    assert await bureau.count("inputs") == 1


async def test_a_message_wakes_a_sleeping_session(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.report(claim, WorkerEnded(reason="idle"))
    assert (await bureau.session(claim)).state is SessionState.ASLEEP
    await bureau.service.say(bureau.act(), claim.ticket.id, "go on")
    assert (await bureau.session(claim)).state is SessionState.QUEUED
    assert (await bureau.kinds(claim.ticket.id))[-2:] == ["input_received", "session_queued"]


async def test_plain_text_answers_the_one_open_question(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.report(claim, QuestionFiled(text="Which one?"))
    heard = await bureau.service.say(bureau.act(), claim.ticket.id, "the first")
    assert heard is not None
    assert (heard.became, heard.ordinal) == ("answer", 1)
    question = (await bureau.standing(claim.ticket.id)).questions[0]
    assert (question.answer, question.answered_by) == ("the first", "dana")
    inbound = await bureau.desk.inputs(context(claim), after=0, time_limit_s=0)
    assert [(held.kind, held.subject, held.text) for held in inbound.inputs] == [(InputKind.ANSWER, 1, "the first")]


async def test_with_two_open_questions_plain_text_is_a_message(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.report(claim, QuestionFiled(text="Which one?"), QuestionFiled(text="And how?"))
    heard = await bureau.service.say(bureau.act(), claim.ticket.id, "the first")
    assert heard is not None
    assert heard.became == "queued"


async def test_an_edit_changes_what_is_queued_and_a_delete_withdraws_it(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.service.say(bureau.act(), claim.ticket.id, "frist", source="m1")
    await bureau.service.say(bureau.act(), claim.ticket.id, "second", source="m2")
    await bureau.service.edit(bureau.act(), claim.ticket.id, source="m1", text="first")
    await bureau.service.withdraw(bureau.act(), claim.ticket.id, source="m2")
    inbound = await bureau.desk.inputs(context(claim), after=0, time_limit_s=0)
    assert [held.text for held in inbound.inputs] == ["first"]
    assert (await bureau.kinds(claim.ticket.id))[-2:] == ["input_edited", "input_withdrawn"]


async def test_what_the_agent_has_cannot_be_taken_back(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.service.say(bureau.act(), claim.ticket.id, "first", source="m1")
    await bureau.report(claim, InputTaken(ordinal=1))
    with pytest.raises(InputGone):
        await bureau.service.withdraw(bureau.act(), claim.ticket.id, ordinal=1)
    with pytest.raises(InputGone):
        await bureau.service.edit(bureau.act(), claim.ticket.id, source="m1", text="other")
    assert (await bureau.standing(claim.ticket.id)).inputs[0].state is InputState.SENT


async def test_withdrawing_what_was_never_said_changes_nothing(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    assert await bureau.service.withdraw(bureau.act(), claim.ticket.id, source="m9") is None
    assert await bureau.service.edit(bureau.act(), claim.ticket.id, source="m9", text="x") is None


async def test_a_rejected_ticket_takes_no_messages_until_it_is_reopened(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.decide(await bureau.document(claim), Verdict.REJECT)
    with pytest.raises(TicketOver):
        await bureau.service.say(bureau.act(source="m1"), claim.ticket.id, "but")
    session = await bureau.service.reopen(bureau.act(), claim.ticket.id)
    assert session is not None
    assert (session.phase, session.ordinal, session.branch) == (Phase.RESEARCH, 2, claim.session.branch)
    assert await bureau.service.say(bureau.act(source="m1"), claim.ticket.id, "but") is not None


async def test_a_message_after_a_good_end_is_a_follow_up_on_the_same_branch(bureau: Bureau) -> None:
    claim = await bureau.at_work(phase=Phase.EXECUTION)
    await bureau.report(claim, WorkerEnded(reason="finished", nothing_to_change=True))
    attachment = Attachment(name="a.txt", blob="b", media_type="text/plain", size_bytes=1)
    heard = await bureau.service.say(bureau.act(), claim.ticket.id, "and the docs", attachments=(attachment,))
    assert heard is not None
    assert heard.became == "follow_up"
    assert (heard.session.phase, heard.session.branch) == (Phase.EXECUTION, claim.session.branch)
    standing = await bureau.standing(claim.ticket.id)
    assert standing.ticket.state is TicketState.OPEN
    assert [(held.session, held.text) for held in standing.inputs] == [(heard.session.id, "and the docs")]
    assert standing.inputs[0].attachments == (attachment,)


async def test_reopening_an_open_ticket_changes_nothing(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    before = await bureau.kinds(claim.ticket.id)
    assert await bureau.service.reopen(bureau.act(), claim.ticket.id) == await bureau.session(claim)
    assert await bureau.kinds(claim.ticket.id) == before


async def test_a_notice_is_an_outcome_too_and_is_given_once(bureau: Bureau) -> None:
    act = bureau.act()
    assert await bureau.service.note(act, "notice")
    assert not await bureau.service.note(act, "notice")


async def test_control_characters_never_reach_the_agent(bureau: Bureau) -> None:
    claim = await bureau.at_work()
    await bureau.service.say(bureau.act(), claim.ticket.id, "a\x00b\u202ec\ud800")
    assert (await bureau.standing(claim.ticket.id)).inputs[0].text == "a␀b[U+202E]c�"
