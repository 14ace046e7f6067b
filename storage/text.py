"""Text that PostgreSQL can hold: it has no NUL, and UTF-8 has no lone surrogates."""

import re
from collections.abc import Mapping

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text with a visible sign in place of each character that cannot be stored."""
    if _UNSTORABLE.search(text) is None:
        return text
    return _UNSTORABLE.sub(
        lambda found: "\N{SYMBOL FOR NULL}" if found[0] == "\x00" else "\N{REPLACEMENT CHARACTER}", text
    )


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
