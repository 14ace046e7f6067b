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
_ONE_AND_TELL = """
WITH stored AS (INSERT INTO floor (ticket_id, position, kind, payload) VALUES ($1, $2, $3, $4))
SELECT pg_notify('floor', $5)
"""


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
    insert = await poster.prepare(_ONE_AND_TELL)
    for position, event in enumerate(events):
        await insert.fetch(ticket, position, event.kind, event.payload, str(ticket))


def _hear(*_: object) -> None:
    """Somebody who would look now."""
