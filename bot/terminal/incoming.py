"""What a line typed at the terminal means, given the cards that wait for an answer. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.terminal.journal import Shown
from conversations.messages import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """Words for the bot."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A button, by its number or its label."""

    label: str
    action: str


def read_line(line: str, *, asking: Sequence[Shown], others: Sequence[Shown] = ()) -> Typed | Chosen:
    """The button of the newest waiting card with that number or label; a label of any other card; else words."""
    wanted = line.strip()
    by_number = _numbered(asking[-1], wanted) if asking else None
    if by_number is not None:
        return by_number
    for card in (*reversed(asking), *reversed(others)):
        for label, action in card.buttons:
            if wanted.casefold() == label.casefold():
                return Chosen(label=label, action=action)
    return Typed(text=line.strip())


def _numbered(card: Shown, wanted: str) -> Chosen | None:
    if not wanted.isdecimal() or not 1 <= int(wanted) <= len(card.buttons):
        return None
    label, action = card.buttons[int(wanted) - 1]
    return Chosen(label=label, action=action)


class NotAChoice(ValueError):
    """The text names none of the field's choices."""


def read_field(field: Field, line: str) -> str:
    """The value of a form's field as typed: its default for an empty line, a choice by number, value or label."""
    typed = line.strip()
    if not typed:
        return field.value
    if not field.choices:
        return typed[: field.limit]
    if typed.isdecimal() and 1 <= int(typed) <= len(field.choices):
        return field.choices[int(typed) - 1].value
    for choice in field.choices:
        if typed.casefold() in {choice.value.casefold(), choice.label.casefold()}:
            return choice.value
    raise NotAChoice(typed)
