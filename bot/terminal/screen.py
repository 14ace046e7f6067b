"""The display of a person at a terminal: cards at rest scroll away above, cards that still change are redrawn in place
above the input line, with a spinner while an agent works.
"""

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.history import InMemoryHistory
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from bot.terminal import terminal
from bot.terminal.incoming import NotAChoice, numbered, read_field
from bot.terminal.journal import Shown
from conversations.messages import Field, Form, Message, Tone

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAMES_PER_S = 8
WIDTH_LIMIT = 110
HINTS = ("a number presses a button", "Ctrl-C stops", "Ctrl-D leaves", "!help", "/viberator opens a form")
"""What the line at the bottom says, the most useful first; as many as fit are shown."""


class Interrupted(Exception):
    """Ctrl-C at the input line."""


@dataclass(slots=True, kw_only=True)
class _Seen:
    """A card on this screen; without a message where it was only read back. `told` is how it was last printed."""

    card: Shown
    message: Message | None = None
    told: str = ""
    drawn: dict[tuple[int, int | None], str] = field(default_factory=dict)


class Screen:
    """Draws through prompt_toolkit's patched standard output, so a card never tears the line being typed."""

    def __init__(self, *, person: str) -> None:
        self._person = person
        self._cards: dict[str, _Seen] = {}
        self._input: PromptSession[str] = PromptSession(history=InMemoryHistory(), erase_when_done=True)

    # ── what the bot shows ──────────────────────────────────────────────────────────────────────────────────────────

    def card(self, card: Shown, message: Message, *, first: bool) -> None:
        del first
        told = self._cards[card.id].told if card.id in self._cards else ""
        seen = self._cards[card.id] = _Seen(card=card, message=message, told=told)
        if not card.live:
            self._settle(seen)
        if self._input.app.is_running:
            self._input.app.invalidate()

    def restored(self, cards: Sequence[Shown]) -> None:
        if cards:
            self._print(Rule("earlier in this thread", style="dim"))
        for card in cards:
            self._cards[card.id] = _Seen(card=card)
        for seen in self._cards.values():
            if not seen.card.live:
                self._settle(seen)

    def said(self, text: str) -> None:
        self._did(text)

    def pressed(self, label: str) -> None:
        self._did(f"presses [{label}]")

    def notice(self, text: str) -> None:
        self._print(_indented(Text(text, style="italic yellow")))

    def close(self) -> None:
        """Leave the cards that were still changing on the screen as they are."""
        for seen in self._cards.values():
            if seen.card.live:
                self._settle(seen)

    def _settle(self, seen: _Seen) -> None:
        if seen.told == seen.card.line:
            return
        again, seen.told = bool(seen.told), seen.card.line
        # What was printed cannot be taken back: a card that was answered says so in one line below.
        self._print(_indented(Text(seen.card.line, style="dim")) if again else self._renderable(seen, 1))

    def _did(self, what: str) -> None:
        self._print(_indented(Text.assemble((f"{self._person} ", "bold"), what, overflow="fold")))

    def _renderable(self, seen: _Seen, first_key: int | None) -> RenderableType:
        if seen.message is None:
            return terminal.restored(seen.card.text, [label for label, _ in seen.card.buttons], first_key=first_key)
        return terminal.renderable(seen.message, first_key=first_key)

    def _print(self, content: RenderableType) -> None:
        sys.stdout.write(_draw(content, _width()))
        sys.stdout.flush()

    # ── what the person types ───────────────────────────────────────────────────────────────────────────────────────

    async def ask(self) -> str | None:
        return await self._read(self._prompt)

    async def fill(self, form: Form) -> dict[str, str] | None:
        self._print(_indented(Text(f"{form.title}  (Ctrl-D sends nothing)", style="bold")))
        values: dict[str, str] = {}
        for one in form.fields:
            value = await self._ask_field(one)
            if value is None:
                return None
            values[one.name] = value
            self._print(_indented(Text(f"{one.label}: {value}", overflow="fold")))
        return values

    async def _ask_field(self, one: Field) -> str | None:
        choices = "".join(f"  [{n}] {c.label}" for n, c in enumerate(one.choices, 1))
        hint = f"  ({one.hint})" if one.hint else ""
        completer = WordCompleter([c.label for c in one.choices]) if one.choices else None
        while True:
            try:
                line = await self._read(
                    f"  {one.label}{choices}{hint} ❯ ", default="" if one.choices else one.value, completer=completer
                )
            except Interrupted:
                return None
            if line is None:
                return None
            try:
                value = read_field(one, line)
            except NotAChoice:
                self.notice("Choose one by its number or name.")
                continue
            if value or not one.required:
                return value
            self.notice(f"{one.label} is needed.")

    async def _read(self, prompt: object, *, default: str = "", completer: WordCompleter | None = None) -> str | None:
        try:
            return await self._input.prompt_async(
                prompt,  # type: ignore[arg-type]  # a callable is as good as its text; the stub's union is not exported
                default=default,
                completer=completer,
                refresh_interval=1 / FRAMES_PER_S,
                bottom_toolbar=_toolbar,
            )
        except EOFError:
            return None
        except KeyboardInterrupt:
            raise Interrupted from None

    def _prompt(self) -> ANSI:
        size = shutil.get_terminal_size()
        lines = "".join(self._drawn_live(_width())).splitlines()
        # The input line and the one of hints need room below.
        above = "".join(f"{line}\n" for line in lines[-max(1, size.lines - 4) :])
        return ANSI(f"{above}{self._spinner()}\x1b[1m{self._person}\x1b[0m ❯ ")

    def _drawn_live(self, width: int) -> Iterator[str]:
        keyed = {card.id for card in numbered([seen.card for seen in self._cards.values()])}
        key = 1
        for seen in self._cards.values():
            if seen.card.live:
                first_key = key if seen.card.id in keyed else None
                if (width, first_key) not in seen.drawn:
                    seen.drawn = {(width, first_key): _draw(self._renderable(seen, first_key), width)}
                key += len(seen.card.buttons) if first_key else 0
                yield seen.drawn[width, first_key]

    def _spinner(self) -> str:
        if not any(one.card.live and one.message and one.message.tone is Tone.WORKING for one in self._cards.values()):
            return ""
        return f"\x1b[36m{SPINNER[int(time.monotonic() * FRAMES_PER_S) % len(SPINNER)]}\x1b[0m "


def _toolbar() -> str:
    room, shown = shutil.get_terminal_size().columns, ""
    for hint in HINTS:
        longer = f"{shown} · {hint}" if shown else hint
        if len(longer) >= room:
            break
        shown = longer
    return shown


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, 2))


def _width() -> int:
    return min(shutil.get_terminal_size().columns, WIDTH_LIMIT)


def _draw(content: RenderableType, width: int) -> str:
    drawn = StringIO()
    Console(file=drawn, force_terminal=True, width=width, highlight=False, color_system="standard").print(content)
    return drawn.getvalue()
