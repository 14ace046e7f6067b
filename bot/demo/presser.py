"""What `--yes` presses: the policy by which `viberator demo --yes` answers in a person's place."""

from typing import Protocol

from conversations.actions import Verb, decode

_CHOICES = (Verb.APPROVE, Verb.ANSWER)
"""Approve documents and the permission, for this once; take the first answer that is offered."""


class Card(Protocol):
    """A card as a terminal shows it; `buttons` are (label, encoded action)."""

    @property
    def slot(self) -> str: ...

    @property
    def buttons(self) -> tuple[tuple[str, str], ...]: ...


class NothingToPress(Exception):
    """The card waits for somebody, and offers nothing that tells the story on."""

    def __init__(self, slot: str, labels: tuple[str, ...]) -> None:
        super().__init__(slot, labels)
        self.slot = slot
        self.labels = labels


def press(card: Card) -> str:
    """The label of the button that tells the story on; raises `NothingToPress`."""
    for verb in _CHOICES:
        for label, encoded in card.buttons:
            if decode(encoded).verb is verb:
                return label
    raise NothingToPress(card.slot, tuple(label for label, _ in card.buttons))
