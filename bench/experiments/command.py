"""G13: how soon the command answers, against what starting Python costs."""

import asyncio
import sys
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from bench.experiment import Experiment, Lab
from bench.goals import AtMost
from bench.rounds import Figures, Runner
from bench.rows import Comparison


@asynccontextmanager
async def _contestants(lab: Lab) -> AsyncIterator[Mapping[str, Runner]]:
    times = lab.size(20, 8)

    async def python() -> Figures:
        return {"took": await _start(times, sys.executable, "-c", "pass")}

    async def viberator() -> Figures:
        return {"took": await _start(times, str(Path(sys.executable).with_name("viberator")), "--help")}

    yield {"base": python, "ours": viberator}


async def _start(times: int, *command: str) -> float:
    """Seconds from the start of the program to its end, the median of several."""
    took: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL)
        code = await process.wait()
        took.append(time.perf_counter() - began)
        if code != 0:
            raise RuntimeError(f"{command} ended with {code}")
    return median(took)


COMMAND = Experiment(
    key="G13",
    rows=(Comparison(name="G13 viberator --help", measure="took", unit="s", goal=AtMost(5), base="base"),),
    contestants=_contestants,
)
