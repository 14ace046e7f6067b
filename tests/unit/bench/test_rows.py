import pytest

from bench.goals import AtLeast, Never, Verdict
from bench.rounds import Sample
from bench.rows import Comparison, Row, compare

RATE = Comparison(name="G2 rate", measure="rate", unit="rows/s", goal=AtLeast(0.4), base="floor")


def samples(*figures: float, measure: str = "rate", cpu_s: float = 0.5) -> list[Sample]:
    return [Sample(figures={measure: figure, "other": -1.0}, cpu_s=cpu_s) for figure in figures]


def row(ours: list[Sample], base: list[Sample]) -> Row:
    return compare(RATE, {"ours": ours, "floor": base, "another": samples(7.0)}, load=1.5)


def test_the_ratio_is_the_quotient_of_the_medians() -> None:
    assert row(samples(10.0, 20.0, 90.0), samples(20.0, 40.0, 41.0)).ratio == 0.5


def test_pairs_that_ran_side_by_side_are_compared_with_each_other() -> None:
    assert row(samples(10.0, 20.0), samples(20.0, 10.0)).ratios == (0.5, 2.0)


def test_a_row_adds_up_the_processor_time_of_all_repetitions() -> None:
    made = row(samples(1.0, 1.0, cpu_s=0.25), samples(1.0, 1.0, cpu_s=2.0))
    assert (made.cpu_ours_s, made.cpu_base_s) == (0.5, 4.0)


def test_a_row_without_a_base_has_no_ratio() -> None:
    twice = Comparison(name="G6 twice", measure="twice", unit="", goal=Never())
    made = compare(twice, {"ours": samples(0.0, 0.0, measure="twice")}, load=0.0)
    assert made.ratio is None
    assert made.ratios == ()
    assert made.verdict is Verdict.PASS


def test_a_base_of_nothing_gives_no_error() -> None:
    made = row(samples(1.0), samples(0.0))
    assert made.ratio == float("inf")
    assert made.verdict is Verdict.PASS


def test_repetitions_that_do_not_pair_up_are_a_defect() -> None:
    with pytest.raises(ValueError, match="longer"):
        _ = row(samples(1.0), samples(1.0, 2.0)).ratios
