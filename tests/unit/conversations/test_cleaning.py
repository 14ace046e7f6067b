import pytest
from hypothesis import given

from conversations.cleaning import clean, one_line
from tests.strategies import anything


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb\rc\x0bd\u2028e", "a\nb\nc\nd\ne"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07", "␛]0;title\ufffd"),
        ("a\u202eb\u2066c", "a\ufffdb\ufffdc"),
        ("\ud800", "\ufffd"),
        ("tab\tkept, é 👩‍👧 too", "tab\tkept, é 👩‍👧 too"),
    ],
)
def test_what_controls_a_display_is_made_visible(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(anything)
def test_cleaned_text_is_clean_and_can_be_sent_anywhere(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    cleaned.encode()
    assert not any(ord(letter) < 32 and letter not in "\n\t" for letter in cleaned)
    assert "\n" not in one_line(text)
