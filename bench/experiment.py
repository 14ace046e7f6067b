"""What an experiment is, and where it runs."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.postgres import PostgresServer
from bench.rounds import Runner
from bench.rows import Comparison
from storage.database import Database, PoolLimits, database, served


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A folder with a short path, a PostgreSQL server, and whether the run is to be short."""

    folder: Path
    server: PostgresServer
    quick: bool

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    @asynccontextmanager
    async def database(self, limits: PoolLimits | None = None) -> AsyncIterator[tuple[Database, str]]:
        """A fresh, migrated database and its address; gone when the block ends."""
        async with self.server.database() as url, database(served(url), limits=limits) as opened:
            yield opened, url


Opened = AbstractAsyncContextManager[Mapping[str, Runner]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """Contestants that take turns, by their names, and the rows they make. `slow` ones are left out of a quick run."""

    key: str
    rows: tuple[Comparison, ...]
    contestants: Callable[[Lab], Opened]
    slow: bool = False
