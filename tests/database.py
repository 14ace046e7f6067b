"""PostgreSQL for tests: one server a process, and a fresh, migrated database for each test that asks."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from storage.binaries import programs_for, server_user
from storage.cluster import OWNER, Cluster
from storage.database import Database, PoolLimits, database, served
from storage.migrate import migrate
from tests.parts import postgres_binaries

PASSWORD = "no-secret-here"
TEMPLATE = "migrated"
# What a test stores need not survive the machine.
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}

_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A throwaway server; its superuser is the login that an operator's DATABASE_URL may well have."""

    cluster: Cluster
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, name: str = "postgres") -> str:
        return self.cluster.dsn(OWNER, PASSWORD, name)

    async def new_database(self, template: str = TEMPLATE) -> str:
        """A new database's name."""
        name = f"test_{next(self.numbers)}"
        await self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name

    async def drop_database(self, name: str) -> None:
        await self.run(f"DROP DATABASE {name} WITH (FORCE)")

    async def run(self, sql: str, name: str = "postgres") -> None:
        connection = await asyncpg.connect(self.url(name))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The PostgreSQL that comes with the wheel, with a migrated template."""
    with (
        short_folder() as keep,
        short_folder(quick=True) as folder,
        _running(folder, programs_for(server_user(), keep)) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def postgres15() -> Iterator[PostgresServer]:
    """The oldest PostgreSQL we promise; tests that use it say `@pytest.mark.needs("pg15")`."""
    programs = postgres_binaries(15)
    assert programs is not None
    with short_folder(quick=True) as folder, _running(folder, programs) as server:
        yield server


@pytest.fixture
async def database_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """The address of a fresh, migrated database."""
    name = await postgres.new_database()
    yield postgres.url(name)
    await postgres.drop_database(name)


@pytest.fixture(name="database")
async def fresh_database(database_url: str) -> AsyncIterator[Database]:
    """Both roles' pools over a fresh, migrated database."""
    async with database(served(database_url), limits=PoolLimits(app=4, system=4)) as opened:
        yield opened


@pytest.fixture
async def own_server() -> AsyncIterator[Cluster]:
    """A server that a test may stop."""
    with short_folder() as folder:
        user = server_user()
        cluster = Cluster(
            folder=folder,
            programs=programs_for(user, folder),
            socket_dir=folder / "run",
            user=user,
            settings={"fsync": "off"},
        )
        await cluster.create(PASSWORD)
        await cluster.start()
        yield cluster
        if cluster.is_alive():
            await cluster.stop()


@contextmanager
def short_folder(*, quick: bool = False) -> Iterator[Path]:
    """A new folder which every user can enter and whose path leaves room for a socket's name; if `quick`, in memory."""
    place = _MEMORY if quick and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES else Path("/tmp")
    folder = Path(tempfile.mkdtemp(prefix="vib-", dir=place))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(folder: Path, programs: Path) -> Iterator[PostgresServer]:
    cluster = Cluster(
        folder=folder, programs=programs, socket_dir=folder / "run", user=server_user(), settings=_CARELESS
    )
    server = PostgresServer(cluster)
    asyncio.run(_start(server))
    try:
        yield server
    finally:
        asyncio.run(cluster.stop())


async def _start(server: PostgresServer) -> None:
    await server.cluster.create(PASSWORD)
    await server.cluster.start()
    await server.run(f"CREATE DATABASE {TEMPLATE}")
    await migrate(server.url(TEMPLATE))
