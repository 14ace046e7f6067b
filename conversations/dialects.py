"""Formatted text written in a chat's own markdown: one walk over the tree, and a `Dialect` for what differs.

A text written so is self-contained: every style and fence that it opens it closes, whatever the text holds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final, assert_never

from conversations import messages
from conversations.markup import (
    CHECKS,
    Block,
    Code,
    CodeBlock,
    Emphasis,
    Heading,
    Inline,
    Inlines,
    LineBreak,
    Link,
    List,
    Markup,
    Paragraph,
    Quote,
    Rule,
    Strike,
    Strong,
    Table,
    Text,
    bullet,
    indented,
    plain_inlines,
)
from conversations.messages import Moment, Mono, Name, Span

ACROSS: Final = "──────────"
_WIDEST_CELL: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """`escape` makes any text literal; `styled` puts written text between two marks; `glues` when marks work in words,
    `knows_lists` when the chat lays lists out by itself.

    `code`, `link`, `fence` and `heading` take plain text, and escape it themselves; `moment` is a time in the reader's zone.
    """

    escape: Callable[[str], str]
    styled: Callable[[str, str], str]
    code: Callable[[str], str]
    link: Callable[[str, str], str]
    fence: Callable[[str, str], str]
    heading: Callable[[int, str], str]
    moment: Callable[[datetime], str]
    strong: str
    emphasis: str
    strike: str
    dash: str
    indent: str
    glues: bool
    knows_lists: bool


def write(markup: Markup, dialect: Dialect) -> str:
    """The blocks a blank line apart, a heading right above what it heads."""
    written = [_block(block, dialect) for block in markup]
    gaps = ["\n" if isinstance(above, Heading) else "\n\n" for above, _ in pairwise(markup)]
    return "".join(piece for pair in zip(written, [*gaps, ""], strict=False) for piece in pair)


def write_inlines(children: Inlines, dialect: Dialect) -> str:
    written = [_inline(child, dialect) for child in children]
    if dialect.glues:
        return "".join(written)
    plain = [plain_inlines((child,)) for child in children]
    for at, child in enumerate(children):
        before = plain[at - 1][-1:] if at else ""
        after = plain[at + 1][:1] if at + 1 < len(children) else ""
        if isinstance(child, Strong | Emphasis | Strike) and (before.isalnum() or after.isalnum()):
            # In the middle of a word its marks would be shown instead of working.
            written[at] = write_inlines(child.children, dialect)
    return "".join(written)


def write_span(span: Span, dialect: Dialect) -> str:
    """A piece of a card's short line; the name of somebody in it notifies nobody."""
    match span:
        case str():
            return dialect.escape(span)
        case Name(name):
            return dialect.escape(f"@{name}")
        case Moment(at):
            return dialect.moment(at)
        case Mono(text):
            return dialect.code(text)
        case messages.Strong(text):
            return write_strong(text, dialect)
        case _:
            assert_never(span)


def write_strong(text: str, dialect: Dialect) -> str:
    """Some text between the marks that make it stand out, on one line."""
    return dialect.styled(dialect.escape(text).replace("\n", " "), dialect.strong)


def _block(block: Block, dialect: Dialect) -> str:
    match block:
        case Paragraph(children=children):
            return write_inlines(children, dialect)
        case Heading(level=level, children=children):
            return dialect.heading(level, plain_inlines(children).replace("\n", " "))
        case CodeBlock(language=language, text=text):
            return dialect.fence(language, text)
        case List():
            return "\n".join(_item(block, at, dialect) for at in range(len(block.items)))
        case Quote(children=blocks):
            return "\n".join(_behind(inner, "> ", "> ", dialect) for inner in blocks)
        case Table():
            return dialect.fence("", columns(block))
        case Rule():
            return ACROSS
        case _:
            assert_never(block)


def _item(listed: List, at: int, dialect: Dialect) -> str:
    mark = bullet(listed, at).replace("- ", dialect.dash)
    if dialect.knows_lists and mark[0] in CHECKS:
        mark = f"{dialect.dash}{mark}"
    first, *rest = listed.items[at].children or (Paragraph(children=()),)
    if isinstance(first, CodeBlock | Table):
        return f"{mark}\n{_block(first, dialect)}"
    return "\n".join(
        [
            _behind(first, mark, dialect.indent, dialect),
            *(_behind(b, dialect.indent, dialect.indent, dialect) for b in rest),
        ]
    )


def _behind(block: Block, first: str, rest: str, dialect: Dialect) -> str:
    """The block behind prefixes; not so a fence, which only works at the start of a line."""
    written = _block(block, dialect)
    return written if isinstance(block, CodeBlock | Table) else indented(written, first, rest)


def columns(table: Table) -> str:
    """The table as text in columns, for a typeface of fixed width."""
    rows = [[plain_inlines(cell).replace("\n", " ") for cell in row] for row in (table.header, *table.rows)]
    widths = [min(_WIDEST_CELL, max(map(len, column))) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "─" * min(80, max(map(len, lines))), *lines[1:]])


def _inline(inline: Inline, dialect: Dialect) -> str:
    match inline:
        case Text(text):
            return dialect.escape(text)
        case Code(text):
            return dialect.code(text)
        case Strong(children):
            return _styled(children, dialect.strong, dialect)
        case Emphasis(children):
            return _styled(children, dialect.emphasis, dialect)
        case Strike(children):
            return _styled(children, dialect.strike, dialect)
        case Link(url, children):
            return dialect.link(plain_inlines(children).replace("\n", " "), url)
        case LineBreak():
            return "\n"
        case _:
            assert_never(inline)


def _styled(children: Inlines, mark: str, dialect: Dialect) -> str:
    written = write_inlines(children, dialect)
    # Marks reach no further than a line.
    return "\n".join(dialect.styled(line, mark) if line.strip() else line for line in written.split("\n"))
