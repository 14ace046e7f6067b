"""Which project a channel stands for, as storage knows it: implements `conversations.choosing.Bindings`."""

from collections.abc import Mapping
from dataclasses import dataclass

from conversations.models import Installation
from sessions.models import InstallationId, ProjectId
from sessions.ports import Ledger, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerBindings:
    ledger: Ledger
    installations: Mapping[InstallationId, Installation]

    async def project_of(self, place: Place) -> ProjectId | None:
        async with self.ledger.transaction(self.installations[place.installation].workspace) as transaction:
            project = await transaction.bound_project(place)
        return project.id if project else None
