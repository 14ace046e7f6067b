"""A PostgreSQL of the bench's own, on a unix socket, with the settings of real life: what is committed is on the disk."""

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from storage.binaries import programs_for, server_user
from storage.cluster import OWNER, Cluster
from storage.migrate import migrate

_PASSWORD = "no-secret-here"  # noqa: S105 (the server listens on a socket of ours alone and lives for one run)
_TEMPLATE = "migrated"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    cluster: Cluster
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """The address of a fresh, migrated database, dropped when the block ends."""
        name = f"bench_{next(self.numbers)}"
        await self.run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        try:
            yield self.url(name)
        finally:
            await self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        return self.cluster.dsn(OWNER, _PASSWORD, name)

    async def run(self, sql: str) -> None:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def make_template(self) -> None:
        await self.run(f"CREATE DATABASE {_TEMPLATE}")
        await migrate(self.url(_TEMPLATE))


@asynccontextmanager
async def postgres_server(folder: Path) -> AsyncIterator[PostgresServer]:
    """The server with a migrated template, while the block runs. `folder` can be entered by every user."""
    user = server_user()
    cluster = Cluster(
        folder=folder,
        programs=programs_for(user, folder),
        socket_dir=folder / "run",
        user=user,
        # The base with a connection a poster needs more than a bot does.
        settings={"max_connections": "120"},
    )
    await cluster.create(_PASSWORD)
    await cluster.start()
    try:
        server = PostgresServer(cluster)
        await server.make_template()
        yield server
    finally:
        await cluster.stop()
