"""What the terminal platform draws on: a live screen for a person, or a plain transcript for a pipe."""

from collections.abc import Sequence
from typing import Protocol

from bot.terminal.journal import Shown
from conversations.messages import Form, Message


class Display(Protocol):
    def card(self, card: Shown, message: Message, *, first: bool) -> None:
        """A card was posted (`first`) or edited."""

    def restored(self, cards: Sequence[Shown]) -> None:
        """What the thread held before this process began."""

    def said(self, text: str) -> None:
        """The person wrote this (only where the terminal has not echoed it already)."""

    def pressed(self, label: str) -> None: ...

    def notice(self, text: str) -> None: ...

    async def ask(self) -> str | None:
        """The next line from the person; None at the end of input."""

    async def fill(self, form: Form) -> dict[str, str] | None:
        """The form's values by field name; None when it was left unsent."""

    def close(self) -> None:
        """Show what is not shown yet; the thread is left."""
