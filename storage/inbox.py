"""What was said to us and has no visible outcome yet, across workspaces."""

from collections.abc import Sequence
from dataclasses import dataclass

from sessions.models import InstallationId, WorkspaceId
from sessions.ports import InboxKey
from sessions.proofs import Unsettled
from storage.system import System


@dataclass(frozen=True, slots=True)
class InboxSweep:
    """Finds who was met with silence, so that nobody is for long."""

    system: System

    async def unsettled(self, *, older_than_s: float = 10.0, limit: int = 100) -> Sequence[Unsettled]:
        """The oldest first."""
        return [
            Unsettled(
                workspace=WorkspaceId(row["workspace_id"]),
                key=InboxKey(installation=InstallationId(row["installation_id"]), source=row["source"]),
                received_at=row["received_at"],
            )
            for row in await self.system.rows("unsettled_inbox", older_than_s, limit)
        ]
