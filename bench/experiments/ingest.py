"""G2: what workers report, from HTTP to the disk, against plain inserts of the same rows."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.experiment import Experiment, Lab
from bench.floors import StoredEvent, floor
from bench.frames import CYCLE, reports
from bench.goals import AtLeast
from bench.office import product_app
from bench.posters import Orders, Posted, Poster
from bench.rounds import Figures, Runner
from bench.rows import Comparison
from bench.world import Launched, found
from bot.app import running
from runners.wire import FRAME
from storage.codec import encode

POSTERS = 64
EVENTS_A_BATCH = CYCLE


@asynccontextmanager
async def _contestants(lab: Lab) -> AsyncIterator[Mapping[str, Runner]]:
    batches = lab.size(40, 20)
    same_rows = [StoredEvent(kind=stored.kind, payload=stored.payload) for stored in map(encode, reports(CYCLE))]
    async with lab.database() as (database, url), floor(url, posters=POSTERS) as plain:
        launched = await (await found(database)).launch(POSTERS)
        app = product_app(database, lab.folder)
        async with running(app, frozenset({"worker-api"})), _load(app.socket, launched) as load:

            async def unnest() -> Figures:
                return {"rate": await plain.insert_many(same_rows, rows=POSTERS * EVENTS_A_BATCH * batches // 2)}

            async def notify() -> Figures:
                return {"rate": await plain.insert_and_notify_each(same_rows)}

            async def ours() -> Figures:
                posted = await load.post(batches)
                return {"rate": POSTERS * EVENTS_A_BATCH * batches / posted.took_s}

            yield {"unnest": unnest, "notify": notify, "ours": ours}


@dataclass(frozen=True, slots=True)
class Load:
    """The workers, in a process of their own (`bench.posters`)."""

    process: asyncio.subprocess.Process

    async def post(self, batches: int) -> Posted:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{batches}\n".encode())
        return Posted.model_validate_json(await self.process.stdout.readline())


@asynccontextmanager
async def _load(socket: Path, launched: Sequence[Launched]) -> AsyncIterator[Load]:
    orders = Orders(
        socket=socket,
        posters=[Poster(launch=one.context.launch, token=one.token) for one in launched],
        frames=f"[{','.join(FRAME.dump_json(report).decode() for report in reports(EVENTS_A_BATCH))}]",
        frames_count=EVENTS_A_BATCH,
    )
    # An answer lists how long each call took, which is a long line.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.posters", stdin=PIPE, stdout=PIPE, limit=1 << 24
    )
    assert process.stdin is not None
    process.stdin.write(f"{orders.model_dump_json()}\n".encode())
    try:
        yield Load(process)
    finally:
        process.stdin.close()
        await process.wait()


_RATE = "rows/s"

INGEST = Experiment(
    key="G2",
    rows=(
        Comparison(name="G2 ingest over unnest(100)", measure="rate", unit=_RATE, goal=AtLeast(0.4), base="unnest"),
        Comparison(
            name="G2 ingest over INSERT+NOTIFY each", measure="rate", unit=_RATE, goal=AtLeast(10), base="notify"
        ),
    ),
    contestants=_contestants,
)
