"""A platform that takes every call at once and without limits, and notes when each began."""

import asyncio
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from conversations.messages import Message
from conversations.ports import Capabilities
from sessions.ports import Place

CAPABILITIES = Capabilities(can_edit=True, has_buttons=True, has_modals=True, has_idempotency_key=True, text_limit=3000)


@dataclass(slots=True)
class InstantOutlet:
    """Implements `conversations.ports.Outlet`. `begun` holds seconds of the monotonic clock, by thread."""

    key: str
    capabilities: Capabilities = CAPABILITIES
    begun: dict[str, list[float]] = field(default_factory=dict)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def post(self, place: Place, message: Message, *, slot: str, nonce: str) -> tuple[Place, str]:
        self.note(place)
        return place, f"m{next(self.numbers)}"

    async def edit(self, place: Place, message_id: str, message: Message, *, slot: str) -> None:
        self.note(place)

    async def find(self, place: Place, *, slot: str, nonce: str) -> tuple[Place, str] | None:
        return None

    def note(self, place: Place) -> None:
        self.begun.setdefault(str(place.thread), []).append(time.monotonic())
        self.called.set()
