"""The courier: finds the threads that want something, and lets one sender an outlet bring them up to date.

Woken by the signal `threads`, and every two seconds regardless, since a wake-up is only a hint. Nothing here belongs to a
thread: an idle one has no timer, no task and no query. An outlet has a sender only while something is to be sent, and
that one holds the outlet's lease.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import structlog

from conversations.errors import FenceLost
from conversations.limits import Pace
from conversations.ports import Lease, Leases, Outlet, ThreadStore
from conversations.rendering import Links
from conversations.sending import Sender
from sessions.models import ThreadId
from sessions.ports import Clock, Signals, Unavailable

log = structlog.get_logger()

TOPIC: Final = "threads"
SWEEP_S: Final = 2.0
LINGER_S: Final = 1.0
"""A sender keeps its lease so long after the last thing it sent, since more usually follows."""

SCAN_LIMIT: Final = 100
_REMEMBERED: Final = 10_000


class Courier:
    """Keeps the threads of its outlets up to date, as long as `run` runs.

    `owner` names this process in leases; `outlets` are by their key, which is also the key of their lease.
    """

    def __init__(
        self,
        store: ThreadStore,
        leases: Leases,
        outlets: Mapping[str, Outlet],
        signals: Signals,
        clock: Clock,
        owner: str,
        *,
        links: Links | None = None,
    ) -> None:
        self._store = store
        self._leases = leases
        self._signals = signals
        self._owner = owner
        self._senders = {key: _sender(store, outlet, clock, links or Links()) for key, outlet in outlets.items()}
        self._woken = {key: asyncio.Event() for key in outlets}
        self._busy: set[str] = set()
        self._speaking = {key: asyncio.Lock() for key in outlets}
        self._finishing = False
        self._outlet_of: dict[ThreadId, str] = {}

    async def run(self) -> None:
        """Deliver whatever is wanted until cancelled."""
        subscription = self._signals.subscribe(TOPIC)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self._start_senders(group)
                    await subscription.wait(time_limit_s=SWEEP_S)
        finally:
            subscription.close()

    async def deliver_all(self) -> None:
        """Send all that is wanted and may be sent now; returns when there is no more.

        A sender of `run` is let finish first: its lease is ours, but what it has on its way nobody else can know of.
        """
        self._finishing = True
        try:
            for key in self._senders:
                self._woken[key].set()
                async with self._speaking[key]:
                    await self._send(key, linger_s=0.0)
        finally:
            self._finishing = False

    async def _start_senders(self, group: asyncio.TaskGroup) -> None:
        for key in self._busy:
            self._woken[key].set()
        try:
            wanted = await self._wanted()
        except Unavailable as error:
            log.warning("delivery.unavailable", part=error.part, error=error.detail)
            return
        except Exception:  # the next look begins anew
            log.exception("delivery.blind")
            return
        for key in wanted - self._busy:
            self._busy.add(key)
            group.create_task(self._serve(key), name=f"deliver {key}")

    async def _wanted(self) -> set[str]:
        """The outlets without a sender that want one, by one query."""
        idle = [key for key in self._senders if key not in self._busy]
        if not idle:
            return set()
        dirty = await self._store.dirty(outlets=idle, limit=SCAN_LIMIT)
        if len(idle) == 1:
            return set(idle) if dirty else set()
        return {await self._find_outlet(thread) for thread in dirty}

    async def _find_outlet(self, thread: ThreadId) -> str:
        """A thread never moves to another outlet."""
        if thread not in self._outlet_of:
            if len(self._outlet_of) >= _REMEMBERED:
                self._outlet_of.clear()
            self._outlet_of[thread] = (await self._store.load(thread)).thread.outlet
        return self._outlet_of[thread]

    # ── one outlet ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _serve(self, key: str) -> None:
        """Send until nobody has woken the sender any more, not even while it was giving the lease back."""
        try:
            while True:
                self._woken[key].clear()
                async with self._speaking[key]:
                    await self._send(key, linger_s=LINGER_S)
                if not self._woken[key].is_set():
                    return
        finally:
            self._busy.discard(key)

    async def _send(self, key: str, *, linger_s: float) -> None:
        """Hold the lease while there is something to send; where another process holds it, there is nothing to do here."""
        try:
            async with self._leases.held(key, owner=self._owner) as lease:
                if lease is None:
                    log.debug("delivery.elsewhere", outlet=key)
                    await asyncio.sleep(linger_s)
                else:
                    await self._rounds(key, lease, linger_s=linger_s)
        except FenceLost:
            log.warning("delivery.fence_lost", outlet=key)
        except Unavailable as error:
            log.warning("delivery.unavailable", part=error.part, error=error.detail)
            await asyncio.sleep(linger_s)
        except Exception:  # the outlet's next sender begins anew, and the other outlets go on
            log.exception("delivery.broken", outlet=key)
            await asyncio.sleep(linger_s)

    async def _rounds(self, key: str, lease: Lease, *, linger_s: float) -> None:
        sender, woken = self._senders[key], self._woken[key]
        while True:
            woken.clear()
            if await sender.round(lease):
                continue
            if self._finishing:
                return
            pause_s = sender.pause_s()
            try:
                async with asyncio.timeout(linger_s if pause_s is None else min(linger_s, pause_s)):
                    await woken.wait()
            except TimeoutError:
                if pause_s is None:
                    return


def _sender(store: ThreadStore, outlet: Outlet, clock: Clock, links: Links) -> Sender:
    can = outlet.capabilities
    pace = Pace(calls_per_minute=can.calls_per_minute, edit_interval_s=can.edit_interval_s)
    return Sender(outlet=outlet, store=store, clock=clock, links=links, pace=pace)
