import pytest

from bench.__main__ import exit_code, main
from bench.goals import AtMost
from bench.rows import Row


def row(*, ours: float, base: tuple[float, float] = (1.0, 1.0)) -> Row:
    return Row(
        name="G0", unit="s", goal=AtMost(2), ours=(ours, ours), base=base, cpu_ours_s=0.0, cpu_base_s=0.0, load=0.0
    )


PASSED, FAILED, NOISY = row(ours=1.0), row(ours=9.0), row(ours=9.0, base=(1.0, 9.0))


def test_only_a_row_that_fails_fails_the_bench() -> None:
    assert exit_code([PASSED, NOISY]) == 0
    assert exit_code([PASSED, FAILED, NOISY]) == 1


@pytest.mark.parametrize("wrong", [["--rows", "G99"], ["--repetitions", "4"], ["--slow"]])
def test_wrong_usage_is_told_before_anything_runs(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(wrong)
    assert left.value.code == 2
    assert "error:" in capsys.readouterr().err
