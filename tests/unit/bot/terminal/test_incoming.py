"""What a typed line means depends on the cards that are there."""

import pytest

from bot.terminal.incoming import Chosen, NotAChoice, Typed, numbered, read_field, read_line
from bot.terminal.journal import Shown
from conversations.messages import Choice, Field


def card(slot: str, *labels: str, asks: bool = True, live: bool = False) -> Shown:
    buttons = tuple((label, f"{slot}:{label}") for label in labels)
    return Shown(id=slot, slot=slot, nonce="", line="", text="", buttons=buttons, asks=asks, live=live)


PLAN = card("approval/1", "Approve & run", "Request changes", "Reject")
QUESTION = card("question/1", "Count as zero", "Refuse")
ANSWERED = card("question/2", asks=False)
ROOT = card("root", "Stop", asks=False, live=True)
PROGRESS = card("progress/1", "Remove", asks=False, live=True)
FAILURE = card("error/1", "Retry", "Details", asks=False)


@pytest.mark.parametrize("line", ["1", " 1 ", "Approve & run", "approve & RUN"])
def test_a_button_is_pressed_by_its_number_or_its_label(line: str) -> None:
    assert read_line(line, [ROOT, PLAN]) == Chosen(label="Approve & run", action="approval/1:Approve & run")


def test_a_number_means_the_newest_card_at_rest_that_can_be_pressed() -> None:
    assert read_line("2", [ROOT, PLAN, QUESTION, ANSWERED]) == Chosen(label="Refuse", action="question/1:Refuse")
    assert read_line("1", [ROOT, PLAN, FAILURE]) == Chosen(label="Retry", action="error/1:Retry")


def test_the_cards_that_still_change_have_the_numbers_where_no_other_has() -> None:
    assert numbered([ROOT, PROGRESS, ANSWERED]) == (ROOT, PROGRESS)
    assert read_line("2", [ROOT, PROGRESS]) == Chosen(label="Remove", action="progress/1:Remove")
    assert numbered([ROOT, PROGRESS, FAILURE]) == (FAILURE,)


@pytest.mark.parametrize("line", ["0", "4", "99"])
def test_a_number_without_a_button_is_words(line: str) -> None:
    assert read_line(line, [PLAN]) == Typed(text=line)


def test_a_label_of_any_other_card_presses_it() -> None:
    assert read_line("stop", [ROOT, PLAN]) == Chosen(label="Stop", action="root:Stop")


def test_a_label_on_two_cards_means_the_one_that_waits() -> None:
    other = card("error/2", "Reject", asks=False)
    assert read_line("reject", [PLAN, other]) == Chosen(label="Reject", action="approval/1:Reject")


def test_anything_else_is_words() -> None:
    assert read_line("use the new API ", [PLAN]) == Typed(text="use the new API")


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
