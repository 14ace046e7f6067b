"""Agents' markdown as a small frozen tree, which each platform has a writer for.

`parse` reads CommonMark with GFM's tables, strikethrough and check boxes, and never raises. What an approver
is shown must be all that was written, so nothing is hidden: html is text, titles and reference definitions stay
visible, a cell too many joins the last one, and a link whose text looks like another address shows its own.
Control characters are made harmless here, once, for every platform.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeAlias, assert_never
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.common.utils import isStrSpace
from markdown_it.rules_block import StateBlock, blockquote, list_block
from markdown_it.rules_block.table import escapedSplit, getLine, table
from markdown_it.token import Token

PARSED_AT_MOST: Final = 50_000
"""Characters read as markdown; what follows them is kept as one literal block, so that time stays bounded."""

LONGEST_LINK: Final = 500
"""Characters; a longer address is shown as text, since no platform's limit leaves room for it."""

LONGEST_LANGUAGE: Final = 32
_DEEPEST_BLOCK: Final = 12  # markdown-it's levels: a quote is one, a list two
_DEEPEST_STYLE: Final = 6
_SCHEMES: Final = ("http:", "https:", "mailto:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strong:
    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Emphasis:
    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """`url` is http, https or mailto, at most LONGEST_LINK characters."""

    url: str
    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineBreak:
    pass


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
    pass


Block: TypeAlias = Paragraph | Heading | CodeBlock | List | Quote | Table | Rule
Tree: TypeAlias = tuple[Block, ...]


def parse(markdown: str) -> Tree:
    """Read markdown as an agent wrote it; never raises, and takes bounded time however long or hostile it is."""
    text = clean(markdown)
    parsed, rest = _at_line_end(text, PARSED_AT_MOST)
    tree = _blocks(iter(_markdown().parse(parsed)))
    return (*tree, CodeBlock(language="", text=rest)) if rest.strip() else tree


def literal(text: str) -> Tree:
    """One paragraph that shows `text` as it is, every line of it, with nothing read as markdown."""
    lines = clean(text).split("\n")
    joined = chain.from_iterable((LineBreak(), Text(text=line)) for line in lines)
    return (Paragraph(children=_joined(list(joined)[1:])),)


_SEQUENCE: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_HARMLESS: Final = {
    **dict.fromkeys((*range(0x20), 0x7F, *range(0x80, 0xA0), *range(0xD800, 0xE000)), "\ufffd"),
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd"),
    **dict.fromkeys((0x0B, 0x0C, 0x85, 0x2028, 0x2029), "\n"),
    0x09: "\t",
    0x0A: "\n",
    0x1B: "␛",
}


def clean(text: str) -> str:
    """Text that no terminal, JSON parser or reader can be fooled with.

    Newlines are `\\n`; colour sequences go; control characters, surrogates and the marks that reorder
    text on the screen (Unicode TR36) become visible.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x1b" in text:
        text = _SEQUENCE.sub("", text)
    return text if text.isascii() and text.isprintable() else text.translate(_HARMLESS)


def inline_text(children: Inlines) -> str:
    """The letters of some inlines without their styles; a link is its text, without its address."""
    return "".join(_letters(child) for child in children)


def _letters(inline: Inline) -> str:
    match inline:
        case Text(text=text) | Code(text=text):
            return text
        case Strong() | Emphasis() | Strike() | Link():
            return inline_text(inline.children)
        case LineBreak():
            return "\n"
        case _:
            assert_never(inline)


def _at_line_end(text: str, most: int) -> tuple[str, str]:
    if len(text) <= most:
        return text, ""
    at = text.rfind("\n", 0, most) + 1 or most
    return text[:at], text[at:].rstrip("\n")


_BlockRule: TypeAlias = Callable[[StateBlock, int, int, bool], bool]


def _markdown() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    reader.disable(["reference"])  # a definition would be text that nobody sees
    terminates = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    reader.block.ruler.at("blockquote", _bounded(blockquote), terminates)
    reader.block.ruler.at("list", _bounded(list_block), {"alt": ["paragraph", "reference", "blockquote"]})
    reader.block.ruler.at("table", _whole_table, {"alt": ["paragraph", "reference"]})
    reader.validateLink = _any_link  # type: ignore[method-assign]
    return reader


def _any_link(_url: str) -> bool:
    # The tree decides which links may be followed; left to markdown-it, a refused one would stay half parsed.
    return True


def _bounded(rule: _BlockRule) -> _BlockRule:
    # Past its own nesting limit markdown-it drops the text; here a marker too deep is simply text.
    def bounded(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        return state.level < _DEEPEST_BLOCK and rule(state, start, end, silent)

    return bounded


def _whole_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    before = len(state.tokens)
    if not table(state, start, end, silent):
        return False
    if not silent:
        _keep_cells_too_many(state, state.tokens[before:])
    return True


def _keep_cells_too_many(state: StateBlock, tokens: list[Token]) -> None:
    width = sum(token.type == "th_open" for token in tokens)
    line = 0
    cells: list[Token] = []
    for token in tokens:
        if token.type == "tr_open" and token.map:
            line, cells = token.map[0], []
        elif token.type == "inline":
            cells.append(token)
        elif token.type == "tr_close":
            extra = _cells(getLine(state, line))[width:]
            cells[-1].content = " | ".join([cells[-1].content, *extra])


def _cells(line: str) -> list[str]:
    cells = escapedSplit(line.strip())
    cells = cells[1:] if cells and cells[0] == "" else cells
    cells = cells[:-1] if cells and cells[-1] == "" else cells
    return [cell.strip() for cell in cells]


def _blocks(tokens: Iterator[Token]) -> Tree:
    """The blocks up to the end, or to the closing token of what holds them."""
    found: list[Block] = []
    for token in tokens:
        match token.type:
            case "paragraph_open":
                found.append(Paragraph(children=_content(tokens)))
            case "heading_open":
                found.append(Heading(level=int(token.tag[1:]), children=_content(tokens)))
            case "fence" | "code_block":
                found.extend(_code(token))
            case "bullet_list_open" | "ordered_list_open":
                found.append(_list(token, tokens))
            case "blockquote_open":
                found.append(Quote(children=_blocks(tokens)))
            case "table_open":
                found.append(_table(tokens))
            case "hr":
                found.append(Rule())
            case _:
                break
    return tuple(found)


def _content(tokens: Iterator[Token]) -> Inlines:
    inline = next(tokens)
    next(tokens)
    return _inlines(iter(_shallow(inline.children or [])))


_LANGUAGE: Final = re.compile(rf"[\w+#.-]{{0,{LONGEST_LANGUAGE}}}")


def _code(token: Token) -> Tree:
    info = token.info.strip()
    text = token.content.removesuffix("\n")
    if _LANGUAGE.fullmatch(info):
        return (CodeBlock(language=info, text=text),)
    # More than a language would not be seen by those who are to approve it.
    return (Paragraph(children=(Text(text=info),)), CodeBlock(language="", text=text))


def _list(opening: Token, tokens: Iterator[Token]) -> List:
    items: list[Item] = []
    for token in tokens:
        if token.type != "list_item_open":
            break
        items.append(_item(_blocks(tokens)))
    start = int(opening.attrs.get("start", 1))
    return List(ordered=opening.type == "ordered_list_open", items=tuple(items), start=start)


_CHECK_BOX: Final = re.compile(r"\[([ xX])\] ")


def _item(children: Tree) -> Item:
    match children:
        case (Paragraph(children=(Text(text=text), *others)), *following):
            box = _CHECK_BOX.match(text)
            if box:
                first = Paragraph(children=_joined([Text(text=text[box.end() :]), *others]))
                return Item(children=(first, *following), checked=box[1] != " ")
    return Item(children=children)


def _table(tokens: Iterator[Token]) -> Table:
    rows: list[tuple[Inlines, ...]] = []
    cells: list[Inlines] = []
    for token in tokens:
        match token.type:
            case "inline":
                cells.append(_inlines(iter(_shallow(token.children or []))))
            case "tr_close":
                rows.append(tuple(cells))
                cells = []
            case "table_close":
                break
    return Table(header=rows[0], rows=tuple(rows[1:]))


def _shallow(tokens: list[Token]) -> Iterator[Token]:
    """The tokens without the styles nested too deep; links stay, and they never nest."""
    depth = 0
    for token in tokens:
        styled = token.nesting != 0 and token.tag != "a"
        depth += styled and token.nesting == 1
        if not styled or depth <= _DEEPEST_STYLE:
            yield token
        depth -= styled and token.nesting == -1


def _inlines(tokens: Iterator[Token], *, in_link: bool = False) -> Inlines:
    found: list[Inline] = []
    for token in tokens:
        match token.type:
            case "text" | "text_special":
                found.append(Text(text=token.content))
            case "softbreak" | "hardbreak":
                found.append(LineBreak())
            case "code_inline":
                found.append(Code(text=token.content))
            case "strong_open":
                found.append(Strong(children=_inlines(tokens, in_link=in_link)))
            case "em_open":
                found.append(Emphasis(children=_inlines(tokens, in_link=in_link)))
            case "s_open":
                found.append(Strike(children=_inlines(tokens, in_link=in_link)))
            case "link_open":
                label = _inlines(tokens, in_link=True)
                found.extend(_link(_attribute(token, "href"), label, _attribute(token, "title")))
            case "image":
                alternative = (Text(text=token.content),) if token.content else ()
                found.extend(_image(token, alternative, in_link=in_link))
            case _:
                break
    return _joined(found)
