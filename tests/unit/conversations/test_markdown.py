import re
from collections import Counter
from time import perf_counter

import pytest
from hypothesis import given

from conversations.markdown import PARSED_AT_MOST, parse
from conversations.markup import (
    Block,
    Code,
    CodeBlock,
    Emphasis,
    Heading,
    Item,
    LineBreak,
    Link,
    List,
    Paragraph,
    Quote,
    Rule,
    Strike,
    Strong,
    Table,
    Text,
    plain,
)
from tests.strategies import WORDS, anything, markdown


def paragraph(*texts: str) -> Paragraph:
    return Paragraph(children=tuple(map(Text, texts)))


def test_blocks_and_styles_are_read() -> None:
    assert parse("# A *b*\n\nc **d** ~~e~~ `f`\ng\n\n> q\n\n---\n\n```python\nx = 1\n\ny\n```") == (
        Heading(level=1, children=(Text("A "), Emphasis((Text("b"),)))),
        Paragraph(
            children=(
                *(Text("c "), Strong((Text("d"),)), Text(" "), Strike((Text("e"),)), Text(" "), Code("f")),
                *(LineBreak(), Text("g")),
            )
        ),
        Quote(children=(paragraph("q"),)),
        Rule(),
        CodeBlock(language="python", text="x = 1\n\ny"),
    )


def test_lists_keep_their_numbers_and_check_boxes() -> None:
    assert parse("3. a\n4. b\n   - [x] c\n   - [ ] d") == (
        List(
            ordered=True,
            start=3,
            items=(
                Item(children=(paragraph("a"),)),
                Item(
                    children=(
                        paragraph("b"),
                        List(
                            ordered=False,
                            items=(
                                Item(children=(paragraph("c"),), checked=True),
                                Item(children=(paragraph("d"),), checked=False),
                            ),
                        ),
                    )
                ),
            ),
        ),
    )


def test_a_cell_too_many_joins_the_last_one() -> None:
    assert parse("| a | b |\n|---|---|\n| 1 | 2 | 3 |\n| 4 |") == (
        Table(header=((Text("a"),), (Text("b"),)), rows=(((Text("1"),), (Text("2 | 3"),)), ((Text("4"),), ()))),
    )


def test_html_is_text() -> None:
    assert parse("a <b>c</b> <!-- d -->") == (paragraph("a <b>c</b> <!-- d -->"),)


def test_an_image_is_a_link() -> None:
    assert parse("![a chart](https://a.example/c.png)") == (
        Paragraph(children=(Link("https://a.example/c.png", (Text("a chart"),)),)),
    )


def test_a_bare_address_is_a_link() -> None:
    url = "https://a.example/b_c_d"
    assert parse(f"see {url}.") == (Paragraph(children=(Text("see "), Link(url, (Text(url),)), Text("."))),)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("[run](javascript:alert)", "run (javascript:alert)"),
        ("[src/a.py](src/a.py)", "src/a.py"),
        ("[github.com](https://evil.example)", "github.com (https://evil.example)"),
        ('[a](https://a.example "secret")', "a (https://a.example) “secret”"),
        ("[1]: https://a.example 'secret'", "[1]: https://a.example 'secret'"),
        ("```python secret\nx\n```", "python secret\n\n    x"),
        (">" * 30 + " deep", "deep"),
        ("* " * 30 + "deep", "deep"),
    ],
)
def test_nothing_is_hidden_from_the_reader(source: str, shown: str) -> None:
    assert shown in plain(parse(source))


def test_a_fence_left_open_is_closed() -> None:
    assert parse("```\na\n\nb") == (CodeBlock(language="", text="a\n\nb"),)


def test_nesting_is_bounded() -> None:
    assert depth(parse("> " * 500 + "a")) < 20
    assert depth(parse("*" * 5000 + "a" + "*" * 5000)) < 20


def depth(value: object) -> int:
    match value:
        case tuple():
            return max(map(depth, value), default=0)
        case Quote(children=children) | Paragraph(children=children) | Strong(children) | Emphasis(children):
            return 1 + depth(children)
        case _:
            return 0


@pytest.mark.parametrize("unit", ["[", "![", "[a](", "*a_ ", "> ", "* ", "`", "a\n", "|a", "<a", "&", "\x1b["])
def test_hostile_text_of_ten_megabytes_takes_bounded_time_and_is_all_kept(unit: str) -> None:
    source = unit * (10_000_000 // len(unit))
    started = perf_counter()
    *_, last = parse(source)
    assert perf_counter() - started < 15
    assert isinstance(last, CodeBlock)
    assert len(last.text) > 0.4 * (len(source) - PARSED_AT_MOST)


@given(anything)
def test_parsing_never_raises(source: str) -> None:
    plain(parse(source)).encode()


@given(markdown)
def test_every_word_is_kept(source: str) -> None:
    tree = parse(source)
    shown = "\n".join([plain(tree), *languages(tree)])
    assert not Counter(re.findall("|".join(WORDS), source)) - Counter(re.findall("|".join(WORDS), shown))


def languages(tree: tuple[Block, ...]) -> list[str]:
    found: list[str] = []
    for block in tree:
        match block:
            case CodeBlock(language=language):
                found.append(language)
            case Quote(children=children):
                found += languages(children)
            case List(items=items):
                found += [name for item in items for name in languages(item.children)]
            case _:
                pass
    return found
