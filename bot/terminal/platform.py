"""The terminal as a platform: one thread, one person, cards drawn on a display and kept in a journal.

`TerminalOutlet` is the side that sends, `TerminalSession` the side that receives. Neither knows what the bot does with a
message; they meet only in the journal and the display.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from bot.terminal import terminal
from bot.terminal.display import Display
from bot.terminal.incoming import Chosen, Typed, read_line
from bot.terminal.journal import Journal, Said, Shown
from conversations.actions import Verb, decode
from conversations.errors import MessageGone
from conversations.messages import Button, Form, Link, Message, Notice, Tone
from conversations.models import IncomingMessage, IncomingPress
from conversations.ports import Capabilities, Inlet
from sessions.models import Person
from sessions.ports import Place

TEXT_LIMIT = 100_000


class TerminalOutlet:
    """Posts and edits cards of one terminal thread; the journal makes both exactly once."""

    capabilities = Capabilities(
        can_edit=True, has_buttons=True, has_modals=True, has_idempotency_key=True, text_limit=TEXT_LIMIT
    )

    def __init__(self, key: str, journal: Journal, display: Display) -> None:
        self.key = key
        self._journal = journal
        self._display = display

    async def post(self, place: Place, message: Message, *, slot: str, nonce: str) -> tuple[Place, str]:
        there = self._journal.find(slot=slot)
        card = _card(message, card_id=there.id if there else self._journal.next_card_id(), slot=slot, nonce=nonce)
        self._journal.show(card)
        self._display.card(card, message, first=there is None)
        return replace(place, thread=place.thread or place.channel), card.id

    async def edit(self, place: Place, message_id: str, message: Message, *, slot: str) -> None:
        there = self._journal.find(slot=slot)
        if there is None or there.id != message_id:
            raise MessageGone
        card = _card(message, card_id=message_id, slot=slot, nonce=there.nonce)
        self._journal.show(card)
        self._display.card(card, message, first=False)

    async def find(self, place: Place, *, slot: str, nonce: str) -> tuple[Place, str] | None:
        there = self._journal.find(slot=slot)
        return None if there is None else (replace(place, thread=place.thread or place.channel), there.id)


def _card(message: Message, *, card_id: str, slot: str, nonce: str) -> Shown:
    buttons = tuple((b.label, b.action.encode()) for b in message.buttons if isinstance(b, Button))
    return Shown(
        id=card_id,
        slot=slot,
        nonce=nonce,
        line=terminal.line(message),
        # What can be pressed stands in `buttons`; which numbers press it depends on the other cards.
        text=terminal.text(replace(message, buttons=tuple(b for b in message.buttons if isinstance(b, Link)))),
        buttons=buttons,
        asks=message.tone is Tone.WAITING and bool(buttons) and not message.live,
        live=message.live,
    )


class Standing(StrEnum):
    """Where the thread stands: nothing was asked for, the bot is at work, a person is waited for, the ticket has ended."""

    NEW = "new"
    BUSY = "busy"
    WAITING = "waiting"
    OVER = "over"
    FAILED = "failed"


class Patience(Protocol):
    """Tells when it is the person's turn."""

    async def now(self) -> Standing:
        """Where the thread stands at this moment."""

    async def settled(self) -> Standing:
        """Returns when nothing is running, queued or undelivered in the thread, and so never `BUSY`."""

    async def key(self) -> str:
        """What people call the thread's ticket; empty when there is none yet."""


Presser = Callable[[Shown], str]
"""The label to press on a card that waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSession:
    """One person at one thread."""

    place: Place
    person: Person
    inlet: Inlet
    journal: Journal
    display: Display
    patience: Patience

    async def catch_up(self) -> None:
        """Show the thread as it was left, and say again what the bot did not get to store."""
        self.display.restored(self.journal.cards)
        for said in self.journal.untaken:
            await self._deliver(said)

    async def say(self, text: str) -> None:
        self.display.said(text)
        await self._hand_in(Said(id=self.journal.next_said_id(), text=text))

    async def press(self, chosen: Chosen) -> None:
        self.display.pressed(chosen.label)
        await self._hand_in(Said(id=self.journal.next_said_id(), text=chosen.label, action=chosen.action))

    async def act(self, line: str) -> None:
        """Do what a typed line means."""
        if not line.strip():
            return
        match read_line(line, self.journal.cards):
            case Typed(text=text):
                await self.say(text)
            case Chosen() as chosen:
                await self.press(chosen)

    async def stop(self) -> bool:
        """Press Stop where a card offers it; False when nothing runs."""
        offers = [(label, action) for card in self.journal.cards for label, action in card.buttons]
        for label, action in offers:
            if decode(action).verb is Verb.STOP:
                await self.press(Chosen(label=label, action=action))
                return True
        return False

    async def follow_script(self) -> Standing:
        """Read the next line whenever it is the person's turn, until the input ends; where the thread stands then."""
        while True:
            standing = await self.patience.settled()
            line = await self.display.ask()
            if line is None:
                return standing
            await self.act(line)

    async def follow_presser(self, first: str, presser: Presser) -> Standing:
        """File `first` if nothing was filed yet, then press what `presser` says until the thread is over."""
        while True:
            standing = await self.patience.settled()
            asking = self.journal.asking()
            if standing is Standing.NEW:
                await self.say(first)
            elif standing is Standing.WAITING and asking:
                await self._press_label(asking[-1], presser(asking[-1]))
            else:
                return standing

    async def _press_label(self, card: Shown, label: str) -> None:
        action = next(action for name, action in card.buttons if name == label)
        await self.press(Chosen(label=label, action=action))

    async def _hand_in(self, said: Said) -> None:
        self.journal.say(said)
        await self._deliver(said)

    async def _deliver(self, said: Said) -> None:
        match await self._send(said):
            case Form() as form:
                self.journal.take(said.id)
                await self._fill(form)
            case Notice(text=text):
                self.journal.take(said.id)
                self.display.notice(text)
            case None:
                self.journal.take(said.id)

    async def _send(self, said: Said) -> Form | Notice | None:
        if said.action:
            return await self.inlet.press(
                IncomingPress(
                    place=self.place,
                    press_id=said.id,
                    person=self.person,
                    action=decode(said.action),
                    values=said.values,
                )
            )
        return await self.inlet.message(
            IncomingMessage(
                place=self.place, message_id=said.id, person=self.person, text=said.text, at=datetime.now(UTC)
            )
        )

    async def _fill(self, form: Form) -> None:
        values = await self.display.fill(form)
        if values is None:
            self.display.notice("Nothing was sent.")
            return
        said = Said(
            id=self.journal.next_said_id(),
            text=form.title,
            action=form.action.encode(),
            values=tuple(values.items()),
        )
        await self._hand_in(said)
