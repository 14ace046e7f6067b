"""Group commit: what goes together, what is left out, and what becomes of trouble."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from sessions.errors import FramesMissing, IngestBusy, LaunchFenced
from sessions.events import AgentSaid, Event, Quarantined
from sessions.ingest import EARLY_FRAMES, Ingest
from sessions.models import LaunchId, SessionId, TicketId, WorkspaceId
from sessions.ports import FlushResult, FrameBatch, LaunchContext, Unavailable
from tests.eventually import eventually

POISON = AgentSaid(message="m", text="poison")


def context(number: int = 1) -> LaunchContext:
    return LaunchContext(
        workspace=WorkspaceId(UUID(int=1)),
        ticket=TicketId(UUID(int=2)),
        session=SessionId(UUID(int=3)),
        launch=LaunchId(UUID(int=number)),
        fence=1,
    )


def said(*texts: str) -> list[Event]:
    return [AgentSaid(message="m", text=text) for text in texts]


@dataclass
class FakeLog:
    """Frames in memory. A flush waits while `held`; `poison` in a batch fails the whole flush, as a database does."""

    stored: dict[LaunchId, list[Event]] = field(default_factory=dict)
    flushes: list[int] = field(default_factory=list)
    ended: set[LaunchId] = field(default_factory=set)
    held: asyncio.Event | None = None
    away: bool = False
    poison: Event | None = POISON

    async def authenticate(self, launch: LaunchId, token_hash: bytes) -> LaunchContext:
        return context()

    async def seen(self, launch: LaunchId) -> None: ...

    async def flush(self, batches: Sequence[FrameBatch]) -> Sequence[FlushResult]:
        self.flushes.append(len(batches))
        launches = [batch.context.launch for batch in batches]
        assert len(launches) == len(set(launches))
        if self.held is not None:
            await self.held.wait()
        if self.away:
            raise Unavailable("database", "gone")
        if any(self.poison in batch.events for batch in batches):
            raise ValueError("this cannot be stored")
        return [self._store(batch) for batch in batches]

    def _store(self, batch: FrameBatch) -> FlushResult:
        frames = self.stored.setdefault(batch.context.launch, [])
        if batch.context.launch in self.ended:
            return FlushResult(stored=False, last_frame=len(frames), fenced=True)
        if batch.first != len(frames) + 1:
            return FlushResult(stored=False, last_frame=len(frames))
        frames += batch.events
        return FlushResult(stored=True, last_frame=len(frames))


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@asynccontextmanager
async def flushing(ingest: Ingest) -> AsyncIterator[None]:
    task = asyncio.create_task(ingest.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_arrives_during_a_flush_goes_together_in_the_next() -> None:
    log = FakeLog(held=asyncio.Event())
    ingest = Ingest(log=log)
    async with flushing(ingest):
        tasks = [asyncio.create_task(ingest.store(context(n), first=1, events=said("a"))) for n in range(1, 65)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert log.held is not None
        log.held.set()
        assert await asyncio.gather(*tasks) == [1] * 64
    assert len(log.flushes) <= 2


async def test_a_flush_begins_beside_another_when_enough_waits_but_never_with_a_launch_of_that_one() -> None:
    log = FakeLog(held=asyncio.Event())
    assert log.held is not None
    ingest = Ingest(log=log)
    many = said(*["a"] * EARLY_FRAMES)
    async with flushing(ingest):
        first = asyncio.create_task(ingest.store(context(1), first=1, events=many))
        await eventually(lambda: log.flushes == [1])
        same = asyncio.create_task(ingest.store(context(1), first=1 + len(many), events=many))
        few = asyncio.create_task(ingest.store(context(2), first=1, events=said("a")))
        await eventually(lambda: log.flushes == [1, 1])
        more = asyncio.create_task(ingest.store(context(3), first=1, events=many))
        await turns()
        assert log.flushes == [1, 1]
        log.held.set()
        assert [await task for task in (first, same, few, more)] == [len(many), 2 * len(many), 1, len(many)]


async def test_what_is_too_little_for_a_flush_of_its_own_waits_for_the_one_that_runs() -> None:
    log = FakeLog(held=asyncio.Event())
    assert log.held is not None
    ingest = Ingest(log=log)
    async with flushing(ingest):
        first = asyncio.create_task(ingest.store(context(1), first=1, events=said("a")))
        await eventually(lambda: log.flushes == [1])
        second = asyncio.create_task(ingest.store(context(2), first=1, events=said("a")))
        await turns()
        assert log.flushes == [1]
        log.held.set()
        assert [await first, await second] == [1, 1]


async def test_two_batches_of_one_launch_never_share_a_flush_and_keep_their_order() -> None:
    log = FakeLog()
    ingest = Ingest(log=log)
    batches = [asyncio.create_task(ingest.store(context(), first=n, events=said(str(n)))) for n in range(1, 6)]
    await asyncio.sleep(0)
    async with flushing(ingest):
        assert await asyncio.gather(*batches) == [1, 2, 3, 4, 5]
    assert log.stored[context().launch] == said("1", "2", "3", "4", "5")


async def test_a_repeat_changes_nothing_and_an_overlap_is_trimmed() -> None:
    log = FakeLog()
    ingest = Ingest(log=log)
    async with flushing(ingest):
        assert await ingest.store(context(), first=1, events=said("1", "2")) == 2
        assert await ingest.store(context(), first=1, events=said("1", "2")) == 2
        assert await ingest.store(context(), first=2, events=said("2", "3", "4")) == 4
    assert log.stored[context().launch] == said("1", "2", "3", "4")


async def test_a_gap_names_the_frame_that_is_wanted() -> None:
    ingest = Ingest(log=FakeLog())
    async with flushing(ingest):
        await ingest.store(context(), first=1, events=said("1"))
        with pytest.raises(FramesMissing) as refused:
            await ingest.store(context(), first=3, events=said("3"))
    assert refused.value.wanted == 2


async def test_an_ended_launch_is_fenced_and_spoils_no_other() -> None:
    log = FakeLog(ended={context(1).launch})
    ingest = Ingest(log=log)
    async with flushing(ingest):
        outcomes = await asyncio.gather(
            *(ingest.store(context(n), first=1, events=said("a")) for n in (1, 2)), return_exceptions=True
        )
    assert isinstance(outcomes[0], LaunchFenced)
    assert outcomes[1] == 1


async def test_a_poisoned_frame_is_quarantined_and_what_follows_still_arrives() -> None:
    log = FakeLog()
    ingest = Ingest(log=log)
    async with flushing(ingest):
        poisoned = asyncio.create_task(
            ingest.store(context(1), first=1, events=[*said("before"), POISON, *said("after")])
        )
        other = asyncio.create_task(ingest.store(context(2), first=1, events=said("somebody else's")))
        assert [await poisoned, await other] == [3, 1]
    before, placeholder, after = log.stored[context(1).launch]
    assert [before, after] == said("before", "after")
    assert isinstance(placeholder, Quarantined)
    assert (placeholder.frame, placeholder.problem) == (2, "ValueError")
    assert log.stored[context(2).launch] == said("somebody else's")


async def test_too_much_waiting_is_refused_at_once() -> None:
    log = FakeLog(held=asyncio.Event())
    ingest = Ingest(log=log, queue_frames=3)
    async with flushing(ingest):
        first = asyncio.create_task(ingest.store(context(1), first=1, events=said("a")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second = asyncio.create_task(ingest.store(context(2), first=1, events=said("a", "b")))
        await asyncio.sleep(0)
        with pytest.raises(IngestBusy):
            await ingest.store(context(3), first=1, events=said("a", "b"))
        assert log.held is not None
        log.held.set()
        assert [await first, await second] == [1, 2]


async def test_a_batch_larger_than_the_queue_is_taken_when_nothing_waits() -> None:
    ingest = Ingest(log=FakeLog(), queue_frames=1)
    async with flushing(ingest):
        assert await ingest.store(context(), first=1, events=said("a", "b")) == 2


async def test_without_a_database_nobody_is_told_that_it_was_stored() -> None:
    log = FakeLog(away=True)
    ingest = Ingest(log=log)
    async with flushing(ingest):
        with pytest.raises(Unavailable):
            await ingest.store(context(), first=1, events=said("a"))
        log.away = False
        assert await ingest.store(context(), first=1, events=said("a")) == 1


async def test_whoever_waits_when_it_ends_is_told_to_come_again() -> None:
    log = FakeLog(held=asyncio.Event())
    ingest = Ingest(log=log)
    async with flushing(ingest):
        tasks = [asyncio.create_task(ingest.store(context(n), first=1, events=said("a"))) for n in (1, 2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    for task in tasks:
        with pytest.raises(IngestBusy):
            await task


async def test_whoever_waits_behind_a_poisoned_batch_when_it_ends_is_told_too() -> None:
    log = FakeLog(held=asyncio.Event())
    assert log.held is not None
    ingest = Ingest(log=log)
    async with flushing(ingest):
        sent = [
            asyncio.create_task(ingest.store(context(n), first=1, events=said("poison" if n == 1 else "a")))
            for n in (1, 2)
        ]
        await eventually(lambda: log.flushes == [2])
        log.held.set()
        log.held = asyncio.Event()
        await eventually(lambda: log.flushes == [2, 1])
    async with asyncio.timeout(5):
        ends = await asyncio.gather(*sent, return_exceptions=True)
    assert [type(end) for end in ends] == [IngestBusy, IngestBusy]


async def test_whoever_comes_after_the_end_is_told_to_come_again() -> None:
    ingest = Ingest(log=FakeLog())
    async with flushing(ingest):
        await ingest.store(context(), first=1, events=said("a"))
    async with asyncio.timeout(5):
        with pytest.raises(IngestBusy):
            await ingest.store(context(), first=2, events=said("b"))


async def test_whoever_went_away_is_not_stored_for() -> None:
    log = FakeLog(held=asyncio.Event())
    ingest = Ingest(log=log)
    async with flushing(ingest):
        first = asyncio.create_task(ingest.store(context(1), first=1, events=said("a")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gone = asyncio.create_task(ingest.store(context(2), first=1, events=said("a")))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        assert log.held is not None
        log.held.set()
        await first
        assert await ingest.store(context(3), first=1, events=said("a")) == 1
    assert context(2).launch not in log.stored
