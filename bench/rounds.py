"""Taking turns: base and ours run one after the other, again and again, so that what disturbs one disturbs the other."""

import asyncio
import gc
import resource
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

Figures = Mapping[str, float]
"""What one run measured, by the measure's name."""

Runner = Callable[[], Awaitable[Figures]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run: its figures, and the CPU seconds that we and the children we waited for used meanwhile."""

    figures: Figures
    cpu_s: float


async def take_turns(
    runners: Mapping[str, Runner], *, repetitions: int, time_limit_s: float
) -> Mapping[str, list[Sample]]:
    """Run all in their order, `repetitions` times, after a round that warms up and is dropped.

    Raises `TimeoutError` when one run takes longer than the limit.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in runners}
    for round_number in range(repetitions + 1):
        for name, runner in runners.items():
            async with asyncio.timeout(time_limit_s):
                sample = await _measured(runner)
            if round_number > 0:
                samples[name].append(sample)
    return samples


async def _measured(runner: Runner) -> Sample:
    # What an earlier run left behind is not collected in this one's time.
    gc.collect()
    before = _cpu_s()
    figures = await runner()
    return Sample(figures=figures, cpu_s=_cpu_s() - before)


def _cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)
