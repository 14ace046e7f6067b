import pytest

from bench.latencies import NeverBegan, percentile, waits


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, 50) == 50
    assert percentile(values, 99) == 99
    assert percentile([7.0], 50) == 7
    assert percentile([1.0, 9.0], 99) == 9


def test_a_cause_waits_for_the_first_beginning_after_it() -> None:
    assert waits({"a": [1.0, 2.0, 2.5]}, {"a": [0.5, 2.0, 3.0]}) == [1.0, 0.0, 0.5]


def test_another_s_beginning_does_not_count() -> None:
    with pytest.raises(NeverBegan, match="a"):
        waits({"a": [1.0]}, {"b": [2.0]})


def test_what_never_begins_is_a_defect_and_no_short_wait() -> None:
    with pytest.raises(NeverBegan, match="a"):
        waits({"a": [1.0, 3.0]}, {"a": [2.0]})
