"""`viberator serve`: the bot as a service, whole or in parts; as many processes as wanted share one database."""

import argparse
import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from bot.app import (
    PARTS,
    Connected,
    Identity,
    assemble,
    connect,
    declare_projects,
    engine_name,
    running,
)
from bot.cli import DONE
from bot.commands.outcome import CommandFailed, WrongUsage, logged, settings_of, tell
from bot.seats import seat
from bot.settings import Settings, secrets_of
from sessions.ports import Unavailable
from web.server import listening, page

log = structlog.get_logger()


def run(options: argparse.Namespace) -> int:
    return tell(_serve(options))


async def _serve(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    parts = _parts(options.only)
    with logged(settings.logs):
        async with connect(settings, launches="supervisor" in parts) as connected:
            await declare_projects(connected, settings)
            with seat(settings.data_dir / "run") as number:
                await _run(settings, connected, parts, _identity(settings, connected, number))
    return DONE


def _identity(settings: Settings, connected: Connected, number: int) -> Identity:
    """Of the processes that share our data directory, the first has its name alone, the next have numbers."""
    name = engine_name(settings)
    return Identity(
        engine=name if number == 1 else f"{name}#{number}",
        # Hosts may be called the same, and two who believe to hold one lease would send everything twice.
        owner=f"serve:{socket.gethostname()}:{connected.ports.ids.uuid()}",
        door=f"serve-{number}",
        data_dir=settings.data_dir,
    )


async def _run(settings: Settings, connected: Connected, parts: frozenset[str], identity: Identity) -> None:
    installations = {found.id: found for found in await connected.registry.installations()}
    app = assemble(
        connected.ports,
        identity,
        installations=installations,
        outlets={},
        agents={table.name: table.profile() for table in settings.agents},
        limits=settings.limits.limits(),
        secrets=secrets_of(settings),
        public_url=settings.web.public_url or "",
    )
    async with AsyncExitStack() as stack:
        if "web" in parts:
            await stack.enter_async_context(_web(settings, connected))
        await stack.enter_async_context(running(app, parts))
        log.info("serving", parts=sorted(parts), engine=identity.engine, owner=identity.owner)
        await asyncio.Event().wait()


@asynccontextmanager
async def _web(settings: Settings, connected: Connected) -> AsyncIterator[None]:
    host, port = settings.web.host, settings.web.port
    async with AsyncExitStack() as stack:
        try:
            there = await stack.enter_async_context(listening(page(DatabaseReadiness(connected)), host=host, port=port))
        except OSError as refused:
            raise CommandFailed(
                f"the web page cannot listen on {host}:{port}: {refused.strerror or refused}; set web.host and web.port, "
                "or leave it out with --only delivery,supervisor,worker-api"
            ) from refused
        log.info("web.listening", host=host, port=there)
        yield


@dataclass(frozen=True, slots=True)
class DatabaseReadiness:
    """Ready when the database answers; implements `web.health.Readiness`."""

    connected: Connected

    async def missing(self) -> tuple[str, ...]:
        try:
            await self.connected.registry.installations()
        except Unavailable as gone:
            return (gone.part,)
        return ()


def _parts(only: str | None) -> frozenset[str]:
    if only is None:
        return PARTS
    wanted = frozenset(part.strip() for part in only.split(",") if part.strip())
    if unknown := sorted(wanted - PARTS):
        raise WrongUsage(f"--only knows no {', '.join(unknown)}; the parts are {', '.join(sorted(PARTS))}")
    return wanted
