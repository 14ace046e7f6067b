"""One workspace's transactions."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sessions.errors import LaunchFenced, LaunchUnknown, ProjectUnknown, SessionUnknown, TicketUnknown
from sessions.models import (
    Approval,
    ApprovalKind,
    ApprovalState,
    Attachment,
    Digest,
    Document,
    Input,
    InputKind,
    InputState,
    LaunchId,
    Phase,
    ProjectId,
    Question,
    Session,
    SessionId,
    SessionState,
    Severity,
    SleepReason,
    ThreadId,
    Ticket,
    TicketId,
    TicketState,
    Verdict,
)
from sessions.ports import Entry, InboxKey, Place
from storage.errors import ConstraintBroken
from tests.storage.estate import Estate, said


async def test_what_was_said_is_admitted_once(estate: Estate) -> None:
    key = InboxKey(installation=estate.installation.id, source="C1/100.1")
    async with estate.ledger.transaction(estate.workspace) as change:
        assert await change.admit(key)
        await change.settle(key, "ticket")
    async with estate.ledger.transaction(estate.workspace) as change:
        assert not await change.admit(key)


async def test_a_transaction_that_raises_leaves_nothing(estate: Estate) -> None:
    key = InboxKey(installation=estate.installation.id, source="C1/100.1")

    async def admit_and_fail() -> None:
        async with estate.ledger.transaction(estate.workspace) as change:
            await change.admit(key)
            raise TicketUnknown("aaaaa")

    with pytest.raises(TicketUnknown):
        await admit_and_fail()
    async with estate.ledger.transaction(estate.workspace) as change:
        assert await change.admit(key)


async def test_a_taken_key_writes_no_ticket(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    async with estate.ledger.transaction(estate.workspace) as change:
        assert not await change.add_ticket(replace(ticket, id=TicketId(estate.new_id())))


async def test_a_ticket_comes_back_as_it_was_filed(estate: Estate) -> None:
    ticket = await estate.file("aaaaa", severity=Severity.HIGH)
    async with estate.ledger.transaction(estate.workspace) as change:
        assert await change.lock_ticket(ticket.id) == ticket
        assert await change.find_ticket("aaaaa") == ticket
        assert await change.find_ticket("bbbbb") is None
        await change.put_ticket(replace(ticket, state=TicketState.DONE, title="Done"))
        assert await change.lock_ticket(ticket.id) == replace(ticket, state=TicketState.DONE, title="Done")


async def test_a_ticket_is_found_by_the_place_of_its_thread(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    place = Place(installation=estate.installation.id, channel="C1", thread="t-aaaaa")
    async with estate.ledger.transaction(estate.workspace) as change:
        assert await change.ticket_at(place) == ticket.id
        assert await change.ticket_at(replace(place, thread="t-other")) is None
        assert await change.ticket_at(replace(place, thread=None)) is None


async def test_one_place_is_one_tickets_thread(estate: Estate) -> None:
    await estate.file("aaaaa")
    other = await estate.file("bbbbb")
    place = Place(installation=estate.installation.id, channel="C1", thread="t-aaaaa")
    with pytest.raises(ConstraintBroken) as broken:
        async with estate.ledger.transaction(estate.workspace) as change:
            await change.add_thread(ThreadId(estate.new_id()), other.id, place)
    assert broken.value.constraint == "threads_one_ticket_per_place"


async def test_events_are_numbered_within_their_ticket(estate: Estate) -> None:
    first, second = await estate.file("aaaaa"), await estate.file("bbbbb")
    session = await session_of(estate, first)
    async with estate.ledger.transaction(estate.workspace) as change:
        one = [Entry(event=said("one"), session=session.id), Entry(event=said("two"))]
        assert await change.append(first.id, one) == 2
        assert await change.append(second.id, [Entry(event=said("one"))]) == 1
        assert await change.append(first.id, [Entry(event=said("three"))]) == 3
        recorded = await change.history(first.id)
        assert [(entry.position, entry.session, entry.event) for entry in recorded] == [
            (1, 1, said("one")),
            (2, None, said("two")),
            (3, None, said("three")),
        ]
        assert await change.history(first.id, after=2) == recorded[2:]
        assert (await change.lock_ticket(first.id)).last_event == 3


async def test_appending_to_no_ticket_is_an_error(estate: Estate) -> None:
    with pytest.raises(TicketUnknown):
        async with estate.ledger.transaction(estate.workspace) as change:
            await change.append(TicketId(estate.new_id()), [Entry(event=said("one"))])


async def test_a_frames_part_is_stored_once(estate: Estate) -> None:
    await estate.file("aaaaa")
    claim = await estate.claim()
    entry = Entry(event=said("one"), session=claim.session.id, launch=claim.launch.id, frame=1)
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.append(claim.ticket.id, [entry, replace(entry, part=1)])
    with pytest.raises(ConstraintBroken) as broken:
        async with estate.ledger.transaction(estate.workspace) as change:
            await change.append(claim.ticket.id, [entry])
    assert broken.value.constraint == "events_frame_stored_once"


async def test_text_that_postgres_cannot_hold_is_stored_with_a_sign_in_its_place(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.append(ticket.id, [Entry(event=said("a\x00b\ud800c \\u0000"))])
        await change.put_ticket(replace(ticket, title="a\x00b"))
        (recorded,) = await change.history(ticket.id)
        assert recorded.event == said("a␀b�c \\u0000")
        assert (await change.lock_ticket(ticket.id)).title == "a␀b"


async def test_a_session_comes_back_as_it_was_put(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    session = await session_of(estate, ticket)
    asleep = replace(session, state=SessionState.ASLEEP, reason=SleepReason.IDLE, losses=2)
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.put_session(asleep)
        assert await change.get_session(session.id) == asleep
        with pytest.raises(SessionUnknown):
            await change.get_session(SessionId(estate.new_id()))


async def test_one_live_session_a_lane(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    with pytest.raises(ConstraintBroken) as broken:
        async with estate.ledger.transaction(estate.workspace) as change:
            await change.add_session(estate.session(ticket, ordinal=2))
    assert broken.value.constraint == "sessions_one_live_per_lane"


async def test_a_lane_is_free_after_its_session_ended(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    session = await session_of(estate, ticket)
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.put_session(replace(session, state=SessionState.DONE))
        assert await change.next_ordinal(ticket.id, "sessions") == 2
        await change.add_session(estate.session(ticket, ordinal=2))
        assert [known.ordinal for known in await change.sessions(ticket.id)] == [1, 2]


async def test_frames_are_taken_in_their_order_by_a_live_launch(estate: Estate) -> None:
    await estate.file("aaaaa")
    launch = (await estate.claim()).launch
    async with estate.ledger.transaction(estate.workspace) as change:
        assert await change.take_frames(launch.id, first=1, last=3) == 3
        assert await change.take_frames(launch.id, first=1, last=3) == 3
        assert await change.take_frames(launch.id, first=6, last=9) == 3
        await change.end_launch(launch.id)
        with pytest.raises(LaunchFenced):
            await change.take_frames(launch.id, first=4, last=4)
        with pytest.raises(LaunchUnknown):
            await change.take_frames(LaunchId(estate.new_id()), first=1, last=1)
        assert await change.live_launch(launch.session) is None
        assert [(known.id, known.last_frame) for known in await change.launches(launch.session)] == [(launch.id, 3)]


async def test_documents_come_back_by_phase_and_revision(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    written = [
        Document(phase=phase, revision=revision, author="agent", markdown="# Text", digest=Digest("d" * 64))
        for phase, revision in ((Phase.PLANNING, 1), (Phase.RESEARCH, 2), (Phase.RESEARCH, 1))
    ]
    async with estate.ledger.transaction(estate.workspace) as change:
        for document in written:
            await change.add_document(ticket.id, document)
        assert await change.documents(ticket.id) == written[::-1]
        assert await change.documents(ticket.id, Phase.PLANNING) == written[:1]


async def test_an_approval_comes_back_as_it_was_decided(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    session = await session_of(estate, ticket)
    approval = Approval(
        ticket=ticket.id,
        session=session.id,
        ordinal=1,
        kind=ApprovalKind.PERMISSION,
        subject="req-1",
        title="Run make",
        digest=Digest("d"),
        deciders=("U1",),
        offers=(Verdict.APPROVE, Verdict.REJECT),
        grant="g",
    )
    decided = replace(
        approval,
        state=ApprovalState.APPROVED,
        decided_by="U1",
        decided_at=datetime(2026, 11, 20, 12, 5, tzinfo=UTC),
        comment="go",
    )
    async with estate.ledger.transaction(estate.workspace) as change:
        assert await change.next_ordinal(ticket.id, "approvals") == 1
        await change.add_approval(approval)
        assert await change.next_ordinal(ticket.id, "approvals") == 2
        assert await change.approvals(ticket.id) == [approval]
        await change.put_approval(decided)
        assert await change.approvals(ticket.id) == [decided]


async def test_a_question_comes_back_as_it_was_answered(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    session = await session_of(estate, ticket)
    question = Question(ticket=ticket.id, session=session.id, ordinal=1, text="Which?", options=("a", "b"))
    answered = replace(question, answered_by="dana", answer="a")
    async with estate.ledger.transaction(estate.workspace) as change:
        assert await change.next_ordinal(ticket.id, "questions") == 1
        await change.add_question(question)
        await change.put_question(answered)
        assert await change.questions(ticket.id) == [answered]


async def test_an_input_is_found_by_its_source_and_changed(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    session = await session_of(estate, ticket)
    attachment = Attachment(name="log.txt", blob="b1", media_type="text/plain", size_bytes=3)
    queued = Input(
        ticket=ticket.id,
        session=session.id,
        ordinal=1,
        kind=InputKind.MESSAGE,
        author="U1",
        author_name="dana",
        text="And the docs.",
        attachments=(attachment,),
    )
    decision = replace(queued, ordinal=2, kind=InputKind.DECISION, subject=1, verdict=Verdict.APPROVE, attachments=())
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.add_input(queued, source="C1/100.2")
        await change.add_input(decision)
        assert await change.next_ordinal(ticket.id, "inputs") == 3
        assert await change.find_input(ticket.id, source="C1/100.2") == queued
        await change.put_input(replace(queued, text="And the tests."))
        await change.set_input_state(ticket.id, 2, InputState.SENT)
        assert await change.inputs(session.id) == [
            replace(queued, text="And the tests."),
            replace(decision, state=InputState.SENT),
        ]


async def test_a_source_is_one_input(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    session = await session_of(estate, ticket)
    said_once = Input(
        ticket=ticket.id, session=session.id, ordinal=1, kind=InputKind.MESSAGE, author="U1", author_name="dana"
    )
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.add_input(said_once, source="C1/100.2")
    with pytest.raises(ConstraintBroken) as broken:
        async with estate.ledger.transaction(estate.workspace) as change:
            await change.add_input(replace(said_once, ordinal=2), source="C1/100.2")
    assert broken.value.constraint == "inputs_one_per_source"


async def test_projects_are_those_set_up(estate: Estate) -> None:
    async with estate.ledger.transaction(estate.workspace) as change:
        assert await change.projects() == [estate.project]
        assert await change.get_project(estate.project.id) == estate.project
        with pytest.raises(ProjectUnknown):
            await change.get_project(ProjectId(estate.new_id()))


async def test_usage_adds_up_and_what_nobody_told_stays_untold(estate: Estate) -> None:
    session = await session_of(estate, await estate.file("aaaaa"))
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.count_usage(session.id, input_tokens=10, output_tokens=None, cost_usd=None)
        await change.count_usage(session.id, input_tokens=5, output_tokens=None, cost_usd=0.5)
    async with estate.database.app(estate.workspace) as connection:
        row = await connection.fetchrow("SELECT input_tokens, output_tokens, cost_usd FROM usage")
    assert row is not None
    assert tuple(row) == (15, None, 0.5)


async def test_an_audited_act_cannot_be_changed(estate: Estate) -> None:
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.audit(who="U1", what="approve", subject="aaaaa/1", digest="d")
    async with estate.database.app(estate.workspace) as connection:
        assert await connection.fetchval("SELECT count(*) FROM audit WHERE who = 'U1'") == 1
        assert not await connection.fetchval("SELECT has_table_privilege('audit', 'UPDATE')")
        assert not await connection.fetchval("SELECT has_table_privilege('audit', 'DELETE')")


async def session_of(estate: Estate, ticket: Ticket) -> Session:
    async with estate.ledger.transaction(estate.workspace) as change:
        (session,) = await change.sessions(ticket.id)
    return session
