"""Threads and leases in memory, by the rules of their ports."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from conversations.errors import FenceLost
from conversations.models import PostedSlot, SlotState, Thread
from conversations.ports import Lease, Snapshot, ThreadWork
from sessions.events import Recorded
from sessions.models import Digest, ThreadId, TicketId, WorkspaceId
from sessions.ports import Place
from tests.stories import INSTALLATION


@dataclass
class FakeLeases:
    """One owner at a time, who may take it again; each taking raises the fence."""

    holders: dict[str, str] = field(default_factory=dict)
    fences: dict[str, int] = field(default_factory=dict)

    def held(self, key: str, *, owner: str) -> AbstractAsyncContextManager[Lease | None]:
        return self._held(key, owner)

    @asynccontextmanager
    async def _held(self, key: str, owner: str) -> AsyncIterator[Lease | None]:
        if self.holders.get(key, owner) != owner:
            yield None
            return
        self.holders[key] = owner
        self.fences[key] = fence = self.fences.get(key, 0) + 1
        try:
            yield Lease(key=key, owner=owner, fence=fence)
        finally:
            if self.fences[key] == fence:
                self.holders.pop(key, None)


@dataclass
class FakeThread:
    thread: Thread
    events: list[Recorded] = field(default_factory=list)
    slots: dict[str, PostedSlot] = field(default_factory=dict)
    snapshot: Snapshot | None = None
    parked: str = ""


@dataclass
class FakeThreads:
    """A `ThreadStore`; `loads` counts how often a thread was looked at. Each of `troubles` is raised by one scan."""

    leases: FakeLeases
    threads: dict[ThreadId, FakeThread] = field(default_factory=dict)
    loads: int = 0
    scans: int = 0
    troubles: list[Exception] = field(default_factory=list)

    def open(self, *, outlet: str = "outlet-1", number: int = 1) -> ThreadId:
        thread = Thread(
            id=ThreadId(UUID(int=number)),
            workspace=WorkspaceId(UUID(int=1)),
            ticket=TicketId(UUID(int=number)),
            place=Place(installation=INSTALLATION, channel=f"C{number}"),
            outlet=outlet,
            wanted_event=0,
            delivered_event=0,
        )
        self.threads[thread.id] = FakeThread(thread=thread)
        return thread.id

    def happen(self, thread: ThreadId, events: Sequence[Recorded]) -> None:
        """The ticket's history is this now."""
        known = self.threads[thread]
        known.events = list(events)
        known.thread = replace(known.thread, wanted_event=events[-1].position)

    async def dirty(self, *, outlets: Sequence[str], limit: int) -> Sequence[ThreadId]:
        self.scans += 1
        if self.troubles:
            raise self.troubles.pop()
        return [
            known.thread.id
            for known in self.threads.values()
            if known.thread.outlet in outlets
            and not known.parked
            and known.thread.wanted_event > known.thread.delivered_event
        ][:limit]

    async def load(self, thread: ThreadId) -> ThreadWork:
        self.loads += 1
        known = self.threads[thread]
        after = known.snapshot.position if known.snapshot else 0
        return ThreadWork(
            thread=known.thread,
            snapshot=known.snapshot,
            events=[event for event in known.events if event.position > after],
            slots=list(known.slots.values()),
        )

    async def intend(self, thread: ThreadId, slot: str, digest: Digest, *, fence: int) -> None:
        known = self._fenced(thread, fence)
        known.slots[slot] = PostedSlot(slot=slot, state=SlotState.INTENDED, digest=digest)

    async def posted(self, thread: ThreadId, slot: PostedSlot, place: Place, *, fence: int) -> None:
        known = self._fenced(thread, fence)
        known.slots[slot.slot] = slot
        if known.thread.place.thread is None:
            known.thread = replace(known.thread, place=place)

    async def delivered(self, work: ThreadWork, position: int, snapshot: Snapshot | None, *, fence: int) -> bool:
        known = self.threads[work.thread.id]
        current = self.leases.fences.get(known.thread.outlet) == fence
        if not current or known.thread.delivered_event != work.thread.delivered_event:
            return False
        known.thread = replace(known.thread, delivered_event=position)
        known.snapshot = snapshot or known.snapshot
        return True

    async def is_shown(self, workspace: WorkspaceId, place: Place, slot: str) -> bool:
        there = (known for known in self.threads.values() if known.thread.place == place)
        return any(slot in known.slots and known.slots[slot].state is SlotState.DONE for known in there)

    async def park(self, thread: ThreadId, reason: str) -> None:
        self.threads[thread].parked = reason

    def _fenced(self, thread: ThreadId, fence: int) -> FakeThread:
        known = self.threads[thread]
        if self.leases.fences.get(known.thread.outlet) != fence:
            raise FenceLost
        return known
