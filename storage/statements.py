"""Named statements on one connection."""

from dataclasses import dataclass

import asyncpg

from sessions.sanitising import storable
from storage.database import Connection, translated
from storage.queries import Queries


@dataclass(frozen=True, slots=True)
class Statements:
    """Runs statements by name. Text that PostgreSQL cannot hold is made storable on its way, the library's errors are ours."""

    connection: Connection
    queries: Queries

    async def run(self, name: str, *values: object) -> int:
        """How many rows it changed."""
        with translated():
            status = await self.connection.execute(self.queries[name], *_storable(values))
        return int(status.rpartition(" ")[2])

    async def rows(self, name: str, *values: object) -> list[asyncpg.Record]:
        with translated():
            return await self.connection.fetch(self.queries[name], *_storable(values))

    async def row(self, name: str, *values: object) -> asyncpg.Record | None:
        with translated():
            return await self.connection.fetchrow(self.queries[name], *_storable(values))

    async def value(self, name: str, *values: object) -> object:
        """The first column of the first row."""
        with translated():
            return await self.connection.fetchval(self.queries[name], *_storable(values))


def _storable(values: tuple[object, ...]) -> list[object]:
    return [storable(value) if isinstance(value, str) else value for value in values]
