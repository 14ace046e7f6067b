"""Formatted text as a small frozen tree, which each platform has a writer for; agents' markdown becomes one.

`conversations.markdown` reads it, `conversations.excerpts` cuts it, and `plain` writes it without any formatting.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from conversations.cleaning import clean
from conversations.links import addresses


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class Emphasis:
    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class Strike:
    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class Code:
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """`url` is http, https or mailto, as long as `links.LONGEST_LINK` at most."""

    url: str
    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class LineBreak:
    """The next line of the same paragraph; chats break lines where the author did."""


Inline: TypeAlias = Text | Strong | Emphasis | Strike | Code | Link | LineBreak
Inlines: TypeAlias = tuple[Inline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    children: Inlines


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    level: int
    children: Inlines


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBlock:
    """`language` is one word or empty; `text` has no final newline."""

    language: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """`checked` is None where there is no check box."""

    children: "tuple[Block, ...]"
    checked: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    ordered: bool
    items: tuple[Item, ...]
    start: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    children: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Every row has as many cells as the header."""

    header: tuple[Inlines, ...]
    rows: tuple[tuple[Inlines, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A line across the page."""


Block: TypeAlias = Paragraph | Heading | CodeBlock | List | Quote | Table | Rule
Markup: TypeAlias = tuple[Block, ...]


def literal(text: str) -> Markup:
    """One paragraph that shows the lines of `text` as they are, with nothing read as markdown."""
    found: list[Inline] = []
    for line in clean(text).split("\n"):
        found += (LineBreak(), Text(line))
    return (Paragraph(children=joined(found[1:])),)


def inline_text(children: Inlines) -> str:
    """The letters of some inlines without their styles; a link is its text, without its address."""
    return "".join(_letters(child) for child in children)


def _letters(inline: Inline) -> str:
    match inline:
        case Text(text) | Code(text):
            return text
        case Strong(children) | Emphasis(children) | Strike(children) | Link(_, children):
            return inline_text(children)
        case LineBreak():
            return "\n"
        case _:
            assert_never(inline)


def joined(inlines: list[Inline], *, in_link: bool = False) -> Inlines:
    """The same with neighbouring texts as one, empty ones gone, and bare addresses made links."""
    found: list[Inline] = []
    pending: list[str] = []
    for inline in inlines:
        if isinstance(inline, Text):
            pending.append(inline.text)
            continue
        found += _linked("".join(pending), in_link=in_link)
        pending.clear()
        found.append(inline)
    return (*found, *_linked("".join(pending), in_link=in_link))


def _linked(text: str, *, in_link: bool) -> Inlines:
    found: list[Inline] = []
    done = 0
    for start, end in () if in_link else addresses(text):
        found += (Text(text[done:start]), Link(text[start:end], (Text(text[start:end]),)))
        done = end
    found.append(Text(text[done:]))
    return tuple(inline for inline in found if inline != Text(""))


CHECKS: Final = ("☐", "☑")


def plain(markup: Markup) -> str:
    """The text without formatting, blocks a blank line apart: code indented by four, links with their address."""
    return "\n\n".join(_plain_block(block) for block in markup)


def plain_inlines(children: Inlines) -> str:
    return "".join(_plain_inline(child) for child in children)


def indented(text: str, first: str, rest: str) -> str:
    """The lines of `text` behind a prefix, the first one's own; a line that stays empty gets no blanks."""
    return (first + text.replace("\n", "\n" + rest)).replace(rest + "\n", rest.rstrip() + "\n")


def bullet(listed: List, at: int) -> str:
    """The mark of the item at index `at`: "- ", "4. ", "☑ " or "☐ "."""
    number = f"{listed.start + at}. " if listed.ordered else ""
    match listed.items[at].checked:
        case None:
            return number or "- "
        case checked:
            return f"{number}{CHECKS[checked]} "


def _plain_block(block: Block) -> str:
    match block:
        case Paragraph(children=children) | Heading(children=children):
            return plain_inlines(children)
        case CodeBlock(text=text):
            return indented(text, "    ", "    ")
        case List():
            return "\n".join(_plain_item(block, at) for at in range(len(block.items)))
        case Quote(children=blocks):
            return indented(plain(blocks), "> ", "> ")
        case Table():
            return "\n".join(" | ".join(map(plain_inlines, row)) for row in (block.header, *block.rows))
        case Rule():
            return "---"
        case _:
            assert_never(block)


def _plain_item(listed: List, at: int) -> str:
    mark = bullet(listed, at)
    text = "\n".join(_plain_block(block) for block in listed.items[at].children)
    return indented(text, mark, " " * min(len(mark), 3))


def _plain_inline(inline: Inline) -> str:
    match inline:
        case Link(url, children):
            label = plain_inlines(children)
            return label if label == url.removeprefix("mailto:") else f"{label} ({url})"
        case Strong(children) | Emphasis(children) | Strike(children):
            return plain_inlines(children)
        case Text() | Code() | LineBreak():
            return _letters(inline)
        case _:
            assert_never(inline)
