"""What a row of the bench must reach, and what is said of it. A ratio is always ours over the base's."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

NOISE_LIMIT = 3.0
"""A base whose own largest figure exceeds its smallest by more than this proves nothing."""


@dataclass(frozen=True, slots=True)
class AtMost:
    ratio: float

    def __str__(self) -> str:
        return f"≤ {self.ratio:g}"


@dataclass(frozen=True, slots=True)
class AtLeast:
    ratio: float

    def __str__(self) -> str:
        return f"≥ {self.ratio:g}"


@dataclass(frozen=True, slots=True)
class Never:
    """Something that may not happen once; such a row counts, and has no base."""

    def __str__(self) -> str:
        return "= 0"


Goal = AtMost | AtLeast | Never


class Verdict(StrEnum):
    PASS = "PASS"  # noqa: S105 (a word, not a password)
    FAIL = "FAIL"
    NOISY = "NOISY"


def judge(goal: Goal, *, ours: Sequence[float], base: Sequence[float], ratio: float | None) -> Verdict:
    """The verdict on the figures of all repetitions; `ratio` is None where there is no base."""
    if is_noisy(base):
        return Verdict.NOISY
    return Verdict.PASS if _reached(goal, ours, ratio) else Verdict.FAIL


def is_noisy(base: Sequence[float]) -> bool:
    return bool(base) and max(base) > NOISE_LIMIT * min(base)


def _reached(goal: Goal, ours: Sequence[float], ratio: float | None) -> bool:
    match goal:
        case AtMost(ratio=limit):
            return ratio is not None and ratio <= limit
        case AtLeast(ratio=limit):
            return ratio is not None and ratio >= limit
        case Never():
            return not any(ours)
        case _:
            assert_never(goal)
