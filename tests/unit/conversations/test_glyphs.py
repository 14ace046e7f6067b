import pytest

from conversations.glyphs import duration, earlier_text, phases_text, step_text, title_sign, title_status
from conversations.messages import Mark, PhaseMark, Phases, Step, Title


@pytest.mark.parametrize(("seconds", "shown"), [(-1, "0m00s"), (40.9, "0m40s"), (760, "12m40s"), (3725, "1h02m")])
def test_durations_read_as_in_the_cards(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_phases_stand_in_one_line() -> None:
    marks = (PhaseMark(label="Research", mark=Mark.DONE, elapsed_s=72), PhaseMark(label="Planning", mark=Mark.OPEN))
    assert phases_text(Phases(marks=marks)) == "Research ✓ 1m12s   Planning ○"


def test_a_step_ends_in_its_detail() -> None:
    assert step_text(Step(mark=Mark.DONE, text="edited a.py", detail="(+1 −2)")) == "✓ edited a.py (+1 −2)"
    assert step_text(Step(mark=Mark.FAILED, text="pytest", detail="1 failed")) == "✗ pytest · 1 failed"


def test_a_mark_stands_with_the_status_or_else_first() -> None:
    assert title_status(Title(icon="🛠", text="x", status="Planning", mark=Mark.ACTIVE)) == "● Planning"
    unmarked = Title(icon="", text="x", mark=Mark.ACTIVE)
    assert (title_sign(unmarked), title_status(unmarked)) == ("●", "")


def test_earlier_steps_are_counted() -> None:
    assert [earlier_text(1), earlier_text(2)] == ["… 1 earlier step", "… 2 earlier steps"]
