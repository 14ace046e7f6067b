"""Queued sessions and live launches of all workspaces: implements `sessions.ports.Dispatch`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import asyncpg

from sessions.errors import LaunchUnknown
from sessions.events import LaunchStarted
from sessions.lifecycle import advance
from sessions.models import InstallationId, Launch, LaunchId, SessionId, TicketId, WorkspaceId
from sessions.ports import Claim, LiveLaunch
from storage import rows
from storage.codec import encode
from storage.statements import Statements
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
        async with self.system.transaction() as statements:
            found = await statements.row("claim_candidate", installation)
            if found is None:
                return None
            claim = _claim(found, launch=launch, engine=engine)
            return await _start(statements, claim, runner=runner, token_hash=token_hash)

    async def launched(self, launch: LaunchId, *, reference: str) -> None:
        await self.system.run("launched", launch, reference)

    async def live(self, *, engine: str) -> Sequence[LiveLaunch]:
        return [_live(row) for row in await self.system.rows("live_launches", engine)]

    async def locate(self, launch: LaunchId) -> LiveLaunch:
        row = await self.system.row("locate_launch", launch)
        if row is None:
            raise LaunchUnknown
        return _live(row)


def _claim(found: asyncpg.Record, *, launch: LaunchId, engine: str) -> Claim:
    ticket, session = rows.ticket(found["ticket"]), rows.session(found["session"])
    return Claim(
        workspace=ticket.workspace,
        ticket=ticket,
        session=session,
        project=rows.project(found["project"]),
        launch=Launch(id=launch, session=session.id, fence=found["fence"], engine=engine),
    )


async def _start(statements: Statements, claim: Claim, *, runner: str, token_hash: bytes) -> Claim:
    event = LaunchStarted(fence=claim.launch.fence, runner=runner)
    session, stored = advance(claim.session, event), encode(event)
    position = await statements.value(
        "start_launch",
        claim.ticket.id,
        session.id,
        session.state,
        claim.launch.id,
        claim.launch.fence,
        claim.launch.engine,
        runner,
        token_hash,
        stored.kind,
        stored.version,
        stored.payload,
    )
    assert isinstance(position, int)
    return replace(claim, session=session, ticket=replace(claim.ticket, last_event=position))


def _live(row: asyncpg.Record) -> LiveLaunch:
    return LiveLaunch(
        workspace=WorkspaceId(row["workspace_id"]),
        ticket=TicketId(row["ticket_id"]),
        session=SessionId(row["session_id"]),
        launch=rows.launch(row),
        seen_at=row["seen_at"],
        over=row["over"],
        stopping_since=row["stopping_since"],
    )
