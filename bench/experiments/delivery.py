"""G3: how soon an event that is stored reaches the platform, against a poller that looks every two seconds."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bench.experiment import Experiment, Lab
from bench.goals import AtMost
from bench.latencies import percentile, waits
from bench.office import product_app, product_ports
from bench.outlet import InstantOutlet
from bench.rounds import Figures, Runner
from bench.rows import Comparison
from bench.world import OUTLET, Launched, found
from bot.app import running
from sessions.events import ToolCalled
from sessions.models import InstallationId
from sessions.ports import FrameBatch, FrameLog, Place
from storage.database import Database

THREADS = 40
PERIOD_S = 2.0
_TOLD_LIMIT_S = 30.0
_WANTED = "SELECT id, installation_id, channel, thread, wanted_event FROM threads"


@asynccontextmanager
async def _contestants(lab: Lab) -> AsyncIterator[Mapping[str, Runner]]:
    periods = lab.size(2, 1)
    async with lab.database() as (polled, _), lab.database() as (delivered, _):
        poller = await _poller(polled, lab)
        courier = await _courier(delivered, lab)
        yield {"poller": lambda: poller(periods), "ours": lambda: courier(periods)}


async def _poller(database: Database, lab: Lab) -> Callable[[int], Awaitable[Figures]]:
    ports, outlet = product_ports(database, lab.folder), InstantOutlet(key=OUTLET)
    reporters = Reporters(await (await found(database)).launch(THREADS), ports.frame_log)

    async def run(periods: int) -> Figures:
        polling = asyncio.create_task(_poll(database, outlet), name="poller")
        try:
            return await _measure(reporters, outlet, periods)
        finally:
            polling.cancel()

    return run


async def _courier(database: Database, lab: Lab) -> Callable[[int], Awaitable[Figures]]:
    outlet = InstantOutlet(key=OUTLET)
    app = product_app(database, lab.folder, outlets={OUTLET: outlet})
    reporters = Reporters(await (await found(database)).launch(THREADS), app.ports.frame_log)

    async def run(periods: int) -> Figures:
        # The cards that a thread begins with are posted before the clock starts.
        await app.courier.deliver_all()
        async with running(app, frozenset({"delivery"})):
            return await _measure(reporters, outlet, periods)

    return run


async def _poll(database: Database, outlet: InstantOutlet) -> None:
    """Look every two seconds at all threads in one go, and call the platform for each that changed."""
    shown: dict[str, int] = {}
    while True:
        async with database.system() as connection:
            rows = await connection.fetch(_WANTED)
        for row in rows:
            if shown.get(row["thread"]) != row["wanted_event"]:
                shown[row["thread"]] = row["wanted_event"]
                outlet.note(
                    Place(installation=InstallationId(row["installation_id"]), channel="C1", thread=row["thread"])
                )
        await asyncio.sleep(PERIOD_S)


async def _measure(reporters: "Reporters", outlet: InstantOutlet, periods: int) -> Figures:
    outlet.begun.clear()
    stored = await reporters.report(periods)
    async with asyncio.timeout(_TOLD_LIMIT_S):
        while any(outlet.begun.get(thread, [0.0])[-1] < times[-1] for thread, times in stored.items()):
            outlet.called.clear()
            await outlet.called.wait()
    waited = waits(stored, outlet.begun)
    return {"p50": percentile(waited, 50), "p99": percentile(waited, 99)}


@dataclass(slots=True)
class Reporters:
    """Workers that each report one step a period, at moments of no pattern."""

    launched: Sequence[Launched]
    frame_log: FrameLog
    frame: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    async def report(self, periods: int) -> Mapping[str, Sequence[float]]:
        """When each step was stored, in seconds of the monotonic clock, by thread."""
        stored: dict[str, list[float]] = {}
        for _ in range(periods):
            self.frame += 1
            began = time.monotonic()
            for offset, launched in sorted(
                ((self.chance.uniform(0, PERIOD_S), one) for one in self.launched), key=lambda pair: pair[0]
            ):
                await asyncio.sleep(max(0.0, began + offset - time.monotonic()))
                await self._report(launched)
                stored.setdefault(str(launched.thread), []).append(time.monotonic())
        return stored

    async def _report(self, launched: Launched) -> None:
        step = ToolCalled(
            call=f"call-{self.frame}", title=f"Read part {self.frame} of src/billing.py", tool="read", status="running"
        )
        (result,) = await self.frame_log.flush([FrameBatch(context=launched.context, first=self.frame, events=[step])])
        assert result.stored


DELIVERY = Experiment(
    key="G3",
    rows=(
        Comparison(name="G3 stored to call begun, p50", measure="p50", unit="s", goal=AtMost(1 / 20), base="poller"),
        Comparison(name="G3 stored to call begun, p99", measure="p99", unit="s", goal=AtMost(1 / 5), base="poller"),
    ),
    contestants=_contestants,
)
