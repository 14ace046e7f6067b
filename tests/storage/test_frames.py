"""Storing what workers report, many launches at a time."""

import asyncio

import pytest

from conversations.ports import ThreadWork
from sessions.errors import LaunchFenced, LaunchUnknown
from sessions.models import LaunchId, TicketId
from sessions.ports import Entry, FlushResult, Signals
from storage.database import Database
from storage.frames import PostgresFrameLog
from storage.signals import LocalSignals
from storage.system import System
from storage.threads import PostgresThreads
from tests.eventually import eventually_so
from tests.storage.estate import TOKEN_HASH, Estate, batch, context, said, settle_in


@pytest.fixture
def signals() -> LocalSignals:
    return LocalSignals()


@pytest.fixture
def frames(database: Database, signals: LocalSignals) -> PostgresFrameLog:
    return PostgresFrameLog(System(database), signals)


async def test_frames_become_numbered_events(estate: Estate, frames: PostgresFrameLog) -> None:
    ticket = await estate.file("aaaaa")
    claim = await estate.claim()
    assert await frames.flush([batch(claim, 1, "one", "two")]) == [FlushResult(stored=True, last_frame=2)]
    assert await frames.flush([batch(claim, 3, "three")]) == [FlushResult(stored=True, last_frame=3)]
    # Position 1 is the launch's own start.
    assert await history(estate, ticket.id) == [(2, said("one")), (3, said("two")), (4, said("three"))]


async def test_a_repeated_batch_is_stored_once(estate: Estate, frames: PostgresFrameLog) -> None:
    ticket = await estate.file("aaaaa")
    claim = await estate.claim()
    await frames.flush([batch(claim, 1, "one", "two")])
    assert await frames.flush([batch(claim, 1, "one", "two")]) == [FlushResult(stored=False, last_frame=2)]
    assert len(await history(estate, ticket.id)) == 2


async def test_a_gap_stores_nothing_and_says_where_the_launch_stands(estate: Estate, frames: PostgresFrameLog) -> None:
    ticket = await estate.file("aaaaa")
    claim = await estate.claim()
    assert await frames.flush([batch(claim, 3, "three")]) == [FlushResult(stored=False, last_frame=0)]
    assert await history(estate, ticket.id) == []


async def test_batches_of_many_launches_are_stored_by_one_flush(
    database: Database, estate: Estate, frames: PostgresFrameLog
) -> None:
    other = await settle_in(database, number=2)
    tickets = [await estate.file("aaaaa"), await estate.file("bbbbb"), await other.file("ccccc")]
    claims = {claim.ticket.key: claim for claim in [await estate.claim() for _ in tickets]}
    results = await frames.flush([batch(claims[ticket.key], 1, f"{ticket.key} 1", "2") for ticket in tickets])
    assert [result.last_frame for result in results] == [2, 2, 2]
    assert await history(estate, tickets[0].id) == [(2, said("aaaaa 1")), (3, said("2"))]
    assert await history(other, tickets[2].id) == [(2, said("ccccc 1")), (3, said("2"))]


async def test_a_bad_batch_does_not_spoil_the_good_ones(estate: Estate, frames: PostgresFrameLog) -> None:
    for key in ("aaaaa", "bbbbb"):
        await estate.file(key)
    first, second = await estate.claim(), await estate.claim()
    results = await frames.flush([batch(first, 9, "too far"), batch(second, 1, "fine")])
    assert [result.stored for result in results] == [False, True]


async def test_two_lanes_of_one_ticket_share_its_numbering(estate: Estate, frames: PostgresFrameLog) -> None:
    ticket = await estate.file("aaaaa")
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.add_session(estate.session(ticket, ordinal=2, lane=2))
    first, second = await estate.claim(), await estate.claim()
    await frames.flush([batch(first, 1, "a", "b"), batch(second, 1, "c")])
    assert [position for position, _ in await history(estate, ticket.id)] == [3, 4, 5]


async def test_flushes_at_once_leave_no_gap_and_no_double(estate: Estate, frames: PostgresFrameLog) -> None:
    ticket = await estate.file("aaaaa")
    async with estate.ledger.transaction(estate.workspace) as change:
        for lane in (2, 3):
            await change.add_session(estate.session(ticket, ordinal=lane, lane=lane))
    claims = [await estate.claim() for _ in range(3)]
    for first in range(1, 21):
        await asyncio.gather(*(frames.flush([batch(claim, first, str(first))]) for claim in claims))
    # Before them stand the three launches' own starts.
    assert [position for position, _ in await history(estate, ticket.id)] == list(range(4, 64))


async def test_the_same_batch_at_two_replicas_is_stored_once(estate: Estate, frames: PostgresFrameLog) -> None:
    ticket = await estate.file("aaaaa")
    claim = await estate.claim()
    both = await asyncio.gather(*(frames.flush([batch(claim, 1, "one")]) for _ in range(2)))
    assert sorted(result.stored for (result,) in both) == [False, True]
    assert [result.last_frame for (result,) in both] == [1, 1]
    assert len(await history(estate, ticket.id)) == 1


async def test_an_ended_launch_is_fenced(estate: Estate, frames: PostgresFrameLog) -> None:
    ticket = await estate.file("aaaaa")
    claim = await estate.claim()
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.end_launch(claim.launch.id)
    assert await frames.flush([batch(claim, 1, "late")]) == [FlushResult(stored=False, last_frame=0, fenced=True)]
    assert await history(estate, ticket.id) == []
    with pytest.raises(LaunchFenced):
        await frames.authenticate(claim.launch.id, TOKEN_HASH)


async def test_a_flush_waits_for_whoever_appends_and_numbers_after_them(
    estate: Estate, frames: PostgresFrameLog
) -> None:
    ticket = await estate.file("aaaaa")
    claim = await estate.claim()
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.lock_ticket(ticket.id)
        flushing = asyncio.create_task(frames.flush([batch(claim, 1, "one")]))
        await eventually_so(lambda: somebody_waits(estate))
        assert await change.append(ticket.id, [Entry(event=said("first"))]) == 2
    await flushing
    assert await history(estate, ticket.id) == [(2, said("first")), (3, said("one"))]


async def test_a_flush_makes_threads_dirty_and_wakes_once(
    database: Database, estate: Estate, frames: PostgresFrameLog, signals: LocalSignals
) -> None:
    await estate.file("aaaaa")
    claim = await estate.claim()
    woken: Signals = signals
    subscription = woken.subscribe("threads")
    await frames.flush([batch(claim, 1, "one", "two")])
    assert await subscription.wait(time_limit_s=1)
    assert not await subscription.wait(time_limit_s=0.01)
    work = await only_dirty(database, estate)
    assert (work.thread.wanted_event, work.thread.delivered_event) == (3, 0)
    subscription.close()


async def test_a_worker_is_known_by_its_token_alone(estate: Estate, frames: PostgresFrameLog) -> None:
    await estate.file("aaaaa")
    claim = await estate.claim()
    assert await frames.authenticate(claim.launch.id, TOKEN_HASH) == context(claim)
    with pytest.raises(LaunchUnknown):
        await frames.authenticate(claim.launch.id, b"b" * 32)
    with pytest.raises(LaunchUnknown):
        await frames.authenticate(LaunchId(estate.new_id()), TOKEN_HASH)


async def test_a_call_moves_when_the_worker_was_seen(estate: Estate, frames: PostgresFrameLog) -> None:
    await estate.file("aaaaa")
    claim = await estate.claim()
    before = (await estate.dispatch.locate(claim.launch.id)).seen_at
    await frames.seen(claim.launch.id)
    assert (await estate.dispatch.locate(claim.launch.id)).seen_at > before


async def history(estate: Estate, ticket: TicketId) -> list[tuple[int, object]]:
    """Without the starts of launches."""
    async with estate.ledger.transaction(estate.workspace) as change:
        recorded = await change.history(ticket)
    return [(entry.position, entry.event) for entry in recorded if entry.event.kind != "launch_started"]


async def only_dirty(database: Database, estate: Estate) -> ThreadWork:
    threads = PostgresThreads(system=System(database))
    (thread,) = await threads.dirty(outlets=[estate.installation.outlet], limit=10)
    return await threads.load(thread)


async def somebody_waits(estate: Estate) -> bool:
    async with estate.database.system() as connection:
        return bool(await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
