"""What the bot can say: a message of plain parts that every platform's writer knows how to draw.

Values only; no platform's syntax and no escaping. Text from people, agents and repositories stands here as it is, since
each writer escapes for its own platform. Nothing in any text mentions anybody: the people who are notified are those in
`Message.mentions`, and no others.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from conversations.actions import Action
from conversations.markup import Markup
from sessions.models import Person


class Tone(StrEnum):
    """What a card is about; writers turn it into a colour or leave it out."""

    QUIET = "quiet"
    WORKING = "working"
    WAITING = "waiting"
    GOOD = "good"
    BAD = "bad"


class Mark(StrEnum):
    """The state of a step or phase: drawn as ✓ ● ○ ✗ ⏸ ▸ ⏳ or the like."""

    DONE = "done"
    ACTIVE = "active"
    OPEN = "open"
    FAILED = "failed"
    PAUSED = "paused"
    RUNNING = "running"
    QUEUED = "queued"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Name:
    """A person's display name, shown with an @ and notifying nobody."""

    name: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, shown in the reader's own zone where the platform can."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Mono:
    """A word set like code: a branch, a path, a command."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    text: str


Span = str | Name | Moment | Mono | Strong
"""A piece of one line; a bare string is plain text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """The first line of a card: an emoji, what it is about, and the state at its end ("● Planning 2/3")."""

    icon: str
    text: str
    status: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of spans; `muted` lines are drawn smaller or dimmer."""

    spans: tuple[Span, ...]
    muted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseMark:
    label: str
    mark: Mark
    elapsed_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """The phases of a ticket in one line: Research ✓ 1m12s   Planning ● 0m40s   Execution ○."""

    marks: tuple[PhaseMark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    mark: Mark
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What was done last, one line each; `hidden` earlier steps are not shown."""

    steps: tuple[Step, ...]
    hidden: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """An agent's markdown. Writers cut it where the platform must, and say how much is in the attachment instead."""

    markup: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Output or a diff, kept line by line."""

    text: str
    language: str = ""


Part = Title | Line | Phases | Steps | Prose | Code


class ButtonStyle(StrEnum):
    PLAIN = "plain"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """`action.encode()` is what comes back when it is pressed, at most 100 bytes."""

    label: str
    action: Action
    style: ButtonStyle = ButtonStyle.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A button that opens an address and tells us nothing."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A whole text beside a summary: uploaded, linked or folded, as the platform can."""

    name: str
    text: str
    media_type: str = "text/markdown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message the bot keeps up to date.

    `live`: it will still change by itself; platforms that cannot edit show it when it no longer will.
    """

    tone: Tone
    parts: tuple[Part, ...]
    buttons: tuple[Button | Link, ...] = ()
    footer: tuple[Span, ...] = ()
    mentions: tuple[Person, ...] = ()
    files: tuple[TextFile, ...] = ()
    live: bool = False


class Urgency(StrEnum):
    """Which goes first when a platform's limits make things wait, the most urgent first."""

    DECISION = "decision"
    FINAL = "final"
    ERROR = "error"
    RECEIPT = "receipt"
    PROGRESS = "progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A message and its stable name in the thread."""

    slot: str
    message: Message
    urgency: Urgency


View = tuple[Card, ...]
"""All the cards a thread should show now, in the order in which they first appear; slots are unique."""


# ── forms ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A line or a box of text, or one of `choices` when there are any."""

    name: str
    label: str
    value: str = ""
    hint: str = ""
    multiline: bool = False
    required: bool = True
    choices: tuple[Choice, ...] = ()
    limit: int = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A modal: filled in, it comes back as `action` with the values of its fields by name."""

    title: str
    action: Action
    fields: tuple[Field, ...]
    submit: str = "Send"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A line that only the person who pressed or wrote sees, where the platform can do that."""

    text: str


Answer = Form | Notice | None
"""What a person gets back at once for a press or a command; None when a card says it all."""
