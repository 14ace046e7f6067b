from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from bench.catalogue import EXPERIMENTS, ExperimentUnknown, choose
from bench.experiment import Experiment, Lab
from bench.goals import Never
from bench.rounds import Runner


@asynccontextmanager
async def nobody(_lab: Lab) -> AsyncIterator[Mapping[str, Runner]]:
    yield {}


FAST = Experiment(key="G2", rows=(), contestants=nobody)
SLOW = Experiment(key="G12", rows=(), contestants=nobody, slow=True)


def test_a_quick_run_leaves_the_slow_ones_out() -> None:
    assert choose([SLOW, FAST], quick=True) == [FAST]
    assert choose([SLOW, FAST]) == [SLOW, FAST]


def test_what_is_named_runs_even_if_slow() -> None:
    assert choose([FAST, SLOW], named=["g12"], quick=True) == [SLOW]


def test_what_nobody_knows_is_refused_with_what_there_is() -> None:
    with pytest.raises(ExperimentUnknown, match="'G99'; there are G2, G12"):
        choose([FAST, SLOW], named=["G2", "G99"])


def test_keys_are_unique_and_begin_each_row_s_name() -> None:
    keys = [experiment.key for experiment in EXPERIMENTS]
    assert len(keys) == len(set(keys))
    for experiment in EXPERIMENTS:
        assert [row.name.split()[0] for row in experiment.rows] == [experiment.key] * len(experiment.rows)


def test_only_what_may_never_happen_has_no_base() -> None:
    for experiment in EXPERIMENTS:
        assert all(bool(row.base) is not isinstance(row.goal, Never) for row in experiment.rows)
