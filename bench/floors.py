"""What storing costs at the least: plain inserts into a plain table, beside which our own figures are set."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

from storage.database import LoneConnection, lone_connection

_TABLE = """
CREATE TABLE floor (
    ticket_id uuid NOT NULL,
    position bigint NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (ticket_id, position)
)
"""
_MANY = """
INSERT INTO floor (ticket_id, position, kind, payload)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::jsonb[])
"""
_ONE = "INSERT INTO floor (ticket_id, position, kind, payload) VALUES ($1, $2, $3, $4)"
_TELL_OF = "SELECT pg_notify('floor', $1)"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    kind: str
    payload: str


@dataclass(frozen=True, slots=True)
class Floor:
    """A plain table, a connection for each of many posters, and one that listens."""

    posters: Sequence[LoneConnection]

    async def insert_many(self, events: Sequence[StoredEvent], *, rows: int, at_once: int = 100) -> float:
        """Rows a second, by one connection, so many rows in a statement."""
        ticket, batch = uuid4(), [events[n % len(events)] for n in range(at_once)]
        kinds, payloads = [event.kind for event in batch], [event.payload for event in batch]
        insert = await self.posters[0].prepare(_MANY)
        began = time.perf_counter()
        for first in range(0, rows, at_once):
            await insert.fetch([ticket] * at_once, range(first, first + at_once), kinds, payloads)
        return rows / (time.perf_counter() - began)

    async def insert_and_notify_each(self, events: Sequence[StoredEvent]) -> float:
        """Rows a second, where every poster commits and announces each of the events by itself."""
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for poster in self.posters:
                tasks.create_task(_post(poster, uuid4(), events))
        return len(self.posters) * len(events) / (time.perf_counter() - began)


@asynccontextmanager
async def floor(url: str, *, posters: int) -> AsyncIterator[Floor]:
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(lone_connection(url)) for _ in range(posters)]
        await connections[0].execute(_TABLE)
        listener = await stack.enter_async_context(lone_connection(url))
        await listener.add_listener("floor", _hear)
        yield Floor(connections)


async def _post(poster: LoneConnection, ticket: UUID, events: Sequence[StoredEvent]) -> None:
    for position, event in enumerate(events):
        async with poster.transaction():
            await poster.execute(_ONE, ticket, position, event.kind, event.payload)
            await poster.execute(_TELL_OF, str(ticket))


def _hear(*_: object) -> None:
    """Somebody who would look now."""


_WORK = """
CREATE TABLE work (
    id uuid PRIMARY KEY,
    state text NOT NULL,
    payload jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX work_queued ON work (at) WHERE state = 'queued';
"""
_PUT = "INSERT INTO work (id, state, payload) VALUES ($1, 'queued', '{}')"
_TELL = "SELECT pg_notify('work', '')"
_FIND = "SELECT id FROM work WHERE state = 'queued' ORDER BY at LIMIT 1 FOR UPDATE SKIP LOCKED"
_TAKE = "UPDATE work SET state = 'taken' WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Queue:
    """The least that hands work over: one transaction puts and notifies, another, once woken, finds and takes."""

    putting: LoneConnection
    taking: LoneConnection
    woken: asyncio.Event

    async def put_and_take(self) -> float:
        """Seconds from the first statement to the second commit."""
        self.woken.clear()
        began = time.perf_counter()
        async with self.putting.transaction():
            await self.putting.execute(_PUT, uuid4())
            await self.putting.execute(_TELL)
        await self.woken.wait()
        async with self.taking.transaction():
            found = await self.taking.fetchval(_FIND)
            await self.taking.execute(_TAKE, found)
        return time.perf_counter() - began


@asynccontextmanager
async def queue(url: str) -> AsyncIterator[Queue]:
    async with lone_connection(url) as putting, lone_connection(url) as taking, lone_connection(url) as listener:
        await putting.execute(_WORK)
        woken = asyncio.Event()
        await listener.add_listener("work", lambda *_: woken.set())
        yield Queue(putting, taking, woken)
