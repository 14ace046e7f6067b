"""What workers report, stored for many launches at a time: implements `sessions.ports.FrameLog`."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from sessions.errors import LaunchFenced, LaunchUnknown
from sessions.models import LaunchId, SessionId, TicketId, WorkspaceId
from sessions.ports import FlushResult, FrameBatch, LaunchContext, Signals
from storage.codec import payload_of, version_of
from storage.system import System


@dataclass(frozen=True, slots=True)
class PostgresFrameLog:
    system: System
    signals: Signals

    async def authenticate(self, launch: LaunchId, token_hash: bytes) -> LaunchContext:
        row = await self.system.row("authenticate_launch", launch)
        if row is None or not hmac.compare_digest(row["token_hash"], token_hash):
            raise LaunchUnknown
        if row["ended"]:
            raise LaunchFenced
        return LaunchContext(
            workspace=WorkspaceId(row["workspace_id"]),
            ticket=TicketId(row["ticket_id"]),
            session=SessionId(row["session_id"]),
            launch=launch,
            fence=row["fence"],
        )

    async def flush(self, batches: Sequence[FrameBatch]) -> Sequence[FlushResult]:
        if not batches:
            return ()
        stored = {row["n"]: row["last_frame"] for row in await self.system.rows("flush", *_columns(batches))}
        if stored:
            await self.signals.notify("threads")
        others = [batch.context.launch for n, batch in enumerate(batches, start=1) if n not in stored]
        positions = await self._positions(others)
        return [
            FlushResult(stored=True, last_frame=stored[n])
            if n in stored
            else _refused(positions.get(batch.context.launch))
            for n, batch in enumerate(batches, start=1)
        ]

    async def seen(self, launch: LaunchId) -> None:
        await self.system.run("launch_seen", launch)

    async def _positions(self, launches: Sequence[LaunchId]) -> dict[LaunchId, asyncpg.Record]:
        # Read after the flush: the flush itself sees what was committed before it began to wait.
        rows = await self.system.rows("launch_positions", launches) if launches else []
        return {LaunchId(row["id"]): row for row in rows}


def _refused(position: asyncpg.Record | None) -> FlushResult:
    if position is None:
        return FlushResult(stored=False, last_frame=0, fenced=True)
    return FlushResult(stored=False, last_frame=position["last_frame"], fenced=position["ended"])


def _columns(batches: Sequence[FrameBatch]) -> tuple[list[object], ...]:
    """The batches and their events, by column, as the statement takes them."""
    events = [event for batch in batches for event in batch.events]
    return (
        [batch.context.launch for batch in batches],
        [batch.first for batch in batches],
        [len(batch.events) for batch in batches],
        [n for n, batch in enumerate(batches, start=1) for _ in batch.events],
        [batch.first + place for batch in batches for place in range(len(batch.events))],
        [event.kind for event in events],
        [version_of(event) for event in events],
        [payload_of(event) for event in events],
    )
