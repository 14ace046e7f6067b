"""What delivery reads and writes of threads, under its lease."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from conversations.errors import FenceLost, ThreadUnknown
from conversations.models import PostedSlot, SlotState
from conversations.ports import Lease, Snapshot
from conversations.progress import VERSION, Progress
from sessions.models import Digest, ThreadId, TicketId
from sessions.ports import Entry, Place
from storage.database import Database
from storage.leases import PostgresLeases
from storage.system import System
from storage.threads import PostgresThreads
from tests.storage.estate import Estate, said, settle_in


@pytest.fixture
def threads(database: Database) -> PostgresThreads:
    return PostgresThreads(system=System(database))


async def test_a_thread_is_dirty_until_it_has_what_was_wanted(estate: Estate, threads: PostgresThreads) -> None:
    thread = await dirty_thread(estate, threads, "aaaaa")
    async with lease_of(estate) as lease:
        work = await threads.load(thread)
        assert [entry.event for entry in work.events] == [said("hello")]
        assert await threads.delivered(work, 1, None, fence=lease.fence)
    assert await threads.dirty(outlets=[estate.installation.outlet], limit=10) == []


async def test_threads_of_other_outlets_are_left_to_others(estate: Estate, threads: PostgresThreads) -> None:
    await dirty_thread(estate, threads, "aaaaa")
    assert await threads.dirty(outlets=["slack:other"], limit=10) == []


async def test_the_longest_dirty_thread_comes_first(estate: Estate, threads: PostgresThreads) -> None:
    first = await dirty_thread(estate, threads, "aaaaa")
    for key in ("bbbbb", "ccccc"):
        await change_ticket(estate, key)
    assert (await threads.dirty(outlets=[estate.installation.outlet], limit=2))[0] == first


async def test_one_scan_finds_the_threads_of_all_workspaces(
    database: Database, estate: Estate, threads: PostgresThreads
) -> None:
    other = await settle_in(database, number=2)
    await change_ticket(estate, "aaaaa")
    await change_ticket(other, "bbbbb")
    outlets = [estate.installation.outlet, other.installation.outlet]
    found = [(await threads.load(thread)).thread.workspace for thread in await threads.dirty(outlets=outlets, limit=9)]
    assert set(found) == {estate.workspace, other.workspace}


async def test_a_cursor_moves_only_from_where_it_was_read(estate: Estate, threads: PostgresThreads) -> None:
    thread = await dirty_thread(estate, threads, "aaaaa")
    async with lease_of(estate) as lease:
        work = await threads.load(thread)
        assert await threads.delivered(work, 1, None, fence=lease.fence)
        assert not await threads.delivered(work, 1, None, fence=lease.fence)


async def test_a_zombie_changes_nothing(estate: Estate, threads: PostgresThreads) -> None:
    thread = await dirty_thread(estate, threads, "aaaaa")
    work = await threads.load(thread)
    done = PostedSlot(slot="root", state=SlotState.DONE, digest=Digest("d"), message_id="m1")
    async with lease_of(estate) as old:
        pass
    async with lease_of(estate, owner="newer") as lease:
        assert lease.fence > old.fence
        with pytest.raises(FenceLost):
            await threads.intend(thread, "root", Digest("d"), fence=old.fence)
        with pytest.raises(FenceLost):
            await threads.posted(thread, done, work.thread.place, fence=old.fence)
        assert not await threads.delivered(work, 1, None, fence=old.fence)
    assert (await threads.load(thread)).slots == []


async def test_a_slot_is_intended_before_it_is_done(estate: Estate, threads: PostgresThreads) -> None:
    thread = await dirty_thread(estate, threads, "aaaaa")
    place = (await threads.load(thread)).thread.place
    intended = PostedSlot(slot="root", state=SlotState.INTENDED, digest=Digest("d1"))
    done = PostedSlot(slot="root", state=SlotState.DONE, digest=Digest("d1"), message_id="m1")
    async with lease_of(estate) as lease:
        await threads.intend(thread, "root", Digest("d1"), fence=lease.fence)
        assert (await threads.load(thread)).slots == [intended]
        await threads.posted(thread, done, place, fence=lease.fence)
        assert (await threads.load(thread)).slots == [done]


async def test_a_threads_place_is_learned_from_its_first_post(estate: Estate, threads: PostgresThreads) -> None:
    ticket = await estate.file("aaaaa")
    unposted = Place(installation=estate.installation.id, channel="C2")
    learned = Place(installation=estate.installation.id, channel="C2", thread="100.1")
    thread = ThreadId(estate.new_id())
    done = PostedSlot(slot="root", state=SlotState.DONE, digest=Digest("d1"), message_id="100.1")
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.add_thread(thread, ticket.id, unposted)
    async with lease_of(estate) as lease:
        await threads.posted(thread, done, learned, fence=lease.fence)
        assert (await threads.load(thread)).thread.place == learned
        await threads.posted(thread, done, replace(learned, thread="other"), fence=lease.fence)
    assert (await threads.load(thread)).thread.place == learned
    async with estate.ledger.transaction(estate.workspace) as change:
        assert await change.ticket_at(learned) == ticket.id


async def test_events_are_read_from_the_snapshot_on(estate: Estate, threads: PostgresThreads) -> None:
    thread = await dirty_thread(estate, threads, "aaaaa")
    snapshot = Snapshot(version=VERSION, position=1, progress=Progress(position=1))
    async with lease_of(estate) as lease:
        await threads.delivered(await threads.load(thread), 1, snapshot, fence=lease.fence)
        work = await threads.load(thread)
        await append(estate, work.thread.ticket, "more")
        work = await threads.load(thread)
        assert work.snapshot == snapshot
        assert [entry.position for entry in work.events] == [2]
        # Without a new one the old one is kept.
        assert await threads.delivered(work, 2, None, fence=lease.fence)
        assert (await threads.load(thread)).snapshot == snapshot


async def test_another_versions_snapshot_is_made_anew_from_all_events(estate: Estate, threads: PostgresThreads) -> None:
    thread = await dirty_thread(estate, threads, "aaaaa")
    foreign = Snapshot(version=VERSION + 1, position=1, progress=Progress(position=1))
    async with lease_of(estate) as lease:
        await threads.delivered(await threads.load(thread), 1, foreign, fence=lease.fence)
    work = await threads.load(thread)
    assert work.snapshot is None
    assert [entry.position for entry in work.events] == [1]


async def test_a_parked_thread_is_not_dirty_until_unparked(estate: Estate, threads: PostgresThreads) -> None:
    thread = await dirty_thread(estate, threads, "aaaaa")
    await threads.park(thread, "channel archived")
    assert await threads.dirty(outlets=[estate.installation.outlet], limit=10) == []
    await threads.unpark(thread)
    assert await threads.dirty(outlets=[estate.installation.outlet], limit=10) == [thread]


async def test_a_thread_nobody_made_is_unknown(estate: Estate, threads: PostgresThreads) -> None:
    with pytest.raises(ThreadUnknown):
        await threads.load(ThreadId(estate.new_id()))


@asynccontextmanager
async def lease_of(estate: Estate, *, owner: str = "us") -> AsyncIterator[Lease]:
    leases = PostgresLeases(system=System(estate.database))
    async with leases.held(estate.installation.outlet, owner=owner) as lease:
        assert lease is not None
        yield lease


async def dirty_thread(estate: Estate, threads: PostgresThreads, key: str) -> ThreadId:
    await change_ticket(estate, key)
    (thread,) = await threads.dirty(outlets=[estate.installation.outlet], limit=10)
    return thread


async def change_ticket(estate: Estate, key: str) -> None:
    """File a ticket to which something happens."""
    await append(estate, (await estate.file(key)).id, "hello")


async def append(estate: Estate, ticket: TicketId, text: str) -> None:
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.append(ticket, [Entry(event=said(text))])
