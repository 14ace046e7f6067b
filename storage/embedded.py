"""A private PostgreSQL in the data directory, for machines on which no service is installed.

Programs that use one data directory share one server. Each holds a shared lock on `users.lock` while it runs, so a
killed program counts no more; the last one to leave stops the server. A server that outlived its program is used again.
"""

import asyncio
import errno
import fcntl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import asyncpg
import structlog

from storage.binaries import MAJOR, programs_for, server_user
from storage.cluster import OWNER, Cluster, disk_full, try_lock
from storage.data_folder import make_folder, passwords, socket_dir
from storage.database import APP, SYSTEM, Addresses
from storage.errors import EmbeddedUnavailable

log = structlog.get_logger()

DATABASE = "viberator"

_ANSWER_LIMIT_S = 120
_POLL_S = 0.02
# What a server says, or a socket does, while it starts, stops or is not there.
_NOT_YET = (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError, asyncpg.AdminShutdownError)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedServer:
    """A running server, and the addresses of its three roles."""

    cluster: Cluster
    passwords: Mapping[str, str]
    starting: asyncio.Lock

    @property
    def addresses(self) -> Addresses:
        return Addresses(owner=self._dsn(OWNER), app=self._dsn(APP), system=self._dsn(SYSTEM))

    async def ensure_running(self) -> None:
        """Start the server again if it is gone; raises `EmbeddedUnavailable` when it cannot be."""
        async with self.starting, _locked(self.cluster.folder / "start.lock"):
            with _disk_errors(self.cluster.folder):
                await self._bring_up()

    async def _bring_up(self) -> None:
        if not (self.cluster.data / "PG_VERSION").exists():
            await self.cluster.create(self.passwords[OWNER])
        _check_version(self.cluster)
        try:
            async with asyncio.timeout(_ANSWER_LIMIT_S):
                while not await self._answers():
                    if self.cluster.is_alive():
                        await asyncio.sleep(_POLL_S)
                    else:
                        await self.cluster.start()
        except TimeoutError:
            raise EmbeddedUnavailable(
                reason=f"the database in {self.cluster.folder} runs but does not answer",
                advice=f"see {self.cluster.log}; end its processes and start again",
            ) from None

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.addresses.owner, timeout=5)
        except _NOT_YET:
            return False
        except asyncpg.InvalidCatalogNameError:
            await self._make_database()
            return True
        except asyncpg.InvalidPasswordError:
            raise EmbeddedUnavailable(
                reason=f"the passwords in {self.cluster.folder} are not those of its database",
                advice="restore passwords.json from a backup",
            ) from None
        await connection.close()
        return True

    async def _make_database(self) -> None:
        connection = await asyncpg.connect(self._dsn(OWNER, "postgres"))
        try:
            for role in (APP, SYSTEM):
                if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role):
                    await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{self.passwords[role]}'")
            # Last, because a database that exists says that the rest is done.
            await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

    def _dsn(self, role: str, database: str = DATABASE) -> str:
        return self.cluster.dsn(role, self.passwords[role], database)


@asynccontextmanager
async def embedded(data_dir: Path, settings: Mapping[str, str] | None = None) -> AsyncIterator[EmbeddedServer]:
    """A server over `data_dir`/postgres, started if none runs, and stopped by the last program that leaves.

    `settings` are PostgreSQL's own, and hold if this call is the one that starts it.
    Raises `EmbeddedUnavailable` with the operator's next step.
    """
    server = await _prepare(data_dir, settings or {})
    seat = await _take_seat(server.cluster.folder)
    try:
        await server.ensure_running()
        yield server
    finally:
        await _leave(server, seat)


async def _prepare(data_dir: Path, settings: Mapping[str, str]) -> EmbeddedServer:
    user = server_user()
    with _disk_errors(data_dir):
        folder = make_folder(data_dir, user)
        async with _locked(folder / "start.lock"):
            programs = await asyncio.to_thread(programs_for, user, folder)
            secret = passwords(folder, (OWNER, APP, SYSTEM))
    cluster = Cluster(
        folder=folder, programs=programs, socket_dir=socket_dir(folder, user), user=user, settings=settings
    )
    return EmbeddedServer(cluster=cluster, passwords=secret, starting=asyncio.Lock())


async def _leave(server: EmbeddedServer, seat: BinaryIO) -> None:
    folder = server.cluster.folder
    async with _locked(folder / "start.lock"):
        seat.close()
        with (folder / "users.lock").open("ab") as users:
            if try_lock(users.fileno()) and server.cluster.is_alive():
                log.info("database.stopping", folder=str(folder))
                await server.cluster.stop()


async def _take_seat(folder: Path) -> BinaryIO:
    # A leaving program looks for seats under this lock, so ours is seen or the server is not stopped under us.
    async with _locked(folder / "start.lock"):
        seat = (folder / "users.lock").open("ab")
        try_lock(seat.fileno(), fcntl.LOCK_SH)
        return seat


@asynccontextmanager
async def _locked(file: Path) -> AsyncIterator[None]:
    """Hold a lock among programs; waiting for it leaves the event loop free."""
    with file.open("ab") as opened:
        # The kernel wakes nobody's event loop for a file lock.
        while not try_lock(opened.fileno()):  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
        yield


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # Copying a tree tells all its errors in one, by their words alone.
        if error.errno == errno.ENOSPC or "No space left on device" in str(error):
            raise disk_full(folder) from error
        raise EmbeddedUnavailable(
            reason=f"cannot write in {folder}: {error.strerror}", advice="choose another data_dir"
        ) from error
    except asyncpg.DiskFullError as error:
        raise disk_full(folder) from error


def _check_version(cluster: Cluster) -> None:
    found = (cluster.data / "PG_VERSION").read_text(encoding="ascii").strip()
    if found != MAJOR:
        raise EmbeddedUnavailable(
            reason=f"{cluster.data} was made by PostgreSQL {found}, and this is {MAJOR}",
            advice="use the Viberator that made it, or choose another data_dir",
        )
