"""Whose turn it is in a thread: the bot's while anything runs or is still to be shown, else the person's."""

from dataclasses import dataclass

from bot.terminal.platform import Standing
from conversations.ports import ThreadStore
from sessions import acts
from sessions.models import InputState, SessionState, SleepReason, TicketState, WorkspaceId
from sessions.ports import Place, Signals
from sessions.service import TicketService

LOOK_AGAIN_S = 0.5
SOON_S = 0.02
"""A card that is on its way arrives in a moment, and nobody is woken when it has."""
_BUSY = frozenset({SessionState.QUEUED, SessionState.WORKING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPatience:
    """Implements `bot.terminal.platform.Patience` for one thread; looks when it is woken, and twice a second.

    While only a card is still to be shown it looks more often: that ends at once.
    """

    tickets: TicketService
    threads: ThreadStore
    signals: Signals
    workspace: WorkspaceId
    place: Place
    outlet: str

    async def settled(self) -> Standing:
        subscription = self.signals.subscribe("threads", "sessions")
        try:
            while (standing := await self.now()) is Standing.BUSY or await self._undelivered():
                await subscription.wait(time_limit_s=LOOK_AGAIN_S if standing is Standing.BUSY else SOON_S)
            return standing
        finally:
            subscription.close()

    async def now(self) -> Standing:
        found = await self.tickets.find_at(self.workspace, self.place)
        return Standing.NEW if found is None else _standing(found)

    async def _undelivered(self) -> bool:
        # Asked after the standing: what was written since makes the thread dirty.
        return bool(await self.threads.dirty(outlets=(self.outlet,), limit=1))

    async def key(self) -> str:
        found = await self.tickets.find_at(self.workspace, self.place)
        return found.ticket.key if found else ""


def _busy(found: acts.Standing) -> bool:
    awake = {s.id for s in found.sessions if s.state in _BUSY or s.state is SessionState.WAITING}
    unread = any(i.state is InputState.QUEUED and i.session in awake for i in found.inputs)
    return unread or any(s.state in _BUSY for s in found.sessions)


def _standing(found: acts.Standing) -> Standing:
    if _busy(found):
        return Standing.BUSY
    if found.ticket.state is not TicketState.OPEN:
        return Standing.OVER
    failed = found.session.state is SessionState.ASLEEP and found.session.reason is SleepReason.FAILED
    return Standing.FAILED if failed else Standing.WAITING
