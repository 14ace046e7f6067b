"""The short texts of a message clipped to what a platform has room for, each on one line; prose and code stay whole."""

from dataclasses import dataclass, replace
from typing import Final, assert_never

from conversations.cleaning import clean
from conversations.links import LONGEST_LINK
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
    Title,
)

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
            return Strong(_short_spaced(text, room))
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
