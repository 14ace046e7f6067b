"""A thread with people and the bot in it: intake and delivery over a real database, on a platform in memory."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from conversations.actions import decode
from conversations.delivery import Courier
from conversations.fallback import full_text
from conversations.intake import Intake
from conversations.messages import Answer, Button, Form, Message, Notice
from conversations.models import Change, IncomingMessage, IncomingPress
from sessions.acts import Standing
from sessions.models import Role
from sessions.ports import Place
from storage.leases import PostgresLeases
from storage.system import System
from storage.threads import PostgresThreads
from tests.bureau import Bureau
from tests.fakes_outlet import EDITABLE, JournalOutlet


@dataclass
class Room:
    """What anybody says or presses is taken in, and then the thread is brought up to date."""

    bureau: Bureau
    outlet: JournalOutlet
    place: Place
    form: Form | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def open(cls, bureau: Bureau, outlet: JournalOutlet | None = None) -> "Room":
        place = Place(installation=bureau.installation.id, channel="C1", thread="t1")
        return cls(bureau, outlet or JournalOutlet(key=bureau.installation.outlet, capabilities=EDITABLE), place)

    @property
    def intake(self) -> Intake:
        installation = self.bureau.installation
        return Intake(self.bureau.service, self.threads, installations={installation.id: installation})

    @property
    def threads(self) -> PostgresThreads:
        return PostgresThreads(system=System(self.bureau.database))

    @property
    def courier(self) -> Courier:
        """A process that has just started."""
        leases = PostgresLeases(system=System(self.bureau.database))
        outlets = {self.outlet.key: self.outlet}
        return Courier(self.threads, leases, outlets, self.bureau.signals, self.bureau.clock, "test")

    async def say(
        self,
        text: str,
        *,
        name: str = "dana",
        role: Role = Role.MEMBER,
        message_id: str = "",
        change: Change = Change.WRITTEN,
    ) -> Answer:
        incoming = IncomingMessage(
            place=self.place,
            message_id=message_id or f"m{next(self._numbers)}",
            person=self.bureau.person(name, role),
            text=text,
            at=datetime(2026, 11, 20, tzinfo=UTC),
            change=change,
        )
        answer = await self.intake.message(incoming)
        await self.courier.deliver_all()
        return self._kept(answer)

    async def intake_only(self, text: str) -> None:
        """Say it and leave the delivery to others."""
        await self.intake.message(
            IncomingMessage(
                place=self.place,
                message_id=f"m{next(self._numbers)}",
                person=self.bureau.person(),
                text=text,
                at=datetime(2026, 11, 20, tzinfo=UTC),
            )
        )

    async def hint(self, text: str, **more: str) -> str:
        """What only the person who wrote sees; empty where a card says it all."""
        answer = await self.say(text, **more)  # type: ignore[arg-type] # (name and message_id)
        return answer.text if isinstance(answer, Notice) else ""

    async def press(self, label: str, *, slot: str, name: str = "dana", role: Role = Role.MEMBER) -> Answer:
        """Press the button of a card as it is drawn now."""
        button = next(one for one in self.card(slot).buttons if isinstance(one, Button) and one.label == label)
        return await self.press_encoded(button.action.encode(), name=name, role=role)

    async def fill(self, **values: str) -> Answer:
        """Send the form back that was opened last."""
        assert self.form is not None
        return await self.press_encoded(self.form.action.encode(), values=tuple(values.items()))

    async def press_encoded(
        self,
        action: str,
        *,
        name: str = "dana",
        role: Role = Role.MEMBER,
        values: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        incoming = IncomingPress(
            place=self.place,
            press_id=f"p{next(self._numbers)}",
            person=self.bureau.person(name, role),
            action=decode(action),
            values=values,
        )
        answer = await self.intake.press(incoming)
        await self.courier.deliver_all()
        return self._kept(answer)

    async def catch_up(self) -> None:
        await self.courier.deliver_all()

    def card(self, slot: str) -> Message:
        return self.outlet.messages[self.outlet.message_of(slot)]

    def text(self, slot: str) -> str:
        return full_text(self.card(slot), zone=UTC)

    def encoded(self, label: str, *, slot: str) -> str:
        """What a button sends back, to be pressed later."""
        found = (one for one in self.card(slot).buttons if isinstance(one, Button) and one.label == label)
        return next(found).action.encode()

    async def standing(self) -> Standing:
        found = await self.bureau.service.find_at(self.bureau.workspace, self.place)
        assert found is not None
        return found

    def elsewhere(self, thread: str) -> "Room":
        """Another thread of the same channel."""
        return replace(self, place=replace(self.place, thread=thread), form=None)

    def _kept(self, answer: Answer) -> Answer:
        if isinstance(answer, Form):
            self.form = answer
        return answer


def words(answer: Answer) -> str:
    assert isinstance(answer, Notice)
    return answer.text
