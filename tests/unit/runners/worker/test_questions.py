"""Questions that agents write to a file."""

import pytest

from runners.worker.questions import read_question


def test_a_list_at_the_end_is_what_people_may_choose_from() -> None:
    assert read_question("Zero, or an error?\n\n- Zero\n- An error\n") == ("Zero, or an error?", ("Zero", "An error"))


def test_a_numbered_list_is_one_too() -> None:
    assert read_question("Which?\n1. One\n2) Two") == ("Which?", ("One", "Two"))


@pytest.mark.parametrize(
    "markdown",
    [
        "Which colour?",
        "I looked at:\n- a\n- b\n\nWhich of them is right?",
        "- one\n- two",
        "Is it this?\n- this",
        "Which?\n" + "\n".join(f"- {number}" for number in range(9)),
        "Which?\n- short\n- " + "long" * 100,
    ],
)
def test_anything_else_is_text(markdown: str) -> None:
    assert read_question(markdown) == (markdown, ())
