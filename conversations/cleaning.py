"""Characters that fool terminals, parsers and readers, made harmless once for every platform."""

import re
from typing import Final

_COLOUR: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_VISIBLE: Final = {
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)), "\ufffd"),
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd"),
    **dict.fromkeys((0x0B, 0x0C, 0x85, 0x2028, 0x2029), "\n"),
    0x09: "\t",
    0x0A: "\n",
    0x1B: "␛",
}


def clean(text: str) -> str:
    r"""The text with `\n` for newlines, without colour sequences, and with what else controls a display made visible.

    That is control characters, lone surrogates, and the marks that reorder text on a screen (Unicode TR 36).
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isprintable() else _COLOUR.sub("", text).translate(_VISIBLE)


def one_line(text: str) -> str:
    """The cleaned text with every run of white space as one blank."""
    return " ".join(clean(text).split())
