"""Nothing unseen passes, and nothing seen is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.sanitising import TITLE_CHARS, capped, cleaned, one_line, safe, storable, storable_tree, without_logins

UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@given(st.text(st.characters(), max_size=200))
def test_nothing_unseen_is_left(text: str) -> None:
    assert UNSEEN.search(cleaned(text)) is None
    cleaned(text).encode()


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf"]), max_size=200))
def test_ordinary_text_is_the_same_object(text: str) -> None:
    assert cleaned(text) is text


@given(st.text(st.characters(max_codepoint=0x7F), max_size=50))
def test_ascii_is_looked_through_as_all_other_text(text: str) -> None:
    assert (cleaned(text) is text) is (UNSEEN.search(text) is None)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b1mbold", "bold"),
        ("\x1b(Bplain", "plain"),
        ("nul\x00nul", "nul␀nul"),
        ("bell\x07", "bell␇"),
        ("del\x7f", "del␡"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("lone \ud800 half", "lone � half"),
        ("a\u202eb", "a[U+202E]b"),
        ("tab\tand\nline", "tab\tand\nline"),
    ],
)
def test_what_is_unseen_is_taken_out_or_shown(written: str, shown: str) -> None:
    assert cleaned(written) == shown


def test_a_long_text_says_how_much_of_it_is_missing() -> None:
    text = "a" * 60 + "b" * 40 + "c" * 20
    assert capped(text, 90) == "a" * 60 + "\n… 30 characters left out …\n" + "b" * 10 + "c" * 20
    assert capped(text, 120) is text


@given(st.text(max_size=100), st.integers(0, 50))
def test_no_more_than_the_limit_is_kept(text: str, limit: int) -> None:
    kept = capped(text, limit)
    if len(text) > limit:
        head, told, tail = kept.partition(f"\n… {len(text) - limit} characters left out …\n")
        assert told
        assert len(head) + len(tail) == limit


def test_safe_cleans_before_it_caps() -> None:
    assert safe("\x1b[31m" * 100 + "red", 10) == "red"


def test_a_title_has_one_line() -> None:
    assert one_line(" Fix\n the\r\n  bug ") == "Fix the bug"
    assert len(one_line("word " * 200)) <= TITLE_CHARS


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_becomes_utf8_without_nul(text: str) -> None:
    assert b"\x00" not in storable(text).encode()


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_storable_text_stays_as_it_is(text: str) -> None:
    assert storable(text) == text


def test_what_cannot_be_stored_leaves_a_visible_sign() -> None:
    assert storable("a\x00b\ud800c") == "a␀b�c"
    assert storable_tree({"k\x00": ["\x00", 1, None, {"x": "\udfff"}]}) == {"k␀": ["␀", 1, None, {"x": "�"}]}


@pytest.mark.parametrize("login", ["tok", "dana:hunter2", "dana@corp.example:hunter2", "dana:hun@ter:2"])
def test_no_part_of_a_login_stays(login: str) -> None:
    assert without_logins(f"see https://{login}@host/x@v1 and write to a@b") == "see https://host/x@v1 and write to a@b"


def test_an_address_of_ssh_is_shown_with_its_user() -> None:
    assert without_logins("ssh://git@host/x") == "ssh://git@host/x"
