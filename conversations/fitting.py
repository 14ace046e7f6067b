"""Messages made to fit: short texts clipped, long ones sharing the room there is, and whatever is left out put in a file.

Nothing is lost silently: what does not fit is named, and the whole of it stands in a file beside the message.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Final, TypeAlias, assert_never

from conversations.cleaning import clean
from conversations.excerpts import truncate
from conversations.fallback import full_text
from conversations.links import LONGEST_LINK
from conversations.markdown import parse
from conversations.markup import CodeBlock, Markup
from conversations.messages import (
    Button,
    Code,
    Line,
    Link,
    Message,
    Moment,
    Mono,
    Name,
    Part,
    Phases,
    Prose,
    Span,
    Steps,
    Strong,
    TextFile,
    Title,
)

WHOLE: Final = "message.txt"
"""The name of the file that holds all of a message of which something was left out."""

_SHARE_AT_LEAST: Final = 200
_BETWEEN: Final = 2
_ENDLESS: Final = 1_000_000_000


def units(text: str) -> int:
    """The length in UTF-16 code units, as platforms written in JavaScript count; never less than in characters."""
    return len(text) + sum(letter > "\uffff" for letter in text) if not text.isascii() else len(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How long, in UTF-16 units, the short texts of a message may be, and how many of a kind; what is longer ends in "…"."""

    title: int = 200
    line: int = 400
    step: int = 150
    label: int
    name: int = 40
    url: int = LONGEST_LINK + 1
    many: int = 12
    people: int = 5


def clip(message: Message, room: Room) -> Message:
    """The message with its short texts on one line each and within their room; prose and code stay whole."""
    return replace(
        message,
        parts=tuple(_clip_part(part, room) for part in message.parts),
        buttons=tuple(_clip_button(button, room) for button in message.buttons),
        footer=_clip_spans(message.footer, room.line),
        mentions=tuple(
            replace(person, name=_short(person.name, room.name)) for person in message.mentions[: room.people]
        ),
    )


def is_clipped(message: Message, room: Room) -> bool:
    """Whether `clip` leaves anything out."""
    whole = Room(**dict.fromkeys(("title", "line", "step", "label", "name", "url", "many", "people"), _ENDLESS))
    return clip(message, room) != clip(message, whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A short text in the platform's own syntax, which is shown whole or not at all; `quiet` ones are drawn smaller."""

    text: str
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flexible:
    """A long text, which may be cut."""

    markup: Markup


Piece: TypeAlias = Fixed | Flexible


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """`cut` holds the whole of the texts that were cut; `dropped` when something is not there at all."""

    pieces: tuple[Piece, ...]
    cut: tuple[Markup, ...]
    dropped: bool


def fit(pieces: Sequence[Piece], room: int, size: Callable[[Markup], int]) -> Fitted:
    """The pieces in their order, within `room` units with two between them; the first ones go before the last ones."""
    kept, left = _affordable(pieces, room)
    longs = [piece.markup for piece in kept if isinstance(piece, Flexible)]
    shown = _share(longs, left, size)
    following = iter(shown)
    return Fitted(
        pieces=tuple(Flexible(markup=next(following)) if isinstance(piece, Flexible) else piece for piece in kept),
        cut=tuple(whole for whole, part in zip(longs, shown, strict=True) if part is not whole),
        dropped=len(kept) < len(pieces),
    )


def _affordable(pieces: Sequence[Piece], room: int) -> tuple[list[Piece], int]:
    """The pieces there is room for, and the room that the long ones may share."""
    kept: list[Piece] = []
    left = room
    shares = 0
    for piece in pieces:
        cost = _BETWEEN + (units(piece.text) if isinstance(piece, Fixed) else _SHARE_AT_LEAST)
        if cost > left:
            break
        left -= cost
        shares += isinstance(piece, Flexible)
        kept.append(piece)
    return kept, left + shares * _SHARE_AT_LEAST


def _share(texts: list[Markup], room: int, size: Callable[[Markup], int]) -> list[Markup]:
    """Every text within its share; what the shorter ones leave is for the longer ones."""
    shown = list(texts)
    by_size = sorted(range(len(texts)), key=lambda at: size(texts[at]))
    for done, at in enumerate(by_size):
        shown[at] = truncate(texts[at], room // (len(texts) - done), size)
        room -= size(shown[at])
    return shown


def beside(message: Message, cut: Sequence[Markup], *, left_out: bool) -> tuple[tuple[TextFile, ...], str]:
    """The files that go with a message, and the name of the one to read for what is not shown, if there is any.

    A file of the message's own that holds a text which was cut is enough; else all of the message is in `WHOLE`.
    """
    missing = [markup for markup in cut if not any(_holds(file, markup) for file in message.files)]
    if left_out or missing:
        whole = TextFile(name=WHOLE, text=full_text(message, zone=UTC), media_type="text/plain")
        return (*message.files, whole), WHOLE
    return message.files, next((file.name for markup in cut for file in message.files if _holds(file, markup)), "")


def _holds(file: TextFile, markup: Markup) -> bool:
    match markup:
        case (CodeBlock(text=text),):
            return text in clean(file.text)
        case _:
            return file.media_type == "text/markdown" and parse(file.text) == markup


def _clip_part(part: Part, room: Room) -> Part:
    match part:
        case Title():
            return replace(
                part,
                icon=_short(part.icon, room.name),
                text=_short(part.text, room.title),
                status=_short(part.status, room.label),
            )
        case Line():
            return replace(part, spans=_clip_spans(part.spans, room.line))
        case Phases():
            marks = tuple(replace(phase, label=_short(phase.label, room.name)) for phase in part.marks[: room.many])
            return Phases(marks=marks)
        case Steps():
            steps = tuple(
                replace(step, text=_short(step.text, room.step), detail=_short(step.detail, room.step))
                for step in part.steps[-room.many :]
            )
            return Steps(steps=steps, hidden=part.hidden + len(part.steps) - len(steps))
        case Prose():
            return part
        case Code(text=text):
            return replace(part, text=clean(text))
        case _:
            assert_never(part)


def _clip_button(button: Button | Link, room: Room) -> Button | Link:
    label = _short(button.label, room.label) or "…"
    if isinstance(button, Link):
        # One more than the longest is too long to be followed, so a cut address never opens.
        return replace(button, label=label, url=_short(button.url, room.url))
    return replace(button, label=label)


def _clip_spans(spans: tuple[Span, ...], room: int) -> tuple[Span, ...]:
    found: list[Span] = []
    for span in spans:
        short = _clip_span(span, room)
        found += [short] if short and room > 0 else []
        room -= units(_span_letters(short))
    return tuple(found)


def _clip_span(span: Span, room: int) -> Span:
    match span:
        case str():
            return _short_spaced(span, room)
        case Name(name):
            return Name(_short(name, room))
        case Mono(text):
            return Mono(_short(text, room))
        case Strong(text):
            return Strong(_short(text, room))
        case Moment():
            return span
        case _:
            assert_never(span)


def _span_letters(span: Span) -> str:
    match span:
        case str():
            return span
        case Name(text) | Mono(text) | Strong(text):
            return f"{text} "
        case Moment():
            return "a moment, in some words"
        case _:
            assert_never(span)


def _short(text: str, room: int) -> str:
    return _short_spaced(text, room).strip()


def _short_spaced(text: str, room: int) -> str:
    line = clean(text).replace("\n", " ").replace("\t", " ")
    if units(line) <= room:
        return line
    start = line[: max(0, room - 1)]
    while start and units(start) >= room:
        start = start[:-1]
    return f"{start}…"
