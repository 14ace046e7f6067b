"""A message as plain text: for notifications, for platforms without cards, and for the file that holds what did not fit."""

from datetime import tzinfo
from typing import assert_never

from conversations.cleaning import clean, one_line
from conversations.glyphs import earlier_text, phases_text, step_text, title_sign, title_status
from conversations.markup import plain
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


def full_text(message: Message, *, zone: tzinfo | None = None) -> str:
    """All of the message, nothing cut; times are in `zone` and name it, or else in that of this machine."""
    head, *rest = message.parts or (None,)
    parts = [_headed(message, head, zone), *(part_text(part, zone=zone) for part in rest)]
    buttons = " ".join(button_text(button) for button in message.buttons)
    footer = spans_text(message.footer, zone=zone)
    return "\n".join(filter(None, [*parts, buttons, footer]))


def part_text(part: Part, *, zone: tzinfo | None = None) -> str:
    match part:
        case Title():
            return title_text(part)
        case Line(spans=spans):
            return spans_text(spans, zone=zone)
        case Phases():
            return phases_text(part)
        case Steps(steps=steps, hidden=hidden):
            earlier = [earlier_text(hidden)] if hidden else []
            return "\n".join([*earlier, *map(step_text, steps)])
        case Prose(markup=markup):
            return f"\n{plain(markup)}\n"
        case Code(text=text):
            return f"\n{clean(text)}\n"
        case _:
            assert_never(part)


def title_text(title: Title, names: str = "") -> str:
    """🛠 @dana Fix 500 on /api/billing · ● Planning 2/3."""
    said = one_line(" ".join([title_sign(title), names, title.text]))
    return " · ".join(filter(None, [said, title_status(title)]))


def mentions_text(message: Message) -> str:
    return " ".join(f"@{one_line(person.name)}" for person in message.mentions)


def spans_text(spans: tuple[Span, ...], *, zone: tzinfo | None = None) -> str:
    return one_line("".join(span_text(span, zone=zone) for span in spans))


def span_text(span: Span, *, zone: tzinfo | None = None) -> str:
    match span:
        case str():
            return span
        case Name(name):
            return f"@{name}"
        case Moment(at):
            return f"{at.astimezone(zone):%H:%M}" + (f" {zone.tzname(at)}" if zone else "")
        case Mono(text) | Strong(text):
            return text
        case _:
            assert_never(span)


def button_text(button: Button | Link) -> str:
    match button:
        case Button(label=label):
            return f"[{one_line(label)}]"
        case Link(label=label, url=url):
            return f"[{one_line(label)}]({one_line(url)})"
        case _:
            assert_never(button)


def _headed(message: Message, head: Part | None, zone: tzinfo | None) -> str:
    names = mentions_text(message)
    match head:
        case Title():
            return title_text(head, names)
        case None:
            return names
        case _:
            return " ".join(filter(None, [names, part_text(head, zone=zone)]))
