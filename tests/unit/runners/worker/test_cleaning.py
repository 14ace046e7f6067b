import pytest

from runners.worker.cleaning import as_text, beginning, end, one_line, storable


def test_what_postgres_cannot_hold_is_shown_as_replaced() -> None:
    assert storable("a\0b\ud800c") == "a\ufffdb\ufffdc"


def test_halves_of_a_pair_that_belong_together_are_joined() -> None:
    assert storable("\ud83d\ude00") == "😀"


def test_long_text_says_how_much_is_missing() -> None:
    assert beginning("abcdef", 4) == "abcd… (2 more characters)"
    assert end("abcdef", 4) == "(2 characters before) …cdef"
    assert beginning("abcd", 4) == end("abcd", 4) == "abcd"


def test_one_line_is_one_line() -> None:
    assert one_line(" a\n b\t c ", 10) == "a b c"
    assert one_line("abcdef ghi", 8) == "abcdef…"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("ls", "ls"),
        ({"command": "ls -l", "description": "list"}, "ls -l"),
        ({"command": ["ls", "-l"]}, "ls -l"),
        ({"path": "ä"}, '{"path": "ä"}'),
    ],
)
def test_payloads_of_any_shape_can_be_read(value: object, text: str) -> None:
    assert as_text(value) == text
