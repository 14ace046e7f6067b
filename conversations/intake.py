"""The one way in for every platform: what people write and press, made into use cases of `sessions.service`."""

from collections.abc import Mapping

from conversations.messages import Answer
from conversations.models import IncomingMessage, IncomingPress, Installation
from sessions.models import InstallationId


class Intake:
    """Implements `conversations.ports.Inlet`. Errors of `sessions.errors` become friendly answers; others are raised.

    `service` is `sessions.service.TicketService`; `installations` are those whose messages are taken.
    """

    def __init__(self, service: object, *, installations: Mapping[InstallationId, Installation]) -> None:
        self._service = service
        self._installations = installations

    async def message(self, incoming: IncomingMessage) -> Answer:
        raise NotImplementedError

    async def press(self, incoming: IncomingPress) -> Answer:
        raise NotImplementedError
