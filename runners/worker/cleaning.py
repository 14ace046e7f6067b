"""Text of an agent as it may be stored and sent: without what UTF-8 and PostgreSQL cannot hold, and of bounded length."""

import json


def storable(text: str) -> str:
    """The text with NUL and lone surrogates shown as U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def beginning(text: str, limit: int) -> str:
    """The first `limit` characters, and how many are missing."""
    text = storable(text)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"


def end(text: str, limit: int) -> str:
    """The last `limit` characters, and how many are missing."""
    text = storable(text)
    return text if len(text) <= limit else f"({len(text) - limit} characters before) …{text[-limit:]}"


def one_line(text: str, limit: int) -> str:
    """The text on one line of at most `limit` characters."""
    line = " ".join(storable(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def as_text(value: object) -> str:
    """A payload of unknown shape for people: a command as it would be typed, other values as JSON."""
    match value:
        case None:
            return ""
        case str():
            return value
        case {"command": str(command)}:
            return command
        case {"command": [*parts]}:
            return " ".join(str(part) for part in parts)
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)
