"""Carrying out what one outlet's threads want, under its lease: the sequence of steps that makes every post happen once.

Each post is recorded as intended before the platform is called and as done after it. One whose outcome is not known is
looked for in the thread before it is tried again, and what was found is edited once, since nobody can tell which of the
attempts it shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final, assert_never

import structlog

from conversations.differences import is_lost, plan, rank
from conversations.errors import FenceLost, MessageGone, OutletBusy, OutletUnclear, ThreadGone
from conversations.limits import Pace
from conversations.messages import View
from conversations.models import Edit, Operation, Post, PostedSlot, SlotState
from conversations.ports import Lease, Outlet, Snapshot, ThreadStore, ThreadWork
from conversations.progress import EMPTY, VERSION, Progress, fold
from conversations.rendering import Links, view
from sessions.models import Digest, ThreadId
from sessions.ports import Clock, Place, Unavailable

log = structlog.get_logger()

ROUND_LIMIT: Final = 50
"""So many threads are looked at in one round, and then all of their operations go out by urgency."""

LOOK_AGAIN_S: Final = 0.25
"""A thread that has to wait for the limits is looked at so often, since something urgent may have come."""

TRUSTED_S: Final = 2.0
"""The lease is believed to be ours for so long after a write under its fence; well below any lease's time."""

UNCLEAR_S: Final = 1.0
BROKEN_S: Final = 30.0
NONCE_CHARS: Final = 25
"""Discord's limit for a nonce."""

_UNKNOWN: Final = Digest("")
"""Of a message whose content is not certain; it equals none, so that the next round edits it."""


@dataclass(slots=True, kw_only=True)
class Draft:
    """One thread in one round. `place` gets the thread's id with its first post; `held_s`: seconds until it goes on."""

    work: ThreadWork
    progress: Progress
    view: View
    operations: tuple[Operation, ...]
    place: Place
    parked: bool = False
    held_s: float | None = None

    def hold(self, seconds: float) -> None:
        self.held_s = seconds if self.held_s is None else min(self.held_s, seconds)


@dataclass(slots=True, kw_only=True)
class Sender:
    """Speaks for one outlet. `due_s` are the threads that wait, and until when on the monotonic clock.

    `proved` is the fence of the last write that was accepted, and when that was.
    """

    outlet: Outlet
    store: ThreadStore
    clock: Clock
    links: Links
    pace: Pace
    due_s: dict[ThreadId, float] = field(default_factory=dict)
    proved: tuple[int, float] = (0, 0.0)

    async def round(self, lease: Lease) -> int:
        """Look at the dirty threads whose time has come; answers how many there were. Raises `FenceLost`, `Unavailable`."""
        now_s = self.clock.monotonic()
        self.due_s = {thread: due_s for thread, due_s in self.due_s.items() if due_s > now_s}
        limit = ROUND_LIMIT + len(self.due_s)
        dirty = await self.store.dirty(outlets=[self.outlet.key], limit=limit)
        drafts = [draft for thread in dirty if thread not in self.due_s and (draft := await self._draft(thread))]
        for draft, operation in _by_urgency(drafts):
            await self._carry_out(draft, operation, lease)
        for draft in drafts:
            await self._conclude(draft, lease)
        return len(drafts)

    def pause_s(self) -> float | None:
        """Seconds until the first of the waiting threads is due; None where none waits."""
        return max(0.0, min(self.due_s.values()) - self.clock.monotonic()) if self.due_s else None

    # ── one thread ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _draft(self, thread: ThreadId) -> Draft | None:
        """What the thread wants now; None where it is lost, or its history cannot be drawn."""
        work = await self.store.load(thread)
        posted = {slot.slot: slot for slot in work.slots}
        if is_lost(posted):
            await self._park(thread, "a message was deleted twice")
            return None
        try:
            progress = _progress(work)
            shown = view(progress, capabilities=self.outlet.capabilities, links=self.links)
            operations = plan(shown, posted, capabilities=self.outlet.capabilities)
        except Exception:
            log.exception("delivery.undrawable", thread=str(thread))
            self._wait(thread, BROKEN_S)
            return None
        return Draft(work=work, progress=progress, view=shown, operations=operations, place=work.thread.place)

    async def _conclude(self, draft: Draft, lease: Lease) -> None:
        """Move the cursor where all is done; else say when to look again."""
        thread = draft.work.thread
        if draft.parked:
            return
        if draft.held_s is not None:
            self._wait(thread.id, draft.held_s)
            return
        position = draft.progress.position
        snapshot = Snapshot(version=VERSION, position=position, progress=draft.progress)
        moved = await self.store.delivered(draft.work, position, snapshot, fence=lease.fence)
        if moved:
            self._prove(lease)
        if not moved or position < thread.wanted_event:
            self._wait(thread.id, LOOK_AGAIN_S)

    async def _carry_out(self, draft: Draft, operation: Operation, lease: Lease) -> None:
        if self._must_wait(draft, operation):
            return
        try:
            match operation:
                case Post():
                    await self._post(draft, operation, lease)
                case Edit():
                    await self._edit(draft, operation, lease)
                case _:
                    assert_never(operation)
        except OutletBusy as busy:
            self.pace.block(busy.retry_after_s, now_s=self.clock.monotonic())
            draft.hold(max(busy.retry_after_s, LOOK_AGAIN_S))
        except OutletUnclear:
            log.warning("delivery.unclear", thread=str(draft.work.thread.id), slot=operation.slot)
            draft.hold(UNCLEAR_S)
        except MessageGone:
            await self._gone(draft, operation, lease)
        except ThreadGone as gone:
            draft.parked = True
            await self._park(draft.work.thread.id, gone.reason)
        except (FenceLost, Unavailable):
            raise
        except Exception:
            log.exception("delivery.failed", thread=str(draft.work.thread.id), slot=operation.slot)
            draft.hold(BROKEN_S)

    def _must_wait(self, draft: Draft, operation: Operation) -> bool:
        """Whether the limits forbid it now, or an earlier message of the thread is not there yet."""
        if draft.parked:
            return True
        if draft.held_s is not None and (isinstance(operation, Post) or draft.place.thread is None):
            return True
        card = f"{draft.work.thread.id}/{operation.slot}"
        edit = isinstance(operation, Edit)
        now_s = self.clock.monotonic()
        wait_s = self.pace.wait_s(operation.urgency, card, edit=edit, now_s=now_s)
        if wait_s > 0:
            draft.hold(min(wait_s, LOOK_AGAIN_S))
        return wait_s > 0

    # ── one operation ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _post(self, draft: Draft, post: Post, lease: Lease) -> None:
        thread, message = draft.work.thread.id, draft.view[post.view_index].message
        nonce = nonce_of(thread, post.slot)
        if post.retry and (found := await self.outlet.find(draft.place, slot=post.slot, nonce=nonce)):
            await self._record(draft, post, found, lease, certain=False)
            return
        await self.store.intend(thread, post.slot, post.digest, fence=lease.fence)
        self._prove(lease)
        there = await self.outlet.post(draft.place, message, slot=post.slot, nonce=nonce)
        # A platform that knows the nonce answers with the first attempt's message, whatever that one said.
        certain = not (post.retry and self.outlet.capabilities.has_idempotency_key)
        await self._record(draft, post, there, lease, certain=certain)

    async def _record(self, draft: Draft, post: Post, there: tuple[Place, str], lease: Lease, *, certain: bool) -> None:
        draft.place, message_id = there
        certain = certain or not self.outlet.capabilities.can_edit
        digest = post.digest if certain else _UNKNOWN
        slot = PostedSlot(slot=post.slot, state=SlotState.DONE, digest=digest, message_id=message_id)
        await self._store(draft, slot, lease)
        if not certain:
            draft.hold(0.0)

    async def _edit(self, draft: Draft, edit: Edit, lease: Lease) -> None:
        message = draft.view[edit.view_index].message
        slot = PostedSlot(slot=edit.slot, state=SlotState.DONE, digest=edit.digest, message_id=edit.message_id)
        if not self._is_proved(lease):
            # A process that was stopped for longer than its lease must not put an old card over a new one.
            await self._store(draft, replace(slot, digest=_UNKNOWN), lease)
        await self.outlet.edit(draft.place, edit.message_id, message, slot=edit.slot)
        await self._store(draft, slot, lease)

    async def _gone(self, draft: Draft, operation: Operation, lease: Lease) -> None:
        message_id = operation.message_id if isinstance(operation, Edit) else ""
        slot = PostedSlot(slot=operation.slot, state=SlotState.GONE, digest=operation.digest, message_id=message_id)
        await self._store(draft, slot, lease)
        draft.hold(0.0)

    async def _store(self, draft: Draft, slot: PostedSlot, lease: Lease) -> None:
        await self.store.posted(draft.work.thread.id, slot, draft.place, fence=lease.fence)
        self._prove(lease)

    def _prove(self, lease: Lease) -> None:
        self.proved = (lease.fence, self.clock.monotonic())

    def _is_proved(self, lease: Lease) -> bool:
        fence, at_s = self.proved
        return fence == lease.fence and self.clock.monotonic() - at_s <= TRUSTED_S

    async def _park(self, thread: ThreadId, reason: str) -> None:
        log.warning("delivery.parked", thread=str(thread), reason=reason)
        await self.store.park(thread, reason)

    def _wait(self, thread: ThreadId, seconds: float) -> None:
        if seconds > 0:
            self.due_s[thread] = self.clock.monotonic() + seconds


def nonce_of(thread: ThreadId, slot: str) -> str:
    """The same for every attempt at the slot, in any process."""
    return sha256(f"{thread}/{slot}".encode()).hexdigest()[:NONCE_CHARS]


def _progress(work: ThreadWork) -> Progress:
    progress = work.snapshot.progress if work.snapshot else EMPTY
    for recorded in work.events:
        progress = fold(progress, recorded)
    return progress


def _by_urgency(drafts: Sequence[Draft]) -> list[tuple[Draft, Operation]]:
    """Across threads the most urgent first; within a thread in the order of its plan."""
    every = [(draft, operation) for draft in drafts for operation in draft.operations]
    return sorted(every, key=lambda one: rank(one[1]))
