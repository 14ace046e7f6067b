import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.excerpts import divide, plain_size, split, truncate
from conversations.markdown import parse
from conversations.markup import CodeBlock, List, Markup, literal, plain
from tests.strategies import anything, markdown

LINES = "\n".join(f"line {number}" for number in range(400))


def test_what_fits_is_left_alone() -> None:
    tree = parse("# a\n\nb")
    assert truncate(tree, 100) is tree


def test_a_truncated_fence_is_closed_and_says_how_many_lines_are_left_out() -> None:
    code, mark = truncate(parse(f"```python\n{LINES}\n```"), 1500)
    assert isinstance(code, CodeBlock)
    assert code.language == "python"
    assert code.text.splitlines() == LINES.splitlines()[: len(code.text.splitlines())]
    assert plain((mark,)) == f"… {400 - len(code.text.splitlines())} more lines"


def test_a_long_line_is_cut_between_words_and_counted_in_characters() -> None:
    shown = plain(truncate(parse("word " * 100), 100))
    assert shown.startswith("word word")
    assert shown.endswith("word\n\n… 429 more characters")


def test_no_emoji_is_cut_in_two() -> None:
    head, _ = divide(literal("👩‍👩‍👧" * 30), 12, marked=False)
    assert plain(head) == "👩‍👩‍👧" * 2


def test_a_list_in_parts_goes_on_counting() -> None:
    first, second = split(parse("\n".join(f"{number}. item" for number in range(1, 11))), 60, 5)
    match first, second:
        case (List(items=shown),), (List(items=others, start=start),):
            assert start == len(shown) + 1
            assert len(shown) + len(others) == 10
        case _:
            pytest.fail("a list became something else")


def test_a_table_in_parts_repeats_its_header() -> None:
    parts = split(parse("| name |\n|---|\n" + "| value |\n" * 50), 100, 10)
    assert all(plain(part).startswith("name\nvalue") for part in parts)
    assert sum(plain(part).count("value") for part in parts) == 50


def test_never_more_parts_than_asked_and_the_last_says_what_is_missing() -> None:
    parts = split(parse(f"```\n{LINES}\n```"), 500, 3)
    assert len(parts) == 3
    assert plain(parts[-1]).endswith("more lines")
    assert "…" not in plain(parts[0]) + plain(parts[1])


@given(anything, st.integers(40, 400))
def test_a_truncation_fits(source: str, limit: int) -> None:
    assert plain_size(truncate(parse(source), limit)) <= limit


@given(markdown, st.integers(150, 400))
def test_parts_fit_and_lose_nothing(source: str, limit: int) -> None:
    tree = parse(source)
    parts = split(tree, limit, 1000)
    assert all(plain_size(part) <= limit for part in parts)
    assert letters(tree) <= sum(map(letters, parts))
    assert "more characters" not in "".join(map(plain, parts))


def letters(tree: Markup) -> int:
    return sum(letter.isalpha() for letter in plain(tree))
