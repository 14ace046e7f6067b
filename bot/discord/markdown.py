"""Discord's markdown. A backslash makes any mark literal, and a gap after `@` keeps a name from being one of Discord's own;
what is sent with it allows no mention but those asked for. See docs.discord.com/developers/reference#message-formatting.
"""

import re
from datetime import datetime
from typing import Final

from conversations.cleaning import clean
from conversations.clipping import units
from conversations.dialects import Dialect, write, write_span, write_strong
from conversations.markup import Markup
from conversations.messages import Span
from sessions.models import Person

_USER: Final = re.compile(r"\d{15,21}")
_GAP: Final = "\u200b"
_MARK: Final = re.compile(r"([\\*_~`|\[\]<>])")
_AT_LINE_START: Final = re.compile(r"(?m)^([ \t]*)([#+-])")
_MASS: Final = re.compile(r"@(everyone|here)")
_IN_URL: Final = {"<": "%3C", ">": "%3E", " ": "%20"}


def escape(text: str) -> str:
    """Any text made literal."""
    return _AT_LINE_START.sub(r"\1\\\2", _MARK.sub(r"\\\1", _MASS.sub(rf"@{_GAP}\1", clean(text))))


def code(text: str) -> str:
    line = clean(text).replace("`", "ˋ").replace("\n", " ").strip()
    return f"`{line}`" if line else ""


def mention(person: Person) -> str:
    """Notifies the person, if the message allows it; one whose id is not Discord's is only named."""
    return f"<@{person.external_id}>" if is_user(person) else escape(f"@{person.name}")


def is_user(person: Person) -> bool:
    return _USER.fullmatch(person.external_id) is not None


def _moment(at: datetime) -> str:
    """A time in the reader's own zone."""
    return f"<t:{int(at.timestamp())}:f>"


def span(value: Span) -> str:
    return write_span(value, MARKDOWN)


def prose(markup: Markup) -> str:
    return write(markup, MARKDOWN)


def prose_size(markup: Markup) -> int:
    return units(prose(markup))


def _styled(written: str, mark: str) -> str:
    """Between marks, which only work right beside a letter: blanks at the ends stay outside."""
    inner = written.strip()
    return written.replace(inner, f"{mark}{inner}{mark}", 1) if inner else written


def _link(label: str, url: str) -> str:
    address = "".join(_IN_URL.get(letter, letter) for letter in url)
    if not url.startswith("http"):
        return escape(label if label == url.removeprefix("mailto:") else f"{label} ({url})")
    # A label that looks like an address would be shown unmasked anyway; in brackets it draws no preview.
    return f"<{address}>" if label == url or not label.strip() or "://" in label else f"[{escape(label)}](<{address}>)"


def _fence(language: str, text: str) -> str:
    return f"```{language}\n{clean(text).replace('```', f'`{_GAP}`{_GAP}`')}\n```"


def _heading(level: int, text: str) -> str:
    return f"### {escape(text)}" if level <= 2 and text.strip() else write_strong(text, MARKDOWN)


MARKDOWN: Final = Dialect(
    escape=escape,
    styled=_styled,
    code=code,
    link=_link,
    fence=_fence,
    heading=_heading,
    moment=_moment,
    strong="**",
    emphasis="*",
    strike="~~",
    dash="- ",
    indent="  ",
    glues=True,
    knows_lists=True,
)
