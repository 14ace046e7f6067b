"""The connections to PostgreSQL: one pool for each of the two roles.

`app` is bound to one workspace by row-level security; `system` crosses workspaces. Each transaction of `app` names its
workspace, and the server adds it to every statement. Where one login serves both (`DATABASE_URL`), the pools change
to their role as they connect, so that even a superuser's login is neither superuser nor BYPASSRLS afterwards.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from sessions.models import WorkspaceId
from storage.errors import (
    ConstraintBroken,
    DatabaseFull,
    DatabaseRefused,
    DatabaseUnavailable,
    Deadlocked,
    StatementTimedOut,
    TransactionUndone,
)

if TYPE_CHECKING:
    Connection: TypeAlias = PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    LoneConnection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Connection = PoolConnectionProxy
    Pool = asyncpg.Pool
    LoneConnection = asyncpg.Connection

APP = "viberator_app"
SYSTEM = "viberator_system"

Revive = Callable[[], Awaitable[None]]
"""Starts the server again where it is ours; raises `EmbeddedUnavailable`."""

_UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    # Shutting down, starting up, dropped; out of connections or memory; a disk that cannot be read.
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    # A standby that is not promoted yet.
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    # What a connection says that broke while it was given to somebody.
    asyncpg.InternalClientError,
)


_REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    # A pool's role that no migration has made.
    asyncpg.InvalidParameterValueError,
    asyncpg.ClientConfigurationError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Connection strings by role; `owner` may change the schema."""

    owner: str
    app: str
    system: str


def served(url: str) -> Addresses:
    """One login for everything; it must be a member of both roles, which migrating makes it."""
    return Addresses(owner=url, app=url, system=url)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """Connections by pool, and times in seconds."""

    app: int = 10
    system: int = 5
    statement_s: float = 15.0
    connect_s: float = 5.0
    patience_s: float = 2.0
    idle_in_transaction_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Transactions of `app` and connections of `system`; what runs on them is `storage.statements`' to translate."""

    app_pool: Pool
    system_pool: Pool
    limits: PoolLimits = field(default_factory=PoolLimits)

    @asynccontextmanager
    async def app(self, workspace: WorkspaceId) -> AsyncIterator[Connection]:
        """A transaction that sees and changes this workspace's rows only."""
        async with self._connection(self.app_pool) as connection, _transaction(connection, _begin(workspace)):
            yield connection

    @asynccontextmanager
    async def snapshot(self, workspace: WorkspaceId) -> AsyncIterator[Connection]:
        """A transaction whose statements all see this workspace's rows as they are at one moment; it changes nothing."""
        begin = _begin(workspace, "ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        async with self._connection(self.app_pool) as connection, _transaction(connection, begin):
            yield connection

    @asynccontextmanager
    async def system(self) -> AsyncIterator[Connection]:
        """A connection that crosses workspaces; each statement is a transaction of its own."""
        async with self._connection(self.system_pool) as connection:
            yield connection

    @asynccontextmanager
    async def system_transaction(self) -> AsyncIterator[Connection]:
        async with self._connection(self.system_pool) as connection, _transaction(connection, "BEGIN"):
            yield connection

    @asynccontextmanager
    async def _connection(self, pool: Pool) -> AsyncIterator[Connection]:
        with translated(), _refusals():
            connection = await pool.acquire(timeout=self.limits.connect_s + self.limits.patience_s)
        try:
            yield connection
        finally:
            with translated():
                await pool.release(connection)


@asynccontextmanager
async def database(
    addresses: Addresses, *, limits: PoolLimits | None = None, revive: Revive | None = None
) -> AsyncIterator[Database]:
    """Both pools, open while the block runs; raises `DatabaseUnavailable` when the server cannot be reached."""
    bounds = limits or PoolLimits()
    connector = _Connector(patience_s=bounds.patience_s, revive=revive)
    async with AsyncExitStack() as stack:
        with translated(), _refusals():
            app = await stack.enter_async_context(_pool(addresses.app, APP, bounds.app, bounds, connector))
            system = await stack.enter_async_context(_pool(addresses.system, SYSTEM, bounds.system, bounds, connector))
        yield Database(app_pool=app, system_pool=system, limits=bounds)


@asynccontextmanager
async def lone_connection(dsn: str, *, role: str | None = None) -> AsyncIterator[LoneConnection]:
    """A connection outside the pools, with no limit on its statements: for migrating and for listening."""
    settings = {"application_name": "viberator"} | ({"role": role} if role else {})
    with translated(), _refusals():
        connection = await asyncpg.connect(dsn, server_settings=settings, timeout=10)
    try:
        with translated():
            yield connection
    finally:
        connection.terminate() if connection.is_closed() else await _close(connection)


async def _close(connection: LoneConnection) -> None:
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        await connection.close(timeout=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Connector:
    """Makes a pool's connections; while the server is away or starting it tries for a while."""

    patience_s: float
    revive: Revive | None

    async def __call__(self, *args: object, **options: object) -> LoneConnection:
        revive, wait_s = self.revive, 0.05
        loop = asyncio.get_running_loop()
        until = loop.time() + self.patience_s
        while True:
            try:
                connection: LoneConnection = await asyncpg.connect(*args, **options)  # type: ignore[call-overload]
            except _UNREACHABLE:
                if revive is None and loop.time() + wait_s > until:
                    raise
            else:
                return connection
            if revive is not None:
                await revive()
                revive = None
            else:
                await asyncio.sleep(wait_s)
                wait_s *= 2


def _pool(dsn: str, role: str, size: int, limits: PoolLimits, connector: _Connector) -> Pool:
    settings = {
        "application_name": "viberator",
        "role": role,
        "timezone": "UTC",
        # Short statements only: compiling one takes longer than running it.
        "jit": "off",
        "statement_timeout": f"{limits.statement_s * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{limits.idle_in_transaction_s * 1000:.0f}",
    }
    return asyncpg.create_pool(
        dsn,
        connect=connector,
        reset=_keep,
        # One at once, to see that it can be had; none is made anew unless somebody wants it.
        min_size=0,
        init_size=1,
        max_inactive_connection_lifetime=0,
        max_size=size,
        timeout=limits.connect_s,
        # Longer than the server's own limit, which speaks first unless the connection is silently dead.
        command_timeout=limits.statement_s + 5,
        statement_cache_size=300,
        max_cached_statement_lifetime=0,
        server_settings=settings,
    )


async def _keep(_connection: object) -> None:
    """Nothing is changed on a connection beyond its transaction, so a reset would be a round trip for nothing."""


def _begin(workspace: WorkspaceId, mode: str = "") -> str:
    # A UUID cannot carry SQL, and in one simple query the workspace costs no round trip of its own.
    return f"BEGIN {mode}; SELECT set_config('viberator.workspace', '{workspace}', true)"


@asynccontextmanager
async def _transaction(connection: Connection, begin: str) -> AsyncIterator[None]:
    with translated():
        await connection.execute(begin)
    try:
        yield
    except BaseException:
        # A broken connection rolls back by itself, and what broke it is the better error.
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            await connection.execute("ROLLBACK")
        raise
    with translated():
        ended = await connection.execute("COMMIT")
    if ended != "COMMIT":
        raise TransactionUndone


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except _REFUSED as error:
        raise DatabaseRefused(str(error)) from error


@contextmanager
def translated() -> Iterator[None]:
    """Turn the library's errors into ours."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise ConstraintBroken(error.constraint_name or error.column_name or "", str(error)) from error
    except asyncpg.DiskFullError as error:
        raise DatabaseFull(str(error)) from error
    except asyncpg.QueryCanceledError as error:
        raise StatementTimedOut(str(error)) from error
    except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
        raise Deadlocked(str(error)) from error
    except asyncpg.InterfaceError as error:
        # The library has one class for a closed connection and for its own misuse.
        if "clos" not in str(error):
            raise
        raise DatabaseUnavailable(str(error)) from error
    except _UNREACHABLE as error:
        raise DatabaseUnavailable(str(error) or type(error).__name__) from error
