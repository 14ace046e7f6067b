"""A platform in memory: it takes messages, keeps a journal of what was really done, and fails as it is told to."""

import asyncio
import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from conversations.errors import MessageGone, OutletBusy, OutletUnclear, ThreadGone
from conversations.messages import Message
from conversations.ports import Capabilities
from sessions.ports import Place

EDITABLE = Capabilities(can_edit=True, has_buttons=True, has_modals=True, has_idempotency_key=False, text_limit=4000)
PIPE = replace(EDITABLE, can_edit=False)


class Crash(BaseException):
    """The process ends here; nothing after it happens, and nobody can catch it by mistake."""


Fault = Literal["none", "unclear_before", "unclear_after", "busy", "crash_before", "crash_after", "thread_gone"]
"""What happens to a call: `before` and `after` its effect."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that had its effect."""

    kind: Literal["post", "edit"]
    slot: str
    message_id: str


@dataclass
class JournalOutlet:
    """`faults` are used up one a call, `none` when they are gone. `journal` has what took effect, in order.

    While there is a `hold` that is not set, posts are on their way.
    """

    key: str = "outlet-1"
    capabilities: Capabilities = EDITABLE
    faults: deque[Fault] = field(default_factory=deque)
    journal: list[Call] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    slots: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    hold: asyncio.Event | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def post(self, place: Place, message: Message, *, slot: str, nonce: str) -> tuple[Place, str]:
        fault = self._begin()
        if self.hold is not None:
            await self.hold.wait()
        message_id = f"m{next(self._numbers)}"
        self.messages[message_id] = message
        self.slots[message_id] = f"{nonce}/{slot}"
        self.journal.append(Call("post", slot, message_id))
        self._end(fault)
        return replace(place, thread=place.thread or "t1"), message_id

    async def edit(self, place: Place, message_id: str, message: Message, *, slot: str) -> None:
        fault = self._begin()
        if message_id not in self.messages:
            raise MessageGone
        self.messages[message_id] = message
        self.journal.append(Call("edit", slot, message_id))
        self._end(fault)

    async def find(self, place: Place, *, slot: str, nonce: str) -> tuple[Place, str] | None:
        for message_id, known in self.slots.items():
            if known == f"{nonce}/{slot}" and message_id in self.messages:
                return replace(place, thread=place.thread or "t1"), message_id
        return None

    def delete(self, slot: str) -> None:
        """Somebody deletes the message of a slot."""
        del self.messages[self.message_of(slot)]

    def message_of(self, slot: str) -> str:
        return next(call.message_id for call in reversed(self.journal) if call.kind == "post" and call.slot == slot)

    @property
    def posts(self) -> list[str]:
        """The slots in the order in which they were posted."""
        return [call.slot for call in self.journal if call.kind == "post"]

    @property
    def edits(self) -> list[str]:
        return [call.slot for call in self.journal if call.kind == "edit"]

    def _begin(self) -> Fault:
        self.calls += 1
        fault = self.faults.popleft() if self.faults else "none"
        match fault:
            case "unclear_before":
                raise OutletUnclear
            case "busy":
                raise OutletBusy(5.0)
            case "crash_before":
                raise Crash
            case "thread_gone":
                raise ThreadGone("archived")
            case "none" | "unclear_after" | "crash_after":
                return fault

    def _end(self, fault: Fault) -> None:
        if fault == "unclear_after":
            raise OutletUnclear
        if fault == "crash_after":
            raise Crash
