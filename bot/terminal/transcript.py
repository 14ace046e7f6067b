"""The display of a pipe: one line a message, no colour, no animation, so that stories can be piped in and compared."""

from collections.abc import Sequence
from typing import TextIO

from bot.terminal.incoming import NotAChoice, read_field
from bot.terminal.journal import Shown
from bot.terminal.lines import Lines
from conversations.messages import Form, Message

WHO = 8
"""Width of the column with the speaker's name."""

_ROOT = "root"
_PROGRESS = "progress/"


class Transcript:
    """Tells a card in one line, once, when it is the person's turn: what was done, then what is asked or how it ended.

    The root card is told as it is posted. A progress card is told again when more was done since, since it shows another
    part of the story then; other cards change only to say what the person did, which stands in the transcript already.
    """

    def __init__(self, *, person: str, source: Lines, sink: TextIO) -> None:
        self._person = person
        self._source = source
        self._sink = sink
        self._news: dict[str, Shown] = {}
        self._told: dict[str, str] = {}

    def card(self, card: Shown, message: Message, *, first: bool) -> None:
        del message
        if card.slot != _ROOT:
            if first and card.live:
                # A new session has begun, so nobody was asked about the one before.
                self._tell_news()
            self._news[card.id] = card
        elif first:
            self._tell(card)

    def restored(self, cards: Sequence[Shown]) -> None:
        if cards:
            self._line("bot", "(earlier in this thread)")
        for card in cards:
            self._tell(card)

    def said(self, text: str) -> None:
        self._tell_news()
        self._line(self._person, " ".join(text.split()))

    def pressed(self, label: str) -> None:
        self._tell_news()
        self._line(self._person, f"presses [{label}]")

    def notice(self, text: str) -> None:
        self._tell_news()
        self._line("bot", f"({text})")

    async def ask(self) -> str | None:
        self._tell_news()
        return await self._source.next()

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

    def close(self) -> None:
        self._tell_news()

    def _tell_news(self) -> None:
        news, self._news = self._news, {}
        for card in sorted(news.values(), key=lambda card: not card.slot.startswith(_PROGRESS)):
            if card.id not in self._told or card.slot.startswith(_PROGRESS):
                self._tell(card)

    def _tell(self, card: Shown) -> None:
        words = card.line.partition(" ")[2] if card.slot.startswith(_PROGRESS) else card.line
        if self._told.get(card.id) != words:
            self._told[card.id] = words
            self._line("bot", card.line)

    def _line(self, who: str, text: str) -> None:
        self._sink.write(f"{who:<{WHO}} {text}\n")
        self._sink.flush()
