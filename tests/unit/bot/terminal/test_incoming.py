"""What a typed line means depends on the cards that wait."""

import pytest

from bot.terminal.incoming import Chosen, NotAChoice, Typed, read_field, read_line
from bot.terminal.journal import Shown
from conversations.messages import Choice, Field


def card(slot: str, *labels: str, asks: bool = True) -> Shown:
    buttons = tuple((label, f"{slot}:{label}") for label in labels)
    return Shown(id=slot, slot=slot, nonce="", line="", text="", buttons=buttons, asks=asks, live=False)


PLAN = card("approval/1", "Approve & run", "Request changes", "Reject")
QUESTION = card("question/1", "Count as zero", "Refuse")
ROOT = card("root", "Stop", asks=False)


@pytest.mark.parametrize("line", ["1", " 1 ", "Approve & run", "approve & RUN"])
def test_a_button_is_pressed_by_its_number_or_its_label(line: str) -> None:
    assert read_line(line, asking=(PLAN,)) == Chosen(label="Approve & run", action="approval/1:Approve & run")


def test_a_number_means_the_newest_card_that_waits() -> None:
    assert read_line("2", asking=(PLAN, QUESTION)) == Chosen(label="Refuse", action="question/1:Refuse")


@pytest.mark.parametrize("line", ["0", "4", "99"])
def test_a_number_without_a_button_is_words(line: str) -> None:
    assert read_line(line, asking=(PLAN,)) == Typed(text=line)


def test_a_number_is_words_while_no_card_waits() -> None:
    assert read_line("1", asking=(), others=(ROOT,)) == Typed(text="1")


def test_a_label_of_any_other_card_presses_it() -> None:
    assert read_line("stop", asking=(PLAN,), others=(ROOT,)) == Chosen(label="Stop", action="root:Stop")


def test_anything_else_is_words() -> None:
    assert read_line("use the new API ", asking=(PLAN,)) == Typed(text="use the new API")


SEVERITY = Field(
    name="severity",
    label="Severity",
    value="normal",
    choices=(Choice(value="low", label="Low"), Choice(value="normal", label="Normal")),
)


@pytest.mark.parametrize(("line", "value"), [("", "normal"), ("1", "low"), ("LOW", "low"), ("Normal", "normal")])
def test_a_choice_is_made_by_number_value_or_label(line: str, value: str) -> None:
    assert read_field(SEVERITY, line) == value


def test_a_choice_that_is_not_there_is_refused() -> None:
    with pytest.raises(NotAChoice):
        read_field(SEVERITY, "enormous")


def test_an_empty_line_takes_a_fields_default() -> None:
    assert read_field(Field(name="title", label="Title", value="Fix it"), "  ") == "Fix it"
