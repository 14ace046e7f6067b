"""The writer of cards for Slack: a message as blocks with a full fallback text, always within Slack's limits.

Pure. Sections hold what is said, context blocks what is beside the point, and the buttons stand below. Nobody is notified
but the people in the message's own `mentions`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Final, assert_never

from bot.slack import mrkdwn
from bot.slack.limits import ACTIONS, BLOCKS, FALLBACK, LABEL, MESSAGE, SECTION, Json, length
from conversations.clipping import Room, clip, is_clipped, units
from conversations.excerpts import split
from conversations.fallback import full_text
from conversations.fitting import Fixed, Flexible, Piece, beside, fit
from conversations.glyphs import earlier_text, phases_text, step_text, title_sign, title_status
from conversations.links import is_followable
from conversations.markup import CodeBlock, Markup
from conversations.messages import (
    Button,
    ButtonStyle,
    Code,
    Line,
    Link,
    Message,
    Part,
    Phases,
    Prose,
    Span,
    Steps,
    TextFile,
    Title,
)

ROOM: Final = Room(label=LABEL)
_BUTTONS: Final = 5_000
_STEP: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackMessage:
    """What `chat.postMessage` and `chat.update` take, and the files to upload beside it."""

    text: str
    blocks: tuple[Json, ...]
    files: tuple[TextFile, ...] = ()

    def payload(self) -> Json:
        return {"text": self.text, "blocks": list(self.blocks)}


def write(message: Message) -> SlackMessage:
    """The message as Slack shows it. What there is no room for is named in it, and whole in one of its files."""
    card = clip(message, ROOM)
    pieces = _pieces(card)
    buttons = _buttons(card)
    below = [*_actions(buttons), *_footer(card)]
    text = _fallback(message)
    shorter = len(buttons) < len(_usable(card)) or is_clipped(message, ROOM)
    room = MESSAGE - length({"text": text, "blocks": below})
    while room > 0:
        fitted = fit(pieces, room, mrkdwn.prose_size)
        files, rest_in = beside(message, fitted.cut, left_out=shorter or fitted.dropped)
        blocks = [*_blocks(fitted.pieces), *_note(rest_in), *below] or [_section("…")]
        excess = length({"text": text, "blocks": blocks}) - MESSAGE
        if excess <= 0 and len(blocks) <= BLOCKS:
            return SlackMessage(text=text, blocks=tuple(blocks), files=files)
        room -= max(excess, _STEP)
    raise AssertionError("the buttons and the fallback text leave no room")


def _fallback(message: Message) -> str:
    """All of the message for notifications and screen readers, or as much as an edit may carry."""
    text = full_text(message, zone=UTC) or "…"
    escaped = mrkdwn.escape(text[:FALLBACK])
    while length(escaped) > FALLBACK:
        text = text[: min(len(text), FALLBACK) * 9 // 10]
        escaped = mrkdwn.escape(f"{text}…")
    return escaped


def _pieces(card: Message) -> list[Piece]:
    titled = any(isinstance(part, Title) for part in card.parts)
    mentions = [] if titled or not card.mentions else [Fixed(text=_mentions(card))]
    return [*mentions, *(piece for part in card.parts for piece in _part(card, part)), *_addresses(card)]


def _part(card: Message, part: Part) -> list[Piece]:
    match part:
        case Title():
            return [Fixed(text=_title(card, part))]
        case Line(spans=spans, muted=muted):
            return [Fixed(text=_spans(spans), quiet=muted)]
        case Phases():
            return [Fixed(text=mrkdwn.escape(phases_text(part)), quiet=True)]
        case Steps(steps=steps, hidden=hidden):
            earlier = [Fixed(text=f"_{earlier_text(hidden)}_")] if hidden else []
            return [*earlier, *(Fixed(text=mrkdwn.escape(step_text(step))) for step in steps)]
        case Prose(markup=markup):
            return [Flexible(markup=markup)]
        case Code(text=text):
            return [Flexible(markup=(CodeBlock(language="", text=text),))]
        case _:
            assert_never(part)


def _title(card: Message, title: Title) -> str:
    said = [mrkdwn.escape(title_sign(title)), _mentions(card), mrkdwn.bold(title.text)]
    return "  ·  ".join(filter(None, [" ".join(filter(None, said)), mrkdwn.escape(title_status(title))]))


def _mentions(card: Message) -> str:
    return " ".join(map(mrkdwn.mention, card.mentions))


def _spans(spans: tuple[Span, ...]) -> str:
    return "".join(map(mrkdwn.span, spans)).strip()


def _blocks(pieces: Sequence[Piece]) -> Iterator[Json]:
    """Neighbouring short texts of one kind in one block, as far as a block reaches."""
    text, quiet = "", False
    for piece in pieces:
        if isinstance(piece, Fixed) and piece.quiet == quiet and units(f"{text}\n{piece.text}") <= SECTION:
            text = f"{text}\n{piece.text}" if text else piece.text
            continue
        yield from _texts(text, quiet=quiet)
        text, quiet = (piece.text, piece.quiet) if isinstance(piece, Fixed) else ("", False)
        if isinstance(piece, Flexible):
            yield from (_section(mrkdwn.prose(part)) for part in _sections(piece.markup))
    yield from _texts(text, quiet=quiet)


def _texts(text: str, *, quiet: bool) -> list[Json]:
    if not text.strip():
        return []
    return [_context(text) if quiet else _section(text)]


def _sections(markup: Markup) -> list[Markup]:
    parts = split(markup, SECTION, BLOCKS, mrkdwn.prose_size)
    return [part for part in parts if mrkdwn.prose(part).strip()]


def _section(text: str) -> Json:
    # Without `expand` Slack folds long texts away, and an approver should see what is approved.
    return {"type": "section", "text": _mrkdwn(text), "expand": True}


def _context(text: str) -> Json:
    return {"type": "context", "elements": [_mrkdwn(text)]}


def _mrkdwn(text: str) -> Json:
    # `verbatim`: Slack makes no links and mentions of its own from what the text says.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _note(rest_in: str) -> list[Json]:
    return [_context(f"_The whole text is in_ {mrkdwn.code(rest_in[:LABEL]) or 'a file'}")] if rest_in else []


def _footer(card: Message) -> list[Json]:
    return _texts(_spans(card.footer), quiet=True)


def _buttons(card: Message) -> list[Json]:
    """The buttons from the first on, as many as leave room for something to say."""
    shown: list[Json] = []
    for at, button in enumerate(_usable(card)):
        shown.append(_button(button, at))
        if length(shown) > _BUTTONS:
            return shown[:-1]
    return shown


def _usable(card: Message) -> list[Button | Link]:
    return [button for button in card.buttons if isinstance(button, Button) or is_followable(button.url)]


def _addresses(card: Message) -> list[Piece]:
    """Links that a button must not open, as text."""
    links = [button for button in card.buttons if isinstance(button, Link) and not is_followable(button.url)]
    return [Fixed(text=mrkdwn.escape(f"{link.label}: {link.url}"), quiet=True) for link in links]


def _actions(buttons: list[Json]) -> list[Json]:
    return [
        {"type": "actions", "elements": buttons[start : start + ACTIONS]} for start in range(0, len(buttons), ACTIONS)
    ]


def _button(button: Button | Link, at: int) -> Json:
    """The action is in `value`; `action_id` begins with "press:" or "open:" and is unique in the message."""
    drawn: Json = {"type": "button", "text": {"type": "plain_text", "text": button.label, "emoji": True}}
    match button:
        case Button(action=action, style=style):
            styled = {} if style is ButtonStyle.PLAIN else {"style": style.value}
            return drawn | {"action_id": f"press:{at}:{action.verb}", "value": action.encode()} | styled
        case Link(url=url):
            return drawn | {"action_id": f"open:{at}", "url": url}
        case _:
            assert_never(button)
