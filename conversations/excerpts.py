"""Formatted text cut to a platform's limits: a fence is never left open, and what is left out is said.

A limit counts whatever the caller's `size` counts, since every platform's syntax takes room of its own; `size` must grow
with the text and be at least its number of characters.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias, TypeVar, assert_never

from conversations.markup import (
    Block,
    Code,
    CodeBlock,
    Emphasis,
    Heading,
    Inline,
    Inlines,
    Item,
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
    inline_text,
    plain,
)

Size: TypeAlias = Callable[[Markup], int]
T = TypeVar("T")

_WORD: Final = 40
_LINE: Final = 200


def plain_size(markup: Markup) -> int:
    return len(plain(markup))


def truncate(markup: Markup, limit: int, size: Size = plain_size) -> Markup:
    """As much from the start as fits into `limit`, ended by "… 312 more lines"; the same object where all of it fits."""
    if size(markup) <= limit:
        return markup
    head, rest = divide(markup, limit, size)
    return (*head, left_out(rest))


def split(markup: Markup, limit: int, parts: int, size: Size = plain_size) -> tuple[Markup, ...]:
    """Parts that each fit into `limit`, at most `parts` of them; only the last may be a truncation."""
    found: list[Markup] = []
    rest = markup
    while rest and len(found) < parts - 1 and size(rest) > limit:
        head, rest = divide(rest, limit, size, marked=False)
        if not head:
            break
        found.append(head)
    return (*found, truncate(rest, limit, size)) if rest else tuple(found)


def divide(markup: Markup, limit: int, size: Size = plain_size, *, marked: bool = True) -> tuple[Markup, Markup]:
    """The longest start that fits into `limit` (with room for `left_out`, if `marked`), and the rest.

    It ends between lines or words where it can; it is empty where not even one character fits.
    """
    ending = (_WIDEST_MARK,) if marked else ()
    # No more than `limit` characters can fit, so only these are searched, however much there is.
    start, beyond = _cut_blocks(markup, limit, ragged=True)
    for ragged in (False, True):
        at = _furthest(start, limit, lambda head: size((*head, *ending)) <= limit, ragged=ragged)
        for whole, after in ((markup, ()), (start, beyond)):
            head, rest = _cut_blocks(whole, at, ragged=ragged)
            if head and size((*head, *ending)) <= limit:
                return head, (*rest, *after)
    return (), markup


def left_out(rest: Markup) -> Paragraph:
    """The line that says how much is not shown."""
    text = plain(rest)
    lines = text.count("\n") + 1
    return _mark(lines, "line") if lines > 1 else _mark(len(text), "character")


def _mark(count: int, unit: str) -> Paragraph:
    return Paragraph(children=(Emphasis((Text(f"… {count:,} more {unit}{'' if count == 1 else 's'}"),)),))


_WIDEST_MARK: Final = _mark(100_000_000, "character")


def _furthest(markup: Markup, limit: int, fits: Callable[[Markup], bool], *, ragged: bool) -> int:
    """About the last character to cut at, by bisection, since a later cut never makes the start smaller."""
    low, high = 0, limit
    near = limit // 64  # a cut goes back to the last word or line anyway
    while high - low > near:
        middle = (low + high + 1) // 2
        if fits(_cut_blocks(markup, middle, ragged=ragged)[0]):
            low = middle
        else:
            high = middle - 1
    return low


_Halves: TypeAlias = tuple[tuple[T, ...], tuple[T, ...]]


def _cut(
    values: Sequence[T], at: int, weigh: Callable[[T], int], cut_one: Callable[[T, int], _Halves[T]]
) -> _Halves[T]:
    """Before and after the character `at`; the value that stands across it is cut by `cut_one`."""
    for index, value in enumerate(values):
        weight = weigh(value)
        if weight > at:
            head, rest = cut_one(value, at)
            return (*values[:index], *head), (*rest, *values[index + 1 :])
        at -= weight
    return tuple(values), ()


def _cut_blocks(blocks: Markup, at: int, *, ragged: bool) -> tuple[Markup, Markup]:
    return _cut(blocks, at, _weigh, lambda block, left: _cut_block(block, left, ragged=ragged))


def _cut_inlines(inlines: Inlines, at: int, *, ragged: bool) -> tuple[Inlines, Inlines]:
    return _cut(inlines, at, _letters, lambda inline, left: _cut_inline(inline, left, ragged=ragged))


def _letters(inline: Inline) -> int:
    return max(1, len(inline_text((inline,))))


def _weigh(block: Block) -> int:
    """Its characters, at least one."""
    match block:
        case Paragraph(children=children) | Heading(children=children):
            return max(1, sum(map(_letters, children)))
        case CodeBlock(text=text):
            return max(1, len(text))
        case List(items=items):
            return max(1, sum(map(_weigh_item, items)))
        case Quote(children=blocks):
            return max(1, sum(map(_weigh, blocks)))
        case Table():
            return sum(map(_weigh_row, (block.header, *block.rows)))
        case Rule():
            return 1
        case _:
            assert_never(block)


def _weigh_item(item: Item) -> int:
    return max(1, sum(map(_weigh, item.children)))


def _weigh_row(row: tuple[Inlines, ...]) -> int:
    return 1 + sum(len(inline_text(cell)) for cell in row)


def _cut_block(block: Block, at: int, *, ragged: bool) -> tuple[Markup, Markup]:
    match block:
        case Paragraph(children=children) | Heading(children=children):
            head, rest = _cut_inlines(children, at, ragged=ragged)
            head, rest = _without_breaks(head), _without_breaks(rest)
            return ((replace(block, children=head),), (Paragraph(children=rest),)) if head else ((), (block,))
        case CodeBlock(text=text):
            lines, others = _cut_text(text, at, "\n", _LINE, ragged=ragged)
            return ((replace(block, text=lines),), (replace(block, text=others),)) if lines else ((), (block,))
        case List():
            return _cut_list(block, at, ragged=ragged)
        case Quote(children=blocks):
            above, below = _cut_blocks(blocks, at, ragged=ragged)
            return ((Quote(children=above),), (Quote(children=below),)) if above else ((), (block,))
        case Table():
            return _cut_table(block, at, ragged=ragged)
        case Rule():
            return (), (block,)
        case _:
            assert_never(block)


def _without_breaks(inlines: Inlines) -> Inlines:
    start = 1 if inlines and isinstance(inlines[0], LineBreak) else 0
    end = len(inlines) - 1 if len(inlines) > start and isinstance(inlines[-1], LineBreak) else len(inlines)
    return inlines[start:end]


def _cut_list(listed: List, at: int, *, ragged: bool) -> tuple[Markup, Markup]:
    head, rest = _cut(listed.items, at, _weigh_item, lambda item, left: _cut_item(item, left, ragged=ragged))
    if not head:
        return (), (listed,)
    # An item cut in two keeps its number in the second part.
    start = listed.start + len(listed.items) - len(rest)
    return (replace(listed, items=head),), (replace(listed, items=rest, start=start),)


def _cut_item(item: Item, at: int, *, ragged: bool) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    head, rest = _cut_blocks(item.children, at, ragged=ragged)
    return ((replace(item, children=head),), (replace(item, children=rest),)) if head else ((), (item,))


def _cut_table(table: Table, at: int, *, ragged: bool) -> tuple[Markup, Markup]:
    def whole(row: tuple[Inlines, ...], _left: int) -> _Halves[tuple[Inlines, ...]]:
        return (), (row,)

    head, rest = _cut(table.rows, max(0, at - _weigh_row(table.header)), _weigh_row, whole)
    if head:
        return (replace(table, rows=head),), (replace(table, rows=rest),)
    # A row that fits nowhere goes on as text.
    return _cut_block(CodeBlock(language="", text=plain((table,))), at, ragged=ragged) if ragged else ((), (table,))


def _cut_inline(inline: Inline, at: int, *, ragged: bool) -> tuple[Inlines, Inlines]:
    match inline:
        case Text(text) | Code(text):
            head, rest = _cut_text(text, at, " ", _WORD, ragged=ragged)
            return ((replace(inline, text=head),), (replace(inline, text=rest),)) if head else ((), (inline,))
        case Strong(children) | Emphasis(children) | Strike(children) | Link(_, children):
            above, below = _cut_inlines(children, at, ragged=ragged)
            return (
                ((replace(inline, children=above),), (replace(inline, children=below),)) if above else ((), (inline,))
            )
        case LineBreak():
            return (), (inline,)
        case _:
            assert_never(inline)


def _cut_text(text: str, at: int, separator: str, reach: int, *, ragged: bool) -> tuple[str, str]:
    """Cut at the last separator within `reach` before `at`; without one, within something long, or if ragged, there."""
    found = text.rfind(separator, max(0, at - reach), at + 1)
    if found > 0:
        return text[:found], text[found + 1 :]
    if not ragged and len(text) <= reach:
        return "", text
    at = _between_graphemes(text, at)
    return text[:at], text[at:]


def _between_graphemes(text: str, at: int) -> int:
    for earlier in range(at, max(0, at - 16), -1):
        if not _joins(text[earlier - 1 : earlier + 1]):
            return earlier
    return at


def _joins(pair: str) -> bool:
    """Whether two neighbours are one sign to the reader: accents, emoji with skin tones, flags of families."""
    return pair[0] == "\u200d" or (
        pair[1:] != ""
        and (
            unicodedata.combining(pair[1]) != 0
            or pair[1] in "\u200d\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
        )
    )
