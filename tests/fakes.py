"""A clock, ids, a runner, and a host that are theirs who test: typed code that does what its port says."""

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sessions.errors import RunnerUnavailable, SessionsError
from sessions.models import Diffstat, Project, Publication, Session
from sessions.ports import LaunchOrder


@dataclass
class FakeClock:
    """Stands still until it is moved."""

    moved_s: float = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 20, 12, 0, tzinfo=UTC) + timedelta(seconds=self.moved_s)

    def monotonic(self) -> float:
        return self.moved_s

    def move(self, seconds: float) -> None:
        self.moved_s += seconds


@dataclass
class CountedIds:
    """Ids that count from `start` on; `keys` are given out first, whether they are free or not."""

    start: int = 1
    keys: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        self._numbers = itertools.count(self.start)

    def uuid(self) -> UUID:
        return UUID(int=(0xF << 100) + next(self._numbers))

    def key(self) -> str:
        return self.keys.pop(0) if self.keys else f"k{next(self._numbers):04}"

    def token(self) -> str:
        return f"token-{next(self._numbers)}"


@dataclass
class FakeRunner:
    """Workers that are names. `refuse` is raised by every launch while it is set.

    A stopped worker ends at once, unless it is `stubborn`; `on_stop` does what it does before. So many as are `stillborn`
    have ended, and were told of, before their launch returns.
    """

    name: str = "fake"
    refuse: RunnerUnavailable | None = None
    stubborn: bool = False
    stillborn: int = 0
    words: str = ""
    orders: list[LaunchOrder] = field(default_factory=list)
    alive: set[str] = field(default_factory=set)
    stops: list[str] = field(default_factory=list)
    on_stop: Callable[[str], None] | None = None
    _ended: list[str] = field(default_factory=list)
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)

    async def launch(self, order: LaunchOrder) -> str:
        if self.refuse is not None:
            raise self.refuse
        self.orders.append(order)
        reference = f"worker-{order.launch}"
        self.alive.add(reference)
        if self.stillborn:
            self.stillborn -= 1
            self.end(reference)
            while self._ended:  # noqa: ASYNC110 (whoever watches takes it)
                await asyncio.sleep(0)
        return reference

    async def running(self, reference: str) -> bool:
        return reference in self.alive

    async def stop(self, reference: str, *, grace_s: float = 10.0) -> None:
        self.stops.append(reference)
        if self.on_stop is not None:
            self.on_stop(reference)
        if not self.stubborn:
            self.end(reference)

    async def wait_any(self, *, time_limit_s: float) -> Sequence[str]:
        try:
            async with asyncio.timeout(time_limit_s):
                await self._stirred.wait()
        except TimeoutError:
            return ()
        self._stirred.clear()
        ended, self._ended = self._ended, []
        return ended

    async def last_words(self, reference: str) -> str:
        return self.words

    def end(self, reference: str) -> None:
        """The worker is gone."""
        if reference in self.alive:
            self.alive.discard(reference)
            self._ended.append(reference)
            self._stirred.set()


@dataclass
class FakeHost:
    """A host that takes every bundle; `trouble` is raised instead while it is set, `hold` makes pushes wait."""

    pushed: list[str] = field(default_factory=list)
    trouble: SessionsError | None = None
    hold: asyncio.Event | None = None
    pushing: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(
        self, *, project: Project, session: Session, bundle: Path, branch: str, base: str, head: str
    ) -> Publication:
        self.pushing.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.trouble is not None:
            raise self.trouble
        self.pushed.append(head)
        return Publication(
            branch=branch,
            base=base,
            head=head,
            diffstat=Diffstat(files=1, added=2, removed=3),
            compare=f"git diff {base}...{branch}",
        )
