"""Rows: what two contestants of an experiment measured, set against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.goals import Goal, Verdict, judge
from bench.rounds import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A row to be: the measure that `ours` and `base` have in common, in `unit`. `base` is "" where the goal is `Never`."""

    name: str
    measure: str
    unit: str
    goal: Goal
    ours: str = "ours"
    base: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Figures of all repetitions, paired by their place; CPU in seconds of all of them together."""

    name: str
    unit: str
    goal: Goal
    ours: tuple[float, ...]
    base: tuple[float, ...]
    cpu_ours_s: float
    cpu_base_s: float
    load: float

    @property
    def ratio(self) -> float | None:
        """Of the medians, so that it is the quotient of the figures shown."""
        return _quotient(median(self.ours), median(self.base)) if self.base else None

    @property
    def ratios(self) -> tuple[float, ...]:
        """Of each pair that ran side by side."""
        return tuple(_quotient(ours, base) for ours, base in zip(self.ours, self.base, strict=bool(self.base)))

    @property
    def verdict(self) -> Verdict:
        return judge(self.goal, ours=self.ours, base=self.base, ratio=self.ratio)


def compare(comparison: Comparison, samples: Mapping[str, Sequence[Sample]], *, load: float) -> Row:
    ours, base = samples[comparison.ours], samples[comparison.base] if comparison.base else ()
    return Row(
        name=comparison.name,
        unit=comparison.unit,
        goal=comparison.goal,
        ours=tuple(sample.figures[comparison.measure] for sample in ours),
        base=tuple(sample.figures[comparison.measure] for sample in base),
        cpu_ours_s=sum(sample.cpu_s for sample in ours),
        cpu_base_s=sum(sample.cpu_s for sample in base),
        load=load,
    )


def _quotient(ours: float, base: float) -> float:
    return ours / base if base else float("inf")
