from hypothesis import given
from hypothesis import strategies as st

from storage.text import storable, storable_tree

ANYTHING = st.text(st.characters(exclude_categories=[]))


@given(ANYTHING)
def test_any_text_becomes_utf8_without_nul(text: str) -> None:
    assert b"\x00" not in storable(text).encode()


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_storable_text_stays_as_it_is(text: str) -> None:
    assert storable(text) == text


def test_what_cannot_be_stored_leaves_a_visible_sign() -> None:
    assert storable("a\x00b\ud800c") == "a␀b�c"
    assert storable_tree({"k\x00": ["\x00", 1, None, {"x": "\udfff"}]}) == {"k␀": ["␀", 1, None, {"x": "�"}]}
