"""The display of a person at a terminal: cards that are done scroll away above, cards that still change are redrawn in
place above the input line, with a spinner while an agent works.
"""

import shutil
import sys
import time
from collections.abc import Sequence
from io import StringIO

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.history import InMemoryHistory
from rich.console import Console, RenderableType
from rich.rule import Rule
from rich.text import Text

from bot.terminal import terminal
from bot.terminal.incoming import NotAChoice, read_field
from bot.terminal.journal import Shown
from conversations.messages import Field, Form, Message, Tone

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAMES_PER_S = 8
WIDTH_LIMIT = 110


class Interrupted(Exception):
    """Ctrl-C at the input line."""


class Screen:
    """Draws through prompt_toolkit's patched standard output, so a card never tears the line being typed."""

    def __init__(self, *, person: str, hint: str = "") -> None:
        self._person = person
        self._hint = hint
        self._live: dict[str, tuple[Shown, Message]] = {}
        self._settled: dict[str, str] = {}
        self._input: PromptSession[str] = PromptSession(history=InMemoryHistory())

    # ── what the bot shows ──────────────────────────────────────────────────────────────────────────────────────

    def card(self, card: Shown, message: Message, *, first: bool) -> None:
        del first
        if card.live:
            self._live[card.id] = (card, message)
        else:
            self._live.pop(card.id, None)
            self._settle(card, message)
        self._refresh()

    def restored(self, cards: Sequence[Shown]) -> None:
        if cards:
            self._print(Rule("earlier in this thread", style="dim"))
        for card in cards:
            self._settled[card.id] = card.line
            self._print(Text(card.text, style="dim"))
        if cards:
            self._print(Rule(style="dim"))

    def said(self, text: str) -> None:
        """Typed lines are on the screen already."""

    def pressed(self, label: str) -> None:
        self._print(Text.assemble((f"  {self._person} ", "bold"), f"presses [{label}]"))

    def notice(self, text: str) -> None:
        self._print(Text(f"  {text}", style="italic yellow"))

    def close(self) -> None:
        """Leave the cards that were still changing on the screen as they are."""
        for card, message in self._live.values():
            self._settle(card, message)
        self._live.clear()

    def _settle(self, card: Shown, message: Message) -> None:
        if self._settled.get(card.id) == card.line:
            return
        again = card.id in self._settled
        self._settled[card.id] = card.line
        # What was printed cannot be taken back: a card that was answered says so in one line below.
        self._print(Text(f"  {card.line}", style="dim") if again else terminal.renderable(message))

    def _print(self, content: RenderableType) -> None:
        sys.stdout.write(_draw(content))
        sys.stdout.flush()

    def _refresh(self) -> None:
        if self._input.app.is_running:
            self._input.app.invalidate()

    # ── what the person types ───────────────────────────────────────────────────────────────────────────────────

    async def ask(self) -> str | None:
        return await self._read(self._prompt)

    async def fill(self, form: Form) -> dict[str, str] | None:
        self._print(Text(f"  {form.title}  (Ctrl-D sends nothing)", style="bold"))
        values: dict[str, str] = {}
        for field in form.fields:
            value = await self._ask_field(field)
            if value is None:
                return None
            values[field.name] = value
        return values

    async def _ask_field(self, field: Field) -> str | None:
        choices = "".join(f"  {n} {c.label}" for n, c in enumerate(field.choices, 1))
        hint = f"  {field.hint}" if field.hint else ""
        completer = WordCompleter([c.label for c in field.choices]) if field.choices else None
        while True:
            line = await self._read(
                f"  {field.label}{choices}{hint} ❯ ", default="" if field.choices else field.value, completer=completer
            )
            if line is None:
                return None
            try:
                value = read_field(field, line)
            except NotAChoice:
                self.notice("Choose one by its number or name.")
                continue
            if value or not field.required:
                return value
            self.notice(f"{field.label} is needed.")

    async def _read(self, prompt: object, *, default: str = "", completer: WordCompleter | None = None) -> str | None:
        try:
            return await self._input.prompt_async(
                prompt,  # type: ignore[arg-type]  # a callable is as good as its text; the stub's union is not exported
                default=default,
                completer=completer,
                refresh_interval=1 / FRAMES_PER_S,
                bottom_toolbar=self._toolbar,
            )
        except EOFError:
            return None
        except KeyboardInterrupt:
            raise Interrupted from None

    def _prompt(self) -> ANSI:
        rows = shutil.get_terminal_size().lines - 4
        lines = "".join(_draw(terminal.renderable(message)) for _, message in self._live.values()).splitlines()
        shown = "\n".join(lines[-rows:])
        return ANSI(f"{shown}\n{self._spinner()}\x1b[1m{self._person}\x1b[0m ❯ " if shown else f"{self._person} ❯ ")

    def _spinner(self) -> str:
        if not any(message.tone is Tone.WORKING for _, message in self._live.values()):
            return ""
        return f"\x1b[36m{SPINNER[int(time.monotonic() * FRAMES_PER_S) % len(SPINNER)]}\x1b[0m "

    def _toolbar(self) -> str:
        return self._hint


def _draw(content: RenderableType) -> str:
    width = min(shutil.get_terminal_size().columns, WIDTH_LIMIT)
    drawn = StringIO()
    console = Console(file=drawn, force_terminal=True, width=width, highlight=False, color_system="standard")
    console.print(content)
    return drawn.getvalue()
