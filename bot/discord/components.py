"""The writer of cards for Discord: a message as a container of components (version 2), always within Discord's limits.

Pure. The container's colour is the tone; small lines are what is beside the point. Nobody is notified but the people in the
message's own `mentions`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, assert_never

from bot.discord import markdown
from bot.discord.limits import (
    ACTION_ROW,
    ATTACHMENTS,
    BUTTON,
    COMPONENTS,
    CONTAINER,
    FILE,
    LABEL,
    ROW,
    SEPARATOR,
    TEXT,
    TEXT_DISPLAY,
    Json,
    every,
    text_length,
)
from conversations.clipping import Room, clip, is_clipped, units
from conversations.fitting import Fixed, Flexible, Piece, beside, fit
from conversations.glyphs import earlier_text, phases_text, step_text, title_sign, title_status
from conversations.links import is_followable
from conversations.markup import CodeBlock
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
    Tone,
)

COMPONENTS_V2: Final = 1 << 15
ROOM: Final = Room(title=150, line=300, label=LABEL)
_BUTTONS: Final = 20
_LABELS: Final = 1_000
_STEP: Final = 20
_LINK_STYLE: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordMessage:
    """What a message's create and edit calls take; `files` are attached under the names the components show them by.

    `notified` are the only users whom a mention in the text may notify.
    """

    components: tuple[Json, ...]
    notified: tuple[str, ...] = ()
    files: tuple[TextFile, ...] = ()

    def payload(self) -> Json:
        return {
            "flags": COMPONENTS_V2,
            "components": list(self.components),
            "allowed_mentions": {"parse": [], "users": list(self.notified)},
        }


def write(message: Message) -> DiscordMessage:
    """The message as Discord shows it. What there is no room for is named in it, and whole in one of its files."""
    card = clip(message, ROOM)
    pieces = _pieces(card)
    buttons = _buttons(card)
    shorter = len(buttons) < len(_usable(card)) or is_clipped(message, ROOM)
    room = TEXT - sum(units(str(drawn["label"])) for drawn in buttons) - units(_spans(card.footer))
    while room > 0:
        fitted = fit(pieces, room, markdown.prose_size)
        files, rest_in = beside(message, fitted.cut, left_out=shorter or fitted.dropped)
        attached = _attached(files)
        below = [*_note(rest_in), *_rows(buttons), *_footer(card), *map(_file, attached)]
        container = _container(card.tone, list(_displays(fitted.pieces)), below)
        excess = text_length([container]) - TEXT
        if excess <= 0:
            return DiscordMessage(components=(container,), notified=_notified(card), files=attached)
        room -= max(excess, _STEP)
    raise AssertionError("the buttons leave no room")


def _notified(card: Message) -> tuple[str, ...]:
    return tuple(dict.fromkeys(person.external_id for person in card.mentions if markdown.is_user(person)))


def _container(tone: Tone, said: list[Json], below: list[Json]) -> Json:
    inner = [*said, *below] or [_display("…")]
    if len(list(every(inner))) >= COMPONENTS:
        texts = [str(part["content"]) for part in said if part["type"] == TEXT_DISPLAY]
        inner = [_display("\n".join(texts)), *below]
    return {"type": CONTAINER, "accent_color": _colour(tone), "components": inner}


def _pieces(card: Message) -> list[Piece]:
    titled = any(isinstance(part, Title) for part in card.parts)
    mentions = [] if titled or not card.mentions else [Fixed(text=_mentions(card))]
    return [*mentions, *(piece for part in card.parts for piece in _part(card, part)), *_addresses(card)]


def _part(card: Message, part: Part) -> list[Piece]:
    match part:
        case Title():
            return [Fixed(text=_title(card, part))]
        case Line(spans=spans, muted=muted):
            return [_quiet(_spans(spans)) if muted else Fixed(text=_spans(spans))]
        case Phases():
            return [_quiet(markdown.escape(phases_text(part)))]
        case Steps(steps=steps, hidden=hidden):
            earlier = [_quiet(earlier_text(hidden))] if hidden else []
            return [*earlier, *(Fixed(text=markdown.escape(step_text(step))) for step in steps)]
        case Prose(markup=markup):
            return [Flexible(markup=markup)]
        case Code(text=text, language=language):
            return [Flexible(markup=(CodeBlock(language=_word(language), text=text),))]
        case _:
            assert_never(part)


def _title(card: Message, title: Title) -> str:
    said = [markdown.escape(title_sign(title)), _mentions(card), markdown.escape(title.text)]
    line = "  ·  ".join(filter(None, [" ".join(filter(None, said)), markdown.escape(title_status(title))]))
    return f"### {line}" if line else ""


def _quiet(text: str) -> Fixed:
    return Fixed(text=f"-# {text}" if text.strip() else "")


def _mentions(card: Message) -> str:
    return " ".join(map(markdown.mention, card.mentions))


def _spans(spans: tuple[Span, ...]) -> str:
    return "".join(map(markdown.span, spans)).strip()


def _word(language: str) -> str:
    return re.sub(r"[^\w+#.-]", "", language)[:20]


def _addresses(card: Message) -> list[Piece]:
    """Links that a button must not open, as text."""
    links = [button for button in card.buttons if isinstance(button, Link) and not _opens(button)]
    return [_quiet(markdown.escape(f"{link.label}: {link.url}")) for link in links]


def _displays(pieces: Sequence[Piece]) -> Iterator[Json]:
    """Neighbouring short texts in one display; a long one below a line."""
    lines: list[str] = []
    begun = False
    for piece in pieces:
        if isinstance(piece, Fixed):
            lines += [piece.text] if piece.text.strip() else []
        elif written := markdown.prose(piece.markup).strip("\n"):
            begun = begun or bool(lines)
            yield from _joined(lines)
            yield from [_SEPARATOR] if begun else []
            yield _display(written)
            lines, begun = [], True
    yield from _joined(lines)


_SEPARATOR: Final[Json] = {"type": SEPARATOR, "divider": True, "spacing": 1}


def _joined(lines: list[str]) -> list[Json]:
    return [_display("\n".join(lines))] if lines else []


def _display(text: str) -> Json:
    return {"type": TEXT_DISPLAY, "content": text}


def _note(rest_in: str) -> list[Json]:
    return [_display(f"-# The whole text is in {markdown.code(rest_in[:LABEL]) or 'a file'}")] if rest_in else []


def _footer(card: Message) -> list[Json]:
    text = _spans(card.footer)
    return [_display(f"-# {text}")] if text else []


def _attached(files: tuple[TextFile, ...]) -> tuple[TextFile, ...]:
    """At most ten files with names of their own that a component can refer to."""
    kept, rest = files[:ATTACHMENTS], files[ATTACHMENTS - 1 :]
    if len(files) > ATTACHMENTS:
        more = "\n\n".join(f"{file.name}\n\n{file.text}" for file in rest)
        kept = (*files[: ATTACHMENTS - 1], TextFile(name="more.txt", text=more, media_type="text/plain"))
    names = [re.sub(r"[^A-Za-z0-9.-]+", "_", file.name).strip("._")[-60:] or "text.txt" for file in kept]
    return tuple(
        replace(file, name=name if name not in names[:at] else f"{at}-{name}")
        for at, (file, name) in enumerate(zip(kept, names, strict=True))
    )


def _file(file: TextFile) -> Json:
    return {"type": FILE, "file": {"url": f"attachment://{file.name}"}}


def _opens(link: Link) -> bool:
    return is_followable(link.url) and link.url.startswith("http")


def _usable(card: Message) -> list[Button | Link]:
    return [button for button in card.buttons if isinstance(button, Button) or _opens(button)]


def _buttons(card: Message) -> list[Json]:
    """The buttons from the first on, as many as leave room for something to say; none that does what another does."""
    shown: list[Json] = []
    room = _LABELS
    for drawn in map(_button, _usable(card)):
        room -= units(str(drawn["label"]))
        again = any("custom_id" in drawn and drawn["custom_id"] == other.get("custom_id") for other in shown)
        if len(shown) < _BUTTONS and room >= 0 and not again:
            shown.append(drawn)
    return shown


def _rows(buttons: list[Json]) -> list[Json]:
    return [{"type": ACTION_ROW, "components": buttons[at : at + ROW]} for at in range(0, len(buttons), ROW)]


def _button(button: Button | Link) -> Json:
    match button:
        case Button(label=label, action=action, style=style):
            return {"type": BUTTON, "style": _style(style), "label": label, "custom_id": action.encode()}
        case Link(label=label, url=url):
            return {"type": BUTTON, "style": _LINK_STYLE, "label": label, "url": url}
        case _:
            assert_never(button)


def _style(style: ButtonStyle) -> int:
    match style:
        case ButtonStyle.PRIMARY:
            return 1
        case ButtonStyle.PLAIN:
            return 2
        case ButtonStyle.DANGER:
            return 4
        case _:
            assert_never(style)


def _colour(tone: Tone) -> int:
    match tone:
        case Tone.QUIET:
            return 0x99AAB5
        case Tone.WORKING:
            return 0x5865F2
        case Tone.WAITING:
            return 0xFEE75C
        case Tone.GOOD:
            return 0x57F287
        case Tone.BAD:
            return 0xED4245
        case _:
            assert_never(tone)
