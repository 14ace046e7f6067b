"""The composition root: the only place that names concrete classes of every layer.

`connect` opens what the settings name and answers it as ports; `assemble` puts the program together from ports alone, so
that tests assemble it from their own; `running` runs the parts in one task group and takes them down in order.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import structlog

from bot.ambient import RandomIds, SystemClock
from bot.bindings import LedgerBindings
from bot.engines import kept_name
from bot.settings import Settings, environment
from conversations.delivery import Courier
from conversations.intake import Intake
from conversations.models import Installation
from conversations.ports import Leases, Outlet, ThreadStore
from conversations.rendering import Links
from runners.callback import CallbackServer
from runners.errors import SocketUnusable
from runners.hosts.git import GitHost
from runners.mirrors import GitMirrors
from runners.process import ProcessRunner, inherited
from sessions.desk import Desk
from sessions.ingest import Ingest
from sessions.models import AgentProfile, InstallationId, Limits, ProjectId, WorkspaceId
from sessions.ports import Blobs, Clock, Dispatch, FrameLog, Host, Ids, Ledger, Mirrors, Runner, Signals
from sessions.redaction import Redactor
from sessions.service import TicketService
from sessions.supervisor import Engine, Supervisor
from storage.blobs import DirectoryBlobs
from storage.database import Addresses, Database, Revive, database, served
from storage.dispatch import PostgresDispatch
from storage.embedded import embedded
from storage.frames import PostgresFrameLog
from storage.leases import PostgresLeases
from storage.ledger import PostgresLedger
from storage.migrate import migrate, pending_migrations
from storage.registry import Registry
from storage.signals import LocalSignals, PostgresSignals
from storage.system import System
from storage.threads import PostgresThreads

log = structlog.get_logger()

PARTS = frozenset({"delivery", "supervisor", "worker-api", "web"})
SOCKET_BYTES = 90
"""A unix socket's address holds 108 bytes on Linux, 104 elsewhere, and a name that is being made is a little longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside the two domains, by what it is used for."""

    ledger: Ledger
    dispatch: Dispatch
    frame_log: FrameLog
    threads: ThreadStore
    leases: Leases
    signals: Signals
    runner: Runner
    mirrors: Mirrors
    host: Host
    blobs: Blobs
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this process is: `engine` finds its launches again after a restart, `owner` holds its leases.

    No two living processes have the same of either. `door` names the socket that workers call, and stays the same with
    the engine, for workers that outlive a bot. `only` limits it to one installation's sessions, as a terminal's process is.
    """

    engine: str
    owner: str
    data_dir: Path
    door: str = "bot"
    only: InstallationId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The program, put together and not yet running."""

    ports: Ports
    service: TicketService
    intake: Intake
    courier: Courier
    ingest: Ingest
    supervisor: Supervisor
    callback: CallbackServer
    socket: Path


def assemble(
    ports: Ports,
    identity: Identity,
    *,
    installations: Mapping[InstallationId, Installation],
    outlets: Mapping[str, Outlet],
    agents: Mapping[str, AgentProfile],
    limits: Limits,
    secrets: tuple[str, ...] = (),
    public_url: str = "",
) -> App:
    """Put the domains together over the ports. `agents` hold what the database does not: environments with keys."""
    service = TicketService(ledger=ports.ledger, signals=ports.signals, clock=ports.clock, ids=ports.ids)
    ingest = Ingest(log=ports.frame_log)
    redactor = Redactor((*secrets, *_values(agents)))
    desk = _desk(ports, ingest, redactor, limits, agents)
    where = worker_socket(identity.data_dir, identity.door)
    return App(
        ports=ports,
        service=service,
        intake=Intake(
            service,
            ports.threads,
            installations=installations,
            bindings=LedgerBindings(ledger=ports.ledger, installations=installations),
        ),
        courier=Courier(
            ports.threads,
            ports.leases,
            outlets,
            ports.signals,
            ports.clock,
            identity.owner,
            links=Links(public_url=public_url),
        ),
        ingest=ingest,
        supervisor=_supervisor(ports, identity, where, redactor),
        callback=CallbackServer(desk, ports.blobs, ports.mirrors, spool=identity.data_dir / "spool"),
        socket=where,
    )


def _desk(ports: Ports, ingest: Ingest, redactor: Redactor, limits: Limits, agents: Mapping[str, AgentProfile]) -> Desk:
    return Desk(
        ledger=ports.ledger,
        log=ports.frame_log,
        ingest=ingest,
        host=ports.host,
        signals=ports.signals,
        clock=ports.clock,
        ids=ports.ids,
        redactor=redactor,
        limits=limits,
        agents=agents,
    )


def _supervisor(ports: Ports, identity: Identity, where: Path, redactor: Redactor) -> Supervisor:
    return Supervisor(
        ledger=ports.ledger,
        dispatch=ports.dispatch,
        runner=ports.runner,
        mirrors=ports.mirrors,
        signals=ports.signals,
        clock=ports.clock,
        ids=ports.ids,
        engine=Engine(
            name=identity.engine,
            socket=where,
            directory=identity.data_dir / "sessions",
            installation=identity.only,
        ),
        redactor=redactor,
    )


def _values(agents: Mapping[str, AgentProfile]) -> tuple[str, ...]:
    return tuple(value for agent in agents.values() for _, value in agent.environment)


def worker_socket(data_dir: Path, door: str) -> Path:
    """Where workers call back: below the data directory, or where its path is too long, in a directory of our own.

    The same after every restart. Raises `SocketUnusable` where somebody else has that directory.
    """
    wanted = data_dir / "run" / f"{door}.sock"
    if len(bytes(wanted)) <= SOCKET_BYTES:
        return wanted
    folder = Path(tempfile.gettempdir()) / f"viberator-{sha256(bytes(data_dir)).hexdigest()[:16]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise SocketUnusable(folder, "it belongs to somebody else", "remove it, or choose a shorter data_dir")
    return folder / f"{door}.sock"


@asynccontextmanager
async def running(app: App, parts: frozenset[str] = PARTS) -> AsyncIterator[None]:
    """Run the parts while the block runs; then let workers save their work, tell the threads, and stop."""
    async with AsyncExitStack() as stack:
        if "worker-api" in parts:
            app.socket.parent.mkdir(parents=True, exist_ok=True)
            await app.callback.start(app.socket)
            stack.push_async_callback(app.callback.close)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        started = [tasks.create_task(part, name=name) for name, part in _parts(app, parts).items()]
        try:
            yield
        finally:
            if "supervisor" in parts:
                await app.supervisor.drain()
            if "delivery" in parts:
                await app.courier.deliver_all()
            for task in started:
                task.cancel()


def _parts(app: App, parts: frozenset[str]) -> Mapping[str, Coroutine[None, None, None]]:
    running_parts: dict[str, Coroutine[None, None, None]] = {}
    if isinstance(app.ports.signals, PostgresSignals):
        running_parts["signals"] = app.ports.signals.run()
    if "worker-api" in parts:
        running_parts["ingest"] = app.ingest.run()
    if "delivery" in parts:
        running_parts["courier"] = app.courier.run()
    if "supervisor" in parts:
        running_parts["supervisor"] = app.supervisor.run()
    return running_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """What `connect` opened."""

    ports: Ports
    database: Database
    registry: Registry


@asynccontextmanager
async def server(settings: Settings) -> AsyncIterator[tuple[Addresses, Revive | None]]:
    """The database server of the settings; a private one in the data directory where none is named."""
    if settings.database.url is not None:
        yield served(settings.database.url.get_secret_value()), None
        return
    async with embedded(settings.data_dir) as ours:
        yield ours.addresses, ours.ensure_running


async def schema_brought_up_to_date(settings: Settings) -> tuple[str, ...]:
    """The names of the migrations that were applied."""
    async with server(settings) as (addresses, _):
        return tuple(f"{applied.number:04}_{applied.name}" for applied in await migrate(addresses.owner))


async def pending_schema(settings: Settings) -> tuple[str, ...]:
    """The names of the migrations that are still to be applied; changes nothing."""
    async with server(settings) as (addresses, _):
        return tuple(f"{found.number:04}_{found.name}" for found in await pending_migrations(addresses.owner))


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[tuple[Addresses, Database]]:
    """The database of the settings, its schema up to date."""
    async with server(settings) as (addresses, revive):
        await migrate(addresses.owner)
        async with database(addresses, revive=revive) as opened:
            yield addresses, opened


@asynccontextmanager
async def connect(settings: Settings, *, launches: bool = False) -> AsyncIterator[Connected]:
    """Open everything the settings name, and answer it as ports. Who `launches` sessions has a worker ready early."""
    runner = ProcessRunner(inherited(environment()))
    if launches:
        # What it imports takes as long as the database does to start.
        runner.get_ready()
    async with open_database(settings) as (addresses, opened):
        system, ids = System(opened), RandomIds()
        shared = settings.database.url is not None
        signals = (
            PostgresSignals(system=system, dsn=addresses.system, replica=ids.uuid().hex) if shared else LocalSignals()
        )
        mirrors = GitMirrors(settings.data_dir / "mirrors", environment=environment())
        ports = Ports(
            ledger=PostgresLedger(opened),
            dispatch=PostgresDispatch(system),
            frame_log=PostgresFrameLog(system, signals),
            threads=PostgresThreads(system=system),
            leases=PostgresLeases(system=system),
            signals=signals,
            runner=runner,
            mirrors=mirrors,
            host=GitHost(mirrors, settings.data_dir / "hosts", environment=environment()),
            blobs=DirectoryBlobs(settings.data_dir / "blobs"),
            clock=SystemClock(),
            ids=ids,
        )
        yield Connected(ports=ports, database=opened, registry=Registry(opened))


async def default_workspace(connected: Connected) -> WorkspaceId:
    """The workspace of whoever runs the bot for one team."""
    return await connected.registry.ensure_workspace("default", new=WorkspaceId(connected.ports.ids.uuid()))


async def declare_projects(connected: Connected, settings: Settings) -> None:
    """Make the projects of the settings so, and leave the others to commands.

    Their channels are bound wherever an installation of the platform is known; a channel that they lost stands for none.
    """
    registry, workspace = connected.registry, await default_workspace(connected)
    agents = {table.name: table.profile() for table in settings.agents}
    installations = [found for found in await registry.installations() if found.workspace == workspace]
    for table in settings.projects:
        wanted = table.project(ProjectId(connected.ports.ids.uuid()), workspace, agents.get(table.agent))
        project = await registry.put_project(wanted)
        assert project is not None
        await registry.unbind_channels(workspace, project.id)
        for installation, channel in places(table.channels, installations):
            await registry.bind_channel(workspace, installation.id, channel, project.id)
    await registry.undeclare_projects(workspace, still_declared=[table.name for table in settings.projects])


def places(channels: Sequence[str], installations: Sequence[Installation]) -> Iterator[tuple[Installation, str]]:
    """Each channel, written as platform:id, in every installation of that platform."""
    for platform, _, channel in (named.partition(":") for named in channels):
        for installation in installations:
            if installation.platform == platform:
                yield installation, channel


def engine_name(settings: Settings) -> str:
    """The same after every restart over this data directory, whatever the machine is called by then."""
    return kept_name(settings.data_dir)
