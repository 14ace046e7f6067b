"""What people say while the worker runs: stops and decisions act at once, everything else waits for the turn's end."""

import asyncio
from collections.abc import Callable

from runners.wire import WireInput
from runners.worker.asks import Asks
from runners.worker.context import Context, Ending
from runners.worker.link import POLL_S
from sessions.events import InputTaken
from sessions.models import InputKind


class Inbox:
    """The inputs of one launch. `end` is called when people or the bot want the launch to end.

    `untold` are inputs that an earlier launch has handed over without the bot's having heard of it.
    """

    def __init__(self, context: Context, asks: Asks, end: Callable[[Ending], None], *, untold: frozenset[int]) -> None:
        self._context = context
        self._asks = asks
        self._end = end
        self._untold = set(untold)
        self._arrived = asyncio.Event()

    async def listen(self) -> None:
        """Ask the bot again and again; the question is the heartbeat too. Ends only with an error or by being cancelled."""
        seen = 0
        while True:
            heard = await self._context.link.inputs(after=seen, wait_s=POLL_S)
            for said in heard.inputs:
                seen = max(seen, said.ordinal)
                self._notice(said)
            if heard.over:
                self._end(Ending(reason="finished"))
                return

    async def collect(self) -> list[WireInput]:
        """What waits for the agent now, as it stands now: a message may have been edited or withdrawn since it was seen."""
        self._arrived.clear()
        heard = await self._context.link.inputs(after=0, wait_s=0)
        return [said for said in heard.inputs if not self._taken(said) and said.kind is not InputKind.STOP]

    async def wait(self, *, limit_s: float) -> list[WireInput] | None:
        """What waits for the agent, as soon as there is something; None when nobody has said anything for so long."""
        try:
            async with asyncio.timeout(limit_s):
                while not (waiting := await self.collect()):
                    await self._arrived.wait()
                return waiting
        except TimeoutError:
            return None

    def take(self, said: WireInput) -> None:
        """The input is the agent's from now on."""
        self._context.saved.taken.append(said.ordinal)
        self._context.tell(InputTaken(ordinal=said.ordinal))

    def _notice(self, said: WireInput) -> None:
        match said.kind:
            case InputKind.STOP:
                self.take(said)
                self._end(Ending(reason="stopped"))
            case InputKind.DECISION if self._asks.decide(said):
                return
            case InputKind.ANSWER if self._asks.answer(said):
                return
            case _:
                self._arrived.set()

    def _taken(self, said: WireInput) -> bool:
        if said.ordinal in self._untold:
            self._untold.discard(said.ordinal)
            self._context.tell(InputTaken(ordinal=said.ordinal))
        return said.ordinal in self._context.saved.taken
