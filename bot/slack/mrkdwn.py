"""Slack's own markdown. Only `&`, `<` and `>` mean anything to the server, so escaping these three makes any text harmless:
no `<!channel>`, no `<@U…>` and no disguised link can come from it. See docs.slack.dev/messaging/formatting-message-text.
"""

import re
from datetime import UTC, datetime
from typing import Final

from conversations.cleaning import clean
from conversations.clipping import units
from conversations.dialects import Dialect, write, write_span, write_strong
from conversations.markup import Markup
from conversations.messages import Span
from sessions.models import Person

_USER: Final = re.compile(r"[UW][A-Z0-9]{2,20}")
_GAP: Final = "\u200b"  # keeps three backticks from being a fence
_IN_URL: Final = {"<": "%3C", ">": "%3E", "|": "%7C", "*": "%2A", "~": "%7E"}
_UNMARKED: Final = {"*": "∗", "~": "∼"}


def escape(text: str) -> str:
    """Any text made literal; what looks like a fence does not become one."""
    return _unfenced(clean(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    line = escape(text.replace("`", "ˋ")).replace("\n", " ").strip()
    return f"`{line}`" if line else ""


def mention(person: Person) -> str:
    """Notifies the person; one whose id is not Slack's is only named."""
    return f"<@{person.external_id}>" if _USER.fullmatch(person.external_id) else escape(f"@{person.name}")


def _moment(at: datetime) -> str:
    """A time in the reader's own zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC>"


def bold(text: str) -> str:
    return write_strong(text, MRKDWN)


def span(value: Span) -> str:
    return write_span(value, MRKDWN)


def prose(markup: Markup) -> str:
    return write(markup, MRKDWN)


def prose_size(markup: Markup) -> int:
    return units(prose(markup))


def _unfenced(text: str) -> str:
    return text.replace("```", f"`{_GAP}`{_GAP}`") if "```" in text else text


def _styled(written: str, mark: str) -> str:
    """Between marks, which only work right beside a letter: blanks at the ends stay outside."""
    inner = written.strip()
    return (
        written.replace(inner, f"{mark}{inner.replace(mark, _UNMARKED.get(mark, mark))}{mark}", 1) if inner else written
    )


def _link(label: str, url: str) -> str:
    address = "".join(_IN_URL.get(letter, letter) for letter in url).replace("&", "&amp;")
    return f"<{address}|{escape(label)}>" if label.strip() else f"<{address}>"


def _fence(_language: str, text: str) -> str:
    # Slack would show a language as the first line.
    return f"```\n{escape(text)}\n```"


def _heading(_level: int, text: str) -> str:
    return bold(text)


MRKDWN: Final = Dialect(
    escape=escape,
    styled=_styled,
    code=code,
    link=_link,
    fence=_fence,
    heading=_heading,
    moment=_moment,
    strong="*",
    emphasis="_",
    strike="~",
    dash="• ",
    indent="    ",
    glues=False,
    knows_lists=False,
)
