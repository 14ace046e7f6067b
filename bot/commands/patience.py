"""Whose turn it is in a thread: the bot's while anything runs or is still to be shown, else the person's."""

from dataclasses import dataclass

from bot.terminal.platform import Standing
from conversations.ports import ThreadStore
from sessions import acts
from sessions.models import InputState, SessionState, SleepReason, TicketState, WorkspaceId
from sessions.ports import Place, Signals
from sessions.service import TicketService

LOOK_AGAIN_S = 0.5
_BUSY = frozenset({SessionState.QUEUED, SessionState.WORKING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPatience:
    """Implements `bot.terminal.platform.Patience` for one thread; looks when it is woken, and twice a second."""

    tickets: TicketService
    threads: ThreadStore
    signals: Signals
    workspace: WorkspaceId
    place: Place
    outlet: str

    async def settled(self) -> Standing:
        subscription = self.signals.subscribe("threads", "sessions")
        try:
            while True:
                found = await self.tickets.find_at(self.workspace, self.place)
                if found is None:
                    return Standing.NEW
                # In this order: what was written after the first look makes the thread dirty at the second.
                if not _busy(found) and not await self.threads.dirty(outlets=(self.outlet,), limit=1):
                    return _standing(found)
                await subscription.wait(time_limit_s=LOOK_AGAIN_S)
        finally:
            subscription.close()

    async def key(self) -> str:
        found = await self.tickets.find_at(self.workspace, self.place)
        return found.ticket.key if found else ""


def _busy(found: acts.Standing) -> bool:
    awake = {s.id for s in found.sessions if s.state in _BUSY or s.state is SessionState.WAITING}
    unread = any(i.state is InputState.QUEUED and i.session in awake for i in found.inputs)
    return unread or any(s.state in _BUSY for s in found.sessions)


def _standing(found: acts.Standing) -> Standing:
    if found.ticket.state is not TicketState.OPEN:
        return Standing.OVER
    failed = found.session.state is SessionState.ASLEEP and found.session.reason is SleepReason.FAILED
    return Standing.FAILED if failed else Standing.WAITING
