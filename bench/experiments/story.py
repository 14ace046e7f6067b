"""A long story costs no more an event than a short one: storing it, folding it and rendering it."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from bench.experiment import Experiment, Lab
from bench.frames import CYCLE, reports
from bench.goals import AtMost
from bench.outlet import CAPABILITIES
from bench.rounds import Figures, Runner
from bench.rows import Comparison
from bench.world import World, found
from conversations.progress import EMPTY, Progress, fold
from conversations.rendering import Links, view
from sessions.events import AgentStarted, Event, LaunchStarted, Recorded, TurnStarted
from sessions.ports import FrameBatch
from storage.frames import PostgresFrameLog
from storage.signals import LocalSignals
from storage.system import System

LONG = 2000
SHORT = 200
"""A run tells so many short stories that they have as many events as the long one."""

_BEGAN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@asynccontextmanager
async def _contestants(lab: Lab) -> AsyncIterator[Mapping[str, Runner]]:
    async with lab.database() as (database, _):
        world = await found(database)

        async def short() -> Figures:
            return await _tell(world, events=SHORT, times=LONG // SHORT)

        async def long() -> Figures:
            return await _tell(world, events=LONG, times=1)

        yield {"short": short, "ours": long}


async def _tell(world: World, *, events: int, times: int) -> Figures:
    """Seconds an event took."""
    told = events * times
    folded = [_fold(_story(world, events)) for _ in range(times)]
    return {
        "ingest": sum([await _ingest(world, events) for _ in range(times)]) / told,
        "fold": sum(took for _, took in folded) / told,
        "rendering": sum(_render(steps) for steps, _ in folded) / told,
    }


async def _ingest(world: World, events: int) -> float:
    (launched,) = await world.launch(1)
    frames, log = reports(events), PostgresFrameLog(System(world.database), LocalSignals())
    began = time.perf_counter()
    for first in range(0, events, CYCLE):
        batch = FrameBatch(context=launched.context, first=first + 1, events=frames[first : first + CYCLE])
        (result,) = await log.flush([batch])
        assert result.stored
    return time.perf_counter() - began


def _fold(story: Sequence[Recorded]) -> tuple[Sequence[Progress], float]:
    """The progress after every batch, and the seconds that folding took."""
    steps: list[Progress] = []
    progress = EMPTY
    began = time.perf_counter()
    for number, recorded in enumerate(story, start=1):
        progress = fold(progress, recorded)
        if number % CYCLE == 0:
            steps.append(progress)
    return steps, time.perf_counter() - began


def _render(steps: Sequence[Progress]) -> float:
    began = time.perf_counter()
    for progress in steps:
        view(progress, capabilities=CAPABILITIES, links=Links())
    return time.perf_counter() - began


def _story(world: World, events: int) -> Sequence[Recorded]:
    started: tuple[Event, ...] = (
        *world.beginning(),
        LaunchStarted(fence=1, runner="bench"),
        AgentStarted(agent="Scripted agent"),
        TurnStarted(turn=1, cause="task"),
    )
    told = (*started, *reports(events - len(started)))
    return [
        Recorded(position=n, session=None if n == 1 else 1, at=_BEGAN + timedelta(seconds=n), event=event)
        for n, event in enumerate(told, start=1)
    ]


_GOAL = AtMost(1.5)

STORY = Experiment(
    key="linear",
    rows=tuple(
        Comparison(
            name=f"linear {measure}, an event at {LONG} and at {SHORT}",
            measure=measure,
            unit="s",
            goal=_GOAL,
            base="short",
        )
        for measure in ("ingest", "fold", "rendering")
    ),
    contestants=_contestants,
)
