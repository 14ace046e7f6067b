"""Text from agents, tools and people made safe to store and to show: what cannot be seen is made visible or taken out.

NUL and lone surrogates cannot be stored in the database; escape sequences of terminals and controls of writing direction
make a text look like another. What is too long is cut in its middle, and says how much is missing.
"""

import re
from collections.abc import Mapping

TEXT_CHARS = 100_000
"""The longest text of an event; documents may be `DOCUMENT_CHARS` long, titles `TITLE_CHARS`."""
DOCUMENT_CHARS = 400_000
TITLE_CHARS = 300

_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|(?:\x1b[\]P^_X]|[\x9d\x90])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # titles, links, device strings
    r"|\x1b[ -/]*[0-~]?"
)
_UNSEEN_ASCII = bytes([*range(0x09), *range(0x0B, 0x20), 0x7F])
# Up to the last @, since users and passwords may hold one too.
_LOGIN = re.compile(r"(?i)\b(https?://)[^/\s]*@")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def storable(text: str) -> str:
    """The text with a visible sign in place of what the database cannot hold, and nothing else changed."""
    return text if _UNSTORABLE.search(text) is None else _UNSTORABLE.sub(_shown, text)


def storable_tree(value: object) -> object:
    """The same for all text within JSON-like data."""
    match value:
        case str():
            return storable(value)
        case Mapping():
            return {storable(str(key)): storable_tree(item) for key, item in value.items()}
        case list() | tuple():
            return [storable_tree(item) for item in value]
        case _:
            return value


def cleaned(text: str) -> str:
    """The text without escape sequences, with ends of lines as in Unix and every other control shown as a symbol.

    Text without any of them is answered as it is, at the cost of one search.
    """
    if not _has_unseen(text):
        return text
    plain = _ESCAPE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub(_shown, plain)


def _has_unseen(text: str) -> bool:
    if text.isascii():
        # Several times as fast as a search, and nearly all there is.
        return len(text.encode().translate(None, _UNSEEN_ASCII)) < len(text)
    return _UNSEEN.search(text) is not None


def capped(text: str, limit: int) -> str:
    """The text if it is no longer than `limit` characters, else two thirds from its front and one from its end."""
    if len(text) <= limit:
        return text
    tail = limit // 3
    left_out = len(text) - limit
    return f"{text[: limit - tail]}\n… {left_out} characters left out …\n{text[len(text) - tail :]}"


def safe(text: str, limit: int = TEXT_CHARS) -> str:
    """Cleaned, then capped."""
    return capped(cleaned(text), limit)


def one_line(text: str) -> str:
    """For a title: cleaned, on one line, and no longer than `TITLE_CHARS`."""
    line = " ".join(cleaned(text).split())
    return line if len(line) <= TITLE_CHARS else f"{line[: TITLE_CHARS - 1].rstrip()}…"


def without_logins(text: str) -> str:
    """The text with the user and the password taken out of every http address in it."""
    return _LOGIN.sub(r"\1", text)


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code < 0xA0 or 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"[U+{code:04X}]"
