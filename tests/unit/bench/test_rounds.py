import asyncio

import pytest

from bench.rounds import Figures, Runner, take_turns


class Journal:
    """Runners that write down that they ran, and measure how many had run before them."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def runner(self, name: str) -> Runner:
        async def run() -> Figures:
            self.ran.append(name)
            return {"place": float(len(self.ran))}

        return run


async def test_contestants_take_turns() -> None:
    journal = Journal()
    await take_turns({"base": journal.runner("A"), "ours": journal.runner("B")}, repetitions=2, time_limit_s=5)
    assert "".join(journal.ran) == "AB" * 3


async def test_the_first_round_warms_up_and_is_dropped() -> None:
    journal = Journal()
    samples = await take_turns(
        {"base": journal.runner("A"), "ours": journal.runner("B")}, repetitions=2, time_limit_s=5
    )
    assert [sample.figures["place"] for sample in samples["base"]] == [3.0, 5.0]
    assert [sample.figures["place"] for sample in samples["ours"]] == [4.0, 6.0]


async def test_processor_time_is_that_of_the_run() -> None:
    async def busy() -> Figures:
        return {"sum": float(sum(range(3_000_000)))}

    async def idle() -> Figures:
        await asyncio.sleep(0.01)
        return {"sum": 0.0}

    samples = await take_turns({"idle": idle, "busy": busy}, repetitions=1, time_limit_s=30)
    assert samples["busy"][0].cpu_s > samples["idle"][0].cpu_s >= 0


async def test_a_run_that_hangs_ends_the_bench() -> None:
    async def hang() -> Figures:
        await asyncio.Event().wait()
        return {}

    with pytest.raises(TimeoutError):
        await take_turns({"ours": hang}, repetitions=5, time_limit_s=0.01)
