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


def numbered(cards: Sequence[Shown]) -> tuple[Shown, ...]:
    """The cards whose buttons have the numbers 1, 2, 3 …: the newest at rest that has any, else those that still change."""
    resting = [card for card in cards if card.buttons and not card.live]
    return (resting[-1],) if resting else tuple(card for card in cards if card.buttons)


def read_line(line: str, cards: Sequence[Shown]) -> Typed | Chosen:
    """What the line presses on the thread's cards, which are in the order of their posting; else words.

    A number presses a button of the cards that are `numbered`. A label presses that of the newest card that waits for a
    person, and failing that, of the newest card of all.
    """
    wanted = line.strip()
    buttons = [button for card in numbered(cards) for button in card.buttons]
    if wanted.isdecimal() and 1 <= int(wanted) <= len(buttons):
        label, action = buttons[int(wanted) - 1]
        return Chosen(label=label, action=action)
    newest = tuple(reversed(cards))
    for card in (*(one for one in newest if one.asks), *newest):
        for label, action in card.buttons:
            if wanted.casefold() == label.casefold():
                return Chosen(label=label, action=action)
    return Typed(text=wanted)


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
