"""Formatted text drawn by Rich: everything that `conversations.markup` can hold, in the width there is."""

from collections.abc import Iterable
from typing import assert_never

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.rule import Rule as Across
from rich.segment import Segment
from rich.table import Table as Grid
from rich.text import Text as Drawn

from conversations.cleaning import clean
from conversations.markup import (
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
    plain_inlines,
)

CODE = "cyan"
ADDRESS = "blue underline"


def draw(markup: Markup) -> RenderableType:
    """The blocks a blank line apart."""
    return Group(*_apart(block for block in markup))


def draw_code(text: str, language: str) -> Drawn:
    """Code as it is, line by line; a diff in its colours."""
    drawn = Drawn(clean(text).expandtabs(4), overflow="fold")
    if language == "diff":
        drawn.highlight_regex(r"(?m)^\+.*$", "green")
        drawn.highlight_regex(r"(?m)^-.*$", "red")
        drawn.highlight_regex(r"(?m)^@@.*$", "cyan")
    return drawn


def draw_inlines(children: Inlines, style: str = "") -> Drawn:
    drawn = Drawn(overflow="fold", style=style)
    _append(drawn, children, "")
    return drawn


def _apart(blocks: Iterable[Block]) -> list[RenderableType]:
    drawn: list[RenderableType] = []
    for block in blocks:
        drawn += ([Drawn("")] if drawn else []) + [_draw_block(block)]
    return drawn


def _draw_block(block: Block) -> RenderableType:
    match block:
        case Paragraph(children=children):
            return draw_inlines(children)
        case Heading(level=level, children=children):
            return draw_inlines(children, "bold underline" if level == 1 else "bold")
        case CodeBlock(text=text, language=language):
            return Padding(draw_code(text, language), (0, 0, 0, 4))
        case List():
            return _draw_list(block)
        case Quote(children=blocks):
            return _Barred(Group(*_apart(blocks)))
        case Table():
            return _draw_table(block)
        case Rule():
            return Across(style="dim")
        case _:
            assert_never(block)


def _draw_list(listed: List) -> Grid:
    grid = Grid.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for at, item in enumerate(listed.items):
        mark = bullet(listed, at).strip()
        grid.add_row(Drawn("•" if mark == "-" else mark), Group(*map(_draw_block, item.children)))
    return grid


def _draw_table(table: Table) -> Grid:
    grid = Grid(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for cell in table.header:
        grid.add_column(draw_inlines(cell), overflow="fold")
    for row in table.rows:
        grid.add_row(*map(draw_inlines, row))
    return grid


class _Barred:
    """Something quoted: behind a bar on every line."""

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        inside = options.update_width(max(1, options.max_width - 2))
        for line in console.render_lines(self._content, inside, pad=False):
            yield from (Segment("▌ ", console.get_style("dim")), *line, Segment.line())


def _append(drawn: Drawn, children: Inlines, style: str) -> None:
    for child in children:
        _append_one(drawn, child, style)


def _append_one(drawn: Drawn, inline: Inline, style: str) -> None:
    match inline:
        case Text(text):
            drawn.append(clean(text), style)
        case Code(text):
            drawn.append(clean(text), f"{style} {CODE}")
        case LineBreak():
            drawn.append("\n")
        case Strong(children):
            _append(drawn, children, f"{style} bold")
        case Emphasis(children):
            _append(drawn, children, f"{style} italic")
        case Strike(children):
            _append(drawn, children, f"{style} strike")
        case Link(url, children):
            # No terminal hyperlink: not every terminal knows them, and the address is what a careful reader wants.
            label = plain_inlines(children)
            _append(drawn, children, f"{style} {ADDRESS}" if label == url else style)
            if label != url.removeprefix("mailto:"):
                drawn.append(f" ({url})", f"{style} {ADDRESS}")
        case _:
            assert_never(inline)
