"""Wake-ups: in-process for the embedded default, PostgreSQL's NOTIFY between replicas.

A wake-up says that it is worth looking, never what is there. One may be lost with a connection; then everybody is woken.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from storage.database import LoneConnection, lone_connection
from storage.errors import DatabaseUnavailable
from storage.system import System

log = structlog.get_logger()

CHANNEL = "viberator"

_SEPARATOR = " "


@dataclass(slots=True, eq=False)
class LocalSubscription:
    """Some topics, and whether one of them was signalled since the last wait."""

    topics: tuple[str, ...]
    leave: Callable[["LocalSubscription"], None]
    signalled: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, *, time_limit_s: float) -> bool:
        try:
            async with asyncio.timeout(time_limit_s):
                await self.signalled.wait()
        except TimeoutError:
            return False
        self.signalled.clear()
        return True

    def close(self) -> None:
        self.leave(self)


@dataclass(frozen=True, slots=True)
class LocalSignals:
    """Wake-ups within this process."""

    subscriptions: dict[str, set[LocalSubscription]] = field(default_factory=dict)

    async def notify(self, topic: str) -> None:
        self.wake(topic)

    def subscribe(self, *topics: str) -> LocalSubscription:
        subscription = LocalSubscription(topics, self._leave)
        for topic in topics:
            self.subscriptions.setdefault(topic, set()).add(subscription)
        return subscription

    def wake(self, topic: str) -> None:
        for subscription in self.subscriptions.get(topic, ()):
            subscription.signalled.set()

    def wake_all(self) -> None:
        for topic in self.subscriptions:
            self.wake(topic)

    def _leave(self, subscription: LocalSubscription) -> None:
        for topic in subscription.topics:
            others = self.subscriptions.get(topic, set())
            others.discard(subscription)
            if not others:
                self.subscriptions.pop(topic, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresSignals:
    """Wake-ups between replicas; `replica` is this process's own name and holds no space.

    Our own waiters are woken at once. The others hear of it when `run` has sent it; what gathers while one notification
    is on its way goes with the next, since the server lets one notifying transaction commit at a time.
    """

    system: System
    dsn: str
    replica: str
    local: LocalSignals = field(default_factory=LocalSignals)
    outgoing: set[str] = field(default_factory=set)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    retry_s: float = 1.0
    check_s: float = 15.0

    async def notify(self, topic: str) -> None:
        self.local.wake(topic)
        self.outgoing.add(topic)
        self.waiting.set()

    def subscribe(self, *topics: str) -> LocalSubscription:
        return self.local.subscribe(*topics)

    async def run(self) -> None:
        """Send and listen until cancelled; a broken connection is made again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send(), name="signals.send")
            tasks.create_task(self._listen(), name="signals.listen")

    async def _send(self) -> None:
        while True:
            await self.waiting.wait()
            self.waiting.clear()
            topics = set(self.outgoing)
            self.outgoing.clear()
            try:
                await self.system.rows("notify", CHANNEL, [f"{self.replica}{_SEPARATOR}{topic}" for topic in topics])
            except DatabaseUnavailable as error:
                log.warning("signals.unsent", topics=len(topics), error=error.detail)
                self.outgoing.update(topics)
                self.waiting.set()
                await asyncio.sleep(self.retry_s)
            except Exception:  # wake-ups are hints: everybody looks by themselves as well
                log.exception("signals.broken")
                await asyncio.sleep(self.retry_s)

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except DatabaseUnavailable as error:
                log.warning("signals.deaf", error=error.detail)
            except Exception:  # as above
                log.exception("signals.broken")
            await asyncio.sleep(self.retry_s)

    async def _hear(self) -> None:
        async with lone_connection(self.dsn) as connection:
            gone = asyncio.Event()
            connection.add_termination_listener(lambda _: gone.set())
            await connection.add_listener(CHANNEL, self._heard)
            # Whatever was signalled while nobody listened is lost.
            self.local.wake_all()
            await self._watch(connection, gone)

    async def _watch(self, connection: LoneConnection, gone: asyncio.Event) -> None:
        """Return when the connection is gone; ask it from time to time, because one that is silently dead never says so."""
        while not gone.is_set():
            try:
                async with asyncio.timeout(self.check_s):
                    await gone.wait()
            except TimeoutError:
                await connection.fetchval("SELECT 1", timeout=self.check_s)

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        replica, _, topic = str(payload).partition(_SEPARATOR)
        if replica != self.replica:
            self.local.wake(topic)
