"""All experiments, in the order in which they run."""

from collections.abc import Sequence

from bench.experiment import Experiment
from bench.experiments.claiming import CLAIMING
from bench.experiments.command import COMMAND
from bench.experiments.delivery import DELIVERY
from bench.experiments.ingest import INGEST
from bench.experiments.mention import MENTION
from bench.experiments.story import STORY

EXPERIMENTS: Sequence[Experiment] = (INGEST, DELIVERY, CLAIMING, MENTION, COMMAND, STORY)


class ExperimentUnknown(Exception):
    """`name` is the key of none; `known` are those there are."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no row {name!r}; there are {', '.join(known)}")


def choose(
    experiments: Sequence[Experiment], *, named: Sequence[str] = (), quick: bool = False
) -> Sequence[Experiment]:
    """Those named, or else all, in a quick run without the slow ones; raises `ExperimentUnknown`."""
    if not named:
        return [experiment for experiment in experiments if not (quick and experiment.slow)]
    by_key = {experiment.key.lower(): experiment for experiment in experiments}
    for name in named:
        if name.lower() not in by_key:
            raise ExperimentUnknown(name, [experiment.key for experiment in experiments])
    wanted = {name.lower() for name in named}
    return [experiment for key, experiment in by_key.items() if key in wanted]
