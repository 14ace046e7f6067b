"""The few statements that cross workspaces, in sql/system.sql; nothing else runs as the role viberator_system."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg

from storage.database import Database
from storage.queries import load
from storage.statements import Statements

STATEMENTS: Final = load("system")


@dataclass(frozen=True, slots=True)
class System:
    """Runs statements across workspaces, each in a transaction of its own unless one is opened."""

    database: Database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Statements]:
        async with self.database.system_transaction() as connection:
            yield Statements(connection, STATEMENTS)

    async def run(self, name: str, *values: object) -> int:
        async with self.database.system() as connection:
            return await Statements(connection, STATEMENTS).run(name, *values)

    async def rows(self, name: str, *values: object) -> list[asyncpg.Record]:
        async with self.database.system() as connection:
            return await Statements(connection, STATEMENTS).rows(name, *values)

    async def row(self, name: str, *values: object) -> asyncpg.Record | None:
        async with self.database.system() as connection:
            return await Statements(connection, STATEMENTS).row(name, *values)
