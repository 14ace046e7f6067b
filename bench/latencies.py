"""How long something waited until what it waited for began."""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence


class NeverBegan(Exception):
    """Nothing began after the last cause under this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)


def percentile(values: Sequence[float], percent: float) -> float:
    """By nearest rank: the smallest value that so many percent do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def waits(causes: Mapping[str, Sequence[float]], beginnings: Mapping[str, Sequence[float]]) -> list[float]:
    """For each cause the time to the first beginning under its name that is not before it; beginnings are in order.

    Raises `NeverBegan`.
    """
    found: list[float] = []
    for name, times in causes.items():
        begun = beginnings.get(name, ())
        for time in times:
            first = bisect_left(begun, time)
            if first == len(begun):
                raise NeverBegan(name)
            found.append(begun[first] - time)
    return found
