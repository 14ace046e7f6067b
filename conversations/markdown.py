"""Agents' markdown read into `conversations.markup`: CommonMark with GFM's tables, strikethrough and check boxes.

What an approver is shown must be all that was written, so nothing is hidden: html is text, titles and reference
definitions stay visible, a cell too many joins the last one, and a link whose text looks like another address
shows its own.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, list_block
from markdown_it.rules_block.table import escapedSplit, getLine, table
from markdown_it.token import Token

from conversations.cleaning import clean
from conversations.links import is_disguised, is_followable
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
    joined,
)

PARSED_AT_MOST: Final = 50_000
"""Characters read as markdown; what follows them is kept as one literal block, so that time stays bounded."""

LONGEST_LANGUAGE: Final = 32
_DEEPEST_BLOCK: Final = 12  # in markdown-it's levels: a quote is one, a list two
_DEEPEST_STYLE: Final = 6


def parse(markdown: str) -> Markup:
    """Read markdown as an agent wrote it; never raises, and takes bounded time however long or hostile it is."""
    parsed, rest = _at_line_end(clean(markdown), PARSED_AT_MOST)
    markup = _blocks(iter(_reader().parse(parsed)))
    return (*markup, CodeBlock(language="", text=rest)) if rest.strip() else markup


def _at_line_end(text: str, most: int) -> tuple[str, str]:
    if len(text) <= most:
        return text, ""
    at = text.rfind("\n", 0, most) + 1 or most
    return text[:at], text[at:].rstrip("\n")


_BlockRule: TypeAlias = Callable[[StateBlock, int, int, bool], bool]


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    reader.disable(["reference"])  # a definition would be text that nobody sees
    reader.block.ruler.at("blockquote", _bounded(blockquote), {"alt": ["paragraph", "reference", "blockquote", "list"]})
    reader.block.ruler.at("list", _bounded(list_block), {"alt": ["paragraph", "reference", "blockquote"]})
    reader.block.ruler.at("table", _whole_table, {"alt": ["paragraph", "reference"]})
    reader.validateLink = _any_link  # type: ignore[method-assign,assignment]
    return reader


def _any_link(_url: str) -> bool:
    # The tree decides which links may be followed; left to markdown-it, a refused one would stay half parsed.
    return True


def _bounded(rule: _BlockRule) -> _BlockRule:
    # Past its own nesting limit markdown-it drops the text; here a marker too deep is simply text.
    def bounded(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 (markdown-it's signature)
        return state.level < _DEEPEST_BLOCK and rule(state, start, end, silent)

    return bounded


def _whole_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 (likewise)
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


def _blocks(tokens: Iterator[Token]) -> Markup:
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


def _code(token: Token) -> Markup:
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


def _item(children: Markup) -> Item:
    match children:
        case (Paragraph(children=(Text(text=text), *others)), *following):
            box = _CHECK_BOX.match(text)
            if box:
                first = Paragraph(children=joined([Text(text=text[box.end() :]), *others]))
                return Item(children=(first, *following), checked=box[1] != " ")
        case _:
            pass
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
            case _:
                pass
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


_STYLES: Final[dict[str, type[Strong | Emphasis | Strike]]] = {
    "strong_open": Strong,
    "em_open": Emphasis,
    "s_open": Strike,
}


def _inlines(tokens: Iterator[Token], *, in_link: bool = False) -> Inlines:
    """The inlines up to the end, or to the closing token of the style or link that holds them."""
    found: list[Inline] = []
    for token in tokens:
        match token.type:
            case "text" | "text_special":
                found.append(Text(token.content))
            case "softbreak" | "hardbreak":
                found.append(LineBreak())
            case "code_inline":
                found.append(Code(token.content))
            case "link_open":
                found += _link(token, "href", _inlines(tokens, in_link=True))
            case "image":
                found += _link(token, "src", (Text(token.content),), in_link=in_link)
            case style if style in _STYLES:
                found.append(_STYLES[style](_inlines(tokens, in_link=in_link)))
            case _:
                break
    return joined(found, in_link=in_link)


def _link(token: Token, attribute: str, label: Inlines, *, in_link: bool = False) -> Inlines:
    url = str(token.attrs.get(attribute, ""))
    title = str(token.attrs.get("title", ""))
    named = f" “{title}”" if title else ""
    shown = inline_text(label)
    if in_link or not is_followable(url):
        address = f" ({url})" if url and url != shown else ""
        return (*label, Text(address + named))
    if is_disguised(shown, url):
        return (*label, Text(" ("), Link(url, (Text(url),)), Text(")" + named))
    return (Link(url, label if shown.strip() else (Text(url),)), Text(named))
