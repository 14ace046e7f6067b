"""The whole program while its database is away, refuses to be written to, or fails in ways that nobody thought of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from bot.ambient import RandomIds, SystemClock
from bot.app import App, Identity, Ports, assemble, running
from conversations.models import IncomingMessage
from runners.worker.link import Link, connect
from runners.worker.outbox import Batch
from sessions.acts import Standing
from sessions.models import Limits, SessionState
from sessions.ports import Place, Unavailable
from storage.blobs import DirectoryBlobs
from storage.cluster import OWNER, Cluster
from storage.database import Database, PoolLimits, database, served
from storage.dispatch import PostgresDispatch
from storage.frames import PostgresFrameLog
from storage.leases import PostgresLeases
from storage.ledger import PostgresLedger
from storage.migrate import migrate
from storage.signals import PostgresSignals
from storage.system import System
from storage.threads import PostgresThreads
from tests.bureau import ENGINE, Bureau, opened
from tests.database import PASSWORD, short_folder
from tests.eventually import eventually, eventually_so
from tests.fakes import FakeHost, FakeRunner
from tests.fakes_desk import FakeMirrors
from tests.fakes_outlet import JournalOutlet

LIMITS = PoolLimits(statement_s=2, connect_s=1, patience_s=0.2)
AWAY_S = 3.0
WITHIN_S = 30.0


@dataclass
class Running:
    """The program over a real database, with workers, repositories and a platform that are names."""

    app: App
    bureau: Bureau
    runner: FakeRunner
    outlet: JournalOutlet
    cluster: Cluster
    said: int = field(default=0)

    def place(self, thread: str) -> Place:
        return Place(installation=self.bureau.installation.id, channel="C1", thread=thread)

    async def say(self, text: str, *, thread: str = "t1") -> None:
        self.said += 1
        incoming = IncomingMessage(
            place=self.place(thread),
            message_id=f"m{self.said}",
            person=self.bureau.person(),
            text=text,
            at=datetime.now(UTC),
        )
        await self.app.intake.message(incoming)

    async def standing(self, thread: str = "t1") -> Standing:
        found = await self.app.service.find_at(self.bureau.workspace, self.place(thread))
        assert found is not None
        return found

    async def launched(self, number: int) -> None:
        await eventually(lambda: len(self.runner.orders) >= number, within_s=WITHIN_S)

    async def told(self) -> None:
        """Everything was delivered."""

        async def holds() -> bool:
            return not await self.app.ports.threads.dirty(outlets=[self.outlet.key], limit=1)

        await eventually_so(holds, within_s=WITHIN_S)

    @asynccontextmanager
    async def worker(self, number: int) -> AsyncIterator[Link]:
        """The worker of that launch calling the bot."""
        order = self.runner.orders[number - 1]
        async with connect(order.socket, launch=str(order.launch), token=order.token, patience_s=60) as link:
            yield link

    def end(self, number: int) -> None:
        self.runner.end(f"worker-{self.runner.orders[number - 1].launch}")

    @asynccontextmanager
    async def without_database(self) -> AsyncIterator[None]:
        await self.cluster.stop()
        try:
            yield
            await asyncio.sleep(AWAY_S)  # so that every loop has looked for it in vain
        finally:
            await self.cluster.start()


@asynccontextmanager
async def running_bot(own_server: Cluster) -> AsyncIterator[Running]:
    url = own_server.dsn(OWNER, PASSWORD, "postgres")
    await migrate(url)
    with short_folder(quick=True) as folder:
        async with database(served(url), limits=LIMITS) as connected, opened(connected) as bureau:
            runner, outlet = FakeRunner(), JournalOutlet(key=bureau.installation.outlet)
            app = _app(connected, bureau, runner, outlet, url, folder)
            async with running(app):
                yield Running(app=app, bureau=bureau, runner=runner, outlet=outlet, cluster=own_server)


def _app(connected: Database, bureau: Bureau, runner: FakeRunner, outlet: JournalOutlet, url: str, folder: Path) -> App:
    system = System(connected)
    signals = PostgresSignals(system=system, dsn=url, replica="this one", retry_s=0.2)
    ports = Ports(
        ledger=PostgresLedger(connected),
        dispatch=PostgresDispatch(system),
        frame_log=PostgresFrameLog(system, signals),
        threads=PostgresThreads(system=system),
        leases=PostgresLeases(system=system),
        signals=signals,
        runner=runner,
        mirrors=FakeMirrors(),
        host=FakeHost(),
        blobs=DirectoryBlobs(folder / "blobs"),
        clock=SystemClock(),
        ids=RandomIds(),
    )
    return assemble(
        ports,
        Identity(engine=ENGINE, owner="this one", data_dir=folder),
        installations={bureau.installation.id: bureau.installation},
        outlets={outlet.key: outlet},
        agents={},
        limits=Limits(),
    )


def said(first: int, text: str) -> Batch:
    return Batch(first, ({"kind": "agent_said", "message": "m", "text": text},))


async def test_the_bot_goes_on_when_its_database_comes_back(own_server: Cluster) -> None:
    async with running_bot(own_server) as bot:
        await bot.say("fix it")
        await bot.launched(1)
        async with bot.worker(1) as link:
            assert (await link.post(said(1, "Let me look."))).last == 1
            await bot.told()
            async with bot.without_database():
                with pytest.raises(Unavailable):
                    await bot.say("lost, unless it is said again", thread="t2")
                reporting = asyncio.create_task(link.post(said(2, " There it is.")))
                hearing = asyncio.create_task(link.inputs(after=0, wait_s=20))
            assert (await reporting).last == 2
            await bot.say("and the docs")
            (heard,) = (await hearing).inputs
            assert heard.text == "and the docs"
        await bot.told()
        assert bot.outlet.posts == ["root", "progress/1"]


async def test_a_worker_that_ends_while_the_database_is_away_is_replaced(own_server: Cluster) -> None:
    async with running_bot(own_server) as bot:
        await bot.say("fix it")
        await bot.launched(1)
        async with bot.without_database():
            bot.end(1)
        await bot.launched(2)
        assert (await bot.standing()).session.state is SessionState.WORKING


async def test_a_database_that_refuses_writes_for_a_while_ends_nothing(own_server: Cluster) -> None:
    async with running_bot(own_server) as bot:
        await bot.say("fix it")
        await bot.launched(1)
        await bot.told()
        await only_reading(bot, "on")
        for number in range(3):
            with pytest.raises(Unavailable):
                await bot.say("not now", thread=f"t{number}")
        bot.end(1)
        await bot.app.ports.signals.notify("threads")
        await bot.app.ports.signals.notify("sessions")
        await asyncio.sleep(AWAY_S)
        await only_reading(bot, "off")
        await bot.launched(2)
        await bot.say("and the docs")
        await bot.told()


async def only_reading(bot: Running, switch: str) -> None:
    """As after a failover to a standby that is not promoted yet."""
    connection = await asyncpg.connect(bot.cluster.dsn(OWNER, PASSWORD, "postgres"))
    try:
        await connection.execute("SET default_transaction_read_only = off")
        await connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {switch}")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()
    await asyncio.sleep(0.2)
