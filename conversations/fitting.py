"""Long texts made to share the room there is, and whatever is left out put in a file.

Nothing is lost silently: what does not fit is named, and the whole of it stands in a file beside the message.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Final, TypeAlias

from conversations.cleaning import clean
from conversations.clipping import units
from conversations.excerpts import truncate
from conversations.fallback import full_text
from conversations.markdown import parse
from conversations.markup import CodeBlock, Markup
from conversations.messages import Message, TextFile

WHOLE: Final = "message.txt"
"""The name of the file that holds all of a message of which something was left out."""

_SHARE_AT_LEAST: Final = 200
_BETWEEN: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A short text in the platform's own syntax, which is shown whole or not at all; `quiet` ones are drawn smaller."""

    text: str
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flexible:
    """A long text, which may be cut."""

    markup: Markup


Piece: TypeAlias = Fixed | Flexible


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """`cut` holds the whole of the texts that were cut; `dropped` when something is not there at all."""

    pieces: tuple[Piece, ...]
    cut: tuple[Markup, ...]
    dropped: bool


def fit(pieces: Sequence[Piece], room: int, size: Callable[[Markup], int]) -> Fitted:
    """The pieces in their order, within `room` units with two between them; the first ones go before the last ones."""
    kept, left = _affordable(pieces, room)
    longs = [piece.markup for piece in kept if isinstance(piece, Flexible)]
    shown = _share(longs, left, size)
    following = iter(shown)
    return Fitted(
        pieces=tuple(Flexible(markup=next(following)) if isinstance(piece, Flexible) else piece for piece in kept),
        cut=tuple(whole for whole, part in zip(longs, shown, strict=True) if part is not whole),
        dropped=len(kept) < len(pieces),
    )


def _affordable(pieces: Sequence[Piece], room: int) -> tuple[list[Piece], int]:
    """The pieces there is room for, and the room that the long ones may share."""
    kept: list[Piece] = []
    left = room
    shares = 0
    for piece in pieces:
        cost = _BETWEEN + (units(piece.text) if isinstance(piece, Fixed) else _SHARE_AT_LEAST)
        if cost > left:
            break
        left -= cost
        shares += isinstance(piece, Flexible)
        kept.append(piece)
    return kept, left + shares * _SHARE_AT_LEAST


def _share(texts: list[Markup], room: int, size: Callable[[Markup], int]) -> list[Markup]:
    """Every text within its share; what the shorter ones leave is for the longer ones."""
    shown = list(texts)
    by_size = sorted(range(len(texts)), key=lambda at: size(texts[at]))
    for done, at in enumerate(by_size):
        shown[at] = truncate(texts[at], room // (len(texts) - done), size)
        room -= size(shown[at])
    return shown


def beside(message: Message, cut: Sequence[Markup], *, left_out: bool) -> tuple[tuple[TextFile, ...], str]:
    """The files that go with a message, and the name of the one to read for what is not shown, if there is any.

    A file of the message's own that holds a text which was cut is enough; else all of the message is in `WHOLE`.
    """
    missing = [markup for markup in cut if not any(_holds(file, markup) for file in message.files)]
    if left_out or missing:
        whole = TextFile(name=WHOLE, text=full_text(message, zone=UTC), media_type="text/plain")
        return (*message.files, whole), WHOLE
    return message.files, next((file.name for markup in cut for file in message.files if _holds(file, markup)), "")


def _holds(file: TextFile, markup: Markup) -> bool:
    match markup:
        case (CodeBlock(text=text),):
            return text in clean(file.text)
        case _:
            return file.media_type == "text/markdown" and parse(file.text) == markup
