"""Queued sessions and live launches of all workspaces: implements `sessions.ports.Dispatch`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import asyncpg

from sessions.errors import LaunchUnknown
from sessions.events import LaunchStarted
from sessions.lifecycle import advance
from sessions.models import InstallationId, Launch, LaunchId, SessionId, SessionState, TicketId, WorkspaceId
from sessions.ports import Claim, LiveLaunch
from storage import rows
from storage.codec import encode
from storage.system import System


@dataclass(frozen=True, slots=True)
class PostgresDispatch:
    system: System

    async def claim(
        self,
        *,
        engine: str,
        runner: str,
        launch: LaunchId,
        token_hash: bytes,
        installation: InstallationId | None = None,
    ) -> Claim | None:
        # The database sets the fence in.
        event = encode(LaunchStarted(fence=0, runner=runner))
        row = await self.system.row(
            "claim",
            installation,
            launch,
            engine,
            runner,
            token_hash,
            SessionState.WORKING,
            event.kind,
            event.version,
            event.payload,
        )
        return None if row is None else _claim(row, launch=launch, engine=engine, runner=runner)

    async def launched(self, launch: LaunchId, *, reference: str) -> None:
        await self.system.run("launched", launch, reference)

    async def live(self, *, engine: str) -> Sequence[LiveLaunch]:
        return [_live(row) for row in await self.system.rows("live_launches", engine)]

    async def locate(self, launch: LaunchId) -> LiveLaunch:
        row = await self.system.row("locate_launch", launch)
        if row is None:
            raise LaunchUnknown
        return _live(row)


def _claim(row: asyncpg.Record, *, launch: LaunchId, engine: str, runner: str) -> Claim:
    ticket, queued = rows.ticket(row["ticket"]), rows.session(row["session"])
    session = advance(queued, LaunchStarted(fence=row["fence"], runner=runner))
    assert session.state is SessionState.WORKING
    return Claim(
        workspace=ticket.workspace,
        ticket=replace(ticket, last_event=row["last_event"]),
        session=session,
        project=rows.project(row["project"]),
        launch=Launch(id=launch, session=session.id, fence=row["fence"], engine=engine),
    )


def _live(row: asyncpg.Record) -> LiveLaunch:
    return LiveLaunch(
        workspace=WorkspaceId(row["workspace_id"]),
        ticket=TicketId(row["ticket_id"]),
        session=SessionId(row["session_id"]),
        launch=rows.launch(row),
        seen_at=row["seen_at"],
        over=row["over"],
        waiting=row["waiting"],
        last_input=row["last_input"],
        stopping_since=row["stopping_since"],
    )
