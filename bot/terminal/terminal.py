"""The writer of cards for a terminal: for a person who looks at it, for a pipe, and as plain text for the journal.

Pure. Nothing in a message reaches the terminal as a control sequence, and no style or address is hidden in one.
"""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from io import StringIO
from typing import Final, TypeAlias, assert_never

from rich.box import ROUNDED
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from bot.terminal.prose import CODE, draw, draw_code
from conversations.cleaning import clean, one_line
from conversations.excerpts import truncate
from conversations.fallback import mentions_text, part_text, span_text, spans_text, title_text
from conversations.glyphs import earlier_text, glyph, phases_text, step_detail, title_sign, title_status
from conversations.markdown import parse
from conversations.markup import CodeBlock, plain
from conversations.messages import (
    Button,
    ButtonStyle,
    Code,
    Line,
    Link,
    Mark,
    Message,
    Moment,
    Mono,
    Name,
    Part,
    Phases,
    Prose,
    Span,
    Step,
    Steps,
    Strong,
    TextFile,
    Title,
    Tone,
)

WIDTH: Final = 80
FILE_LIMIT: Final = 100_000
"""Characters of a text beside a card that are shown below it; the scrollback is the only place to read it."""

_SHORT_PROSE: Final = 160


def renderable(message: Message, *, zone: tzinfo | None = None, first_key: int | None = 1) -> RenderableType:
    """The card with its border in the colour of its tone, buttons with the keys that press them.

    Keys count from `first_key`; with None, as where another card has the numbers, buttons show their labels alone.
    """
    card = _card(message, zone, first_key)
    return Panel(card, box=ROUNDED, border_style=_tone_style(message.tone), padding=(0, 1))


def restored(text: str, labels: Sequence[str], *, first_key: int | None = 1) -> RenderableType:
    """A card of which only `text` and the labels of its buttons are known, as after a restart."""
    rows: list[_Row] = [Text(clean(text), overflow="fold"), *_keys([(label, "bold") for label in labels], first_key)]
    return Panel(Group(*_spaced(rows)), box=ROUNDED, border_style="dim", padding=(0, 1))


def text(message: Message, *, width: int = WIDTH, zone: tzinfo | None = None) -> str:
    """The card without border and colours, in lines of at most `width` cells that end in no blanks.

    Times are in `zone`, or else in that of this machine.
    """
    sink = StringIO()
    console = Console(file=sink, width=width, color_system=None, force_terminal=False, legacy_windows=False)
    console.print(_card(message, zone))
    return "\n".join(row.rstrip() for row in sink.getvalue().splitlines()).strip("\n")


def line(message: Message, *, zone: tzinfo | None = None) -> str:
    """The card as one line of a transcript: "✋ @dana Plan v2 … [Approve & run] [Request changes] [Reject]".

    A card that will still change shows no buttons and no status: both would be out of date in the next line. One that
    leaves nothing to press shows its footer, which says how it ended.
    """
    pieces = [_summary(message, part, zone) for part in message.parts]
    if not message.live and not message.buttons:
        pieces.append(spans_text(message.footer, zone=zone))
    names = "" if any(isinstance(part, Title) for part in message.parts) else mentions_text(message)
    said = " · ".join(filter(None, pieces)).replace(" · …", " …")
    buttons = [] if message.live else [f"[{one_line(button.label)}]" for button in message.buttons]
    return one_line(" ".join([names, said, *buttons]))


def _summary(message: Message, part: Part, zone: tzinfo | None) -> str:
    """What a part adds to the line; what is long or beside the point is "…" or nothing."""
    match part:
        case Title(icon=icon, text=text):
            return title_text(Title(icon=icon, text=text) if message.live else part, mentions_text(message))
        case Line(muted=muted):
            return "" if muted else part_text(part, zone=zone)
        case Phases():
            return ""
        case Steps(steps=steps):
            return " · ".join(part_text(Steps(steps=(step,))) for step in steps)
        case Prose(markup=markup):
            whole = plain(markup)
            return whole if "\n" not in whole and len(whole) <= _SHORT_PROSE else "…"
        case Code():
            return "…"
        case _:
            assert_never(part)


_Row: TypeAlias = RenderableType | None
"""A row of a card; None is a blank line, of which there is never more than one."""


def _card(message: Message, zone: tzinfo | None, first_key: int | None = 1) -> RenderableType:
    rows: list[_Row] = [row for part in message.parts for row in _part(message, part, zone)]
    if message.mentions and not any(isinstance(part, Title) for part in message.parts):
        rows.insert(0, _names(message))
    rows += _buttons(message.buttons, first_key)
    if message.footer:
        rows.append(_spans(message.footer, zone, "dim"))
    rows += [row for file in message.files for row in _file(message, file)]
    return Group(*_spaced(rows))


def _spaced(rows: list[_Row]) -> Iterator[RenderableType]:
    begun = gap = False
    for row in rows:
        if row is None:
            gap = begun
            continue
        if gap:
            yield Text("")
        yield row
        begun, gap = True, False


def _part(message: Message, part: Part, zone: tzinfo | None) -> list[_Row]:
    match part:
        case Title():
            return [_Headline(_title(message, part), _status(part))]
        case Line(spans=spans, muted=muted):
            return [_spans(spans, zone, "dim" if muted else "")]
        case Phases():
            return [Text(phases_text(part), overflow="fold")]
        case Steps(steps=steps, hidden=hidden):
            earlier: list[_Row] = [Text(earlier_text(hidden), style="dim")] if hidden else []
            return [*earlier, *map(_step, steps)]
        case Prose(markup=markup):
            return [None, draw(markup), None]
        case Code(text=text, language=language):
            return [None, Padding(draw_code(text, language), (0, 0, 0, 4)), None]
        case _:
            assert_never(part)


class _Headline:
    """What a card is about at the left and its state at the right, or below where there is no room."""

    def __init__(self, title: Text, status: Text) -> None:
        self._title = title
        self._status = status

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del console
        gap = options.max_width - self._title.cell_len - self._status.cell_len
        if not self._status or gap >= 2:
            yield Text.assemble(self._title, " " * (gap if self._status else 0), self._status, overflow="fold")
        else:
            yield from (self._title, self._status)


def _title(message: Message, title: Title) -> Text:
    drawn = Text(overflow="fold")
    for piece, style in (
        (title_sign(title), _mark_style(title.mark) if title.mark else ""),
        (mentions_text(message), "bold cyan"),
        (title.text, "bold"),
    ):
        if piece:
            drawn.append(" " if drawn else "").append(one_line(piece), style)
    return drawn


def _names(message: Message) -> Text:
    return Text(mentions_text(message), style="bold cyan", overflow="fold")


def _status(title: Title) -> Text:
    return Text(title_status(title), style=_mark_style(title.mark) if title.mark else "dim", overflow="fold")


def _step(step: Step) -> Text:
    sign = (glyph(step.mark), _mark_style(step.mark))
    return Text.assemble(sign, f" {one_line(step.text)}", (step_detail(step), "dim"), overflow="fold")


def _spans(spans: tuple[Span, ...], zone: tzinfo | None, style: str) -> Text:
    drawn = Text(style=style, overflow="fold")
    for span in spans:
        drawn.append(clean(span_text(span, zone=zone)).replace("\n", " "), _span_style(span))
    return drawn


def _buttons(buttons: tuple[Button | Link, ...], first_key: int | None) -> list[_Row]:
    """Keys in one line, addresses below them; numbers count only what a key can press."""
    keys = [(button.label, _button_style(button.style)) for button in buttons if isinstance(button, Button)]
    links = [
        Text.assemble(f"{one_line(b.label)} ", (one_line(b.url), "blue underline"))
        for b in buttons
        if isinstance(b, Link)
    ]
    return [*_keys(keys, first_key), *links]


def _keys(labelled: Sequence[tuple[str, str]], first_key: int | None) -> list[_Row]:
    """Labels with their styles, in one line."""
    keys = Text(overflow="fold")
    for at, (label, style) in enumerate(labelled):
        drawn = f"[{one_line(label)}]" if first_key is None else f"[{first_key + at}] {one_line(label)}"
        keys.append("   " if keys else "").append(drawn, style)
    return [None, keys] if keys else []


def _file(message: Message, file: TextFile) -> list[_Row]:
    """The text itself under its name, unless the card says all of it already."""
    markup = (
        parse(file.text) if file.media_type == "text/markdown" else (CodeBlock(language="", text=clean(file.text)),)
    )
    if any(isinstance(part, Prose) and part.markup == markup for part in message.parts):
        return []
    return [None, Rule(Text(one_line(file.name)), style="dim", align="left"), draw(truncate(markup, FILE_LIMIT))]


def _tone_style(tone: Tone) -> str:
    match tone:
        case Tone.QUIET:
            return "bright_black"
        case Tone.WORKING:
            return "blue"
        case Tone.WAITING:
            return "yellow"
        case Tone.GOOD:
            return "green"
        case Tone.BAD:
            return "red"
        case _:
            assert_never(tone)


def _mark_style(mark: Mark) -> str:
    match mark:
        case Mark.DONE:
            return "green"
        case Mark.ACTIVE | Mark.RUNNING:
            return "cyan"
        case Mark.FAILED:
            return "red"
        case Mark.PAUSED | Mark.QUEUED:
            return "yellow"
        case Mark.OPEN | Mark.SKIPPED:
            return "dim"
        case _:
            assert_never(mark)


def _span_style(span: Span) -> str:
    match span:
        case str() | Moment():
            return ""
        case Name():
            return "cyan"
        case Mono():
            return CODE
        case Strong():
            return "bold"
        case _:
            assert_never(span)


def _button_style(style: ButtonStyle) -> str:
    match style:
        case ButtonStyle.PLAIN:
            return "bold"
        case ButtonStyle.PRIMARY:
            return "bold green"
        case ButtonStyle.DANGER:
            return "bold red"
        case _:
            assert_never(style)
