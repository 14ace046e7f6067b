"""The one way in for every platform: what people write and press, made into use cases of `sessions.service`.

Everything is keyed on the platform's own id of it, so that what a platform sends twice has one effect. When a call
returns, the effect is stored; only then may the platform be told.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import assert_never

from conversations.choosing import Bindings, NoBindings
from conversations.errors import InstallationUnknown
from conversations.front_desk import FrontDesk
from conversations.messages import Answer
from conversations.models import Change, IncomingMessage, IncomingPress, Installation
from conversations.ports import ThreadStore
from conversations.presses import press
from conversations.refusals import refusal
from conversations.talk import TAKEN, Said, hear
from sessions.acts import Act
from sessions.errors import PlaceTaken, SessionsError
from sessions.models import InstallationId, Person, TicketId
from sessions.ports import InboxKey
from sessions.service import TicketService


class Intake:
    """Implements `conversations.ports.Inlet`.

    What a person can do something about comes back as a friendly answer; `Unavailable` and the like are raised, so that the
    platform sends it again. `installations` are those whose messages are taken.
    """

    def __init__(
        self,
        service: TicketService,
        threads: ThreadStore,
        *,
        installations: Mapping[InstallationId, Installation],
        bindings: Bindings | None = None,
    ) -> None:
        self._service = service
        self._installations = installations
        self._desk = FrontDesk(service=service, threads=threads, bindings=bindings or NoBindings())

    async def message(self, incoming: IncomingMessage) -> Answer:
        """What was said to us; what people say to each other in a thread is theirs. Raises `InstallationUnknown`."""
        if not incoming.addressed:
            return None
        try:
            return await self._heard(incoming)
        except PlaceTaken:
            # Somebody else's request was first by a moment, so that this one is said to its agent.
            return await self._heard(incoming)

    async def _heard(self, incoming: IncomingMessage) -> Answer:
        act = self._act(incoming.place.installation, incoming.person, _source(incoming))
        standing = await self._service.find_at(act.workspace, incoming.place)
        said = Said(act=act, incoming=incoming, standing=standing)
        return await self._answered(act, hear(self._desk, said), standing.ticket.id if standing else None)

    async def press(self, incoming: IncomingPress) -> Answer:
        """A press on a button, or a form sent back. Raises `InstallationUnknown`."""
        act = self._act(incoming.place.installation, incoming.person, f"press/{incoming.press_id}")
        try:
            return await self._answered(act, press(self._desk, act, incoming))
        except PlaceTaken:
            return await self._desk.tell(act, TAKEN)

    async def _answered(self, act: Act, doing: Awaitable[Answer], ticket: TicketId | None = None) -> Answer:
        try:
            return await doing
        except SessionsError as error:
            words = refusal(error)
            if words is None:
                raise
            return await self._desk.tell(act, words, ticket)

    def _act(self, installation: InstallationId, person: Person, source: str) -> Act:
        known = self._installations.get(installation)
        if known is None:
            raise InstallationUnknown(str(installation))
        return Act(
            workspace=known.workspace,
            person=replace(person, platform=known.platform),
            key=InboxKey(installation=installation, source=source),
        )


def _source(incoming: IncomingMessage) -> str:
    """A message is written and deleted once; it may be edited often, each time to other words."""
    message = f"{incoming.place.channel}/{incoming.message_id}"
    match incoming.change:
        case Change.WRITTEN:
            return f"message/{message}"
        case Change.EDITED:
            return f"edit/{message}/{sha256(incoming.text.encode(errors='replace')).hexdigest()[:16]}"
        case Change.DELETED:
            return f"delete/{message}"
        case _:
            assert_never(incoming.change)
