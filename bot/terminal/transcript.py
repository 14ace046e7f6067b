"""The display of a pipe: one line a message, no colour, no animation, so that stories can be piped in and compared."""

import asyncio
from collections.abc import Sequence
from typing import TextIO

from bot.terminal.incoming import NotAChoice, read_field
from bot.terminal.journal import Shown
from conversations.messages import Form, Message

WHO = 8
"""Width of the column with the speaker's name."""


class Transcript:
    """A card is one line when it is posted, or when it comes to rest if it was still changing."""

    def __init__(self, *, person: str, source: TextIO, sink: TextIO) -> None:
        self._person = person
        self._source = source
        self._sink = sink
        self._resting: set[str] = set()

    def card(self, card: Shown, message: Message, *, first: bool) -> None:
        del message
        if card.slot == "root":
            if first:
                self._line("bot", card.line)
        elif not card.live and card.id not in self._resting:
            self._resting.add(card.id)
            self._line("bot", card.line)

    def restored(self, cards: Sequence[Shown]) -> None:
        for card in cards:
            if not card.live:
                self._resting.add(card.id)
                self._line("bot", card.line)

    def said(self, text: str) -> None:
        self._line(self._person, " ".join(text.split()))

    def pressed(self, label: str) -> None:
        self._line(self._person, f"presses [{label}]")

    def notice(self, text: str) -> None:
        self._line("bot", f"({text})")

    async def ask(self) -> str | None:
        line = await asyncio.to_thread(self._source.readline)
        return line.rstrip("\n") if line else None

    async def fill(self, form: Form) -> dict[str, str] | None:
        """Each field takes one line; the form is left unsent when the input ends first."""
        values: dict[str, str] = {}
        for field in form.fields:
            line = await self.ask()
            if line is None:
                return None
            try:
                values[field.name] = read_field(field, line)
            except NotAChoice as wrong:
                self.notice(f"{field.label}: “{wrong}” is not one of {', '.join(c.label for c in field.choices)}")
                return None
            self._line(self._person, f"{field.label}: {values[field.name]}")
        return values

    def _line(self, who: str, text: str) -> None:
        self._sink.write(f"{who:<{WHO}} {text}\n")
        self._sink.flush()
