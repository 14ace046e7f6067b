"""What delivery knows of threads: implements `conversations.ports.ThreadStore`.

The dirty scan crosses workspaces; everything else happens in the thread's own, which a thread never changes.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import asyncpg
import structlog
from pydantic import ValidationError

from conversations.errors import FenceLost, ThreadUnknown
from conversations.models import PostedSlot, SlotState, Thread
from conversations.ports import Snapshot, ThreadWork
from conversations.progress import VERSION, Progress
from sessions.models import Digest, InstallationId, ThreadId, TicketId, WorkspaceId
from sessions.ports import Place
from storage import rows
from storage.codec import codec
from storage.database import Connection
from storage.ledger import LEDGER
from storage.queries import load
from storage.statements import Statements
from storage.system import System

log = structlog.get_logger()

THREADS: Final = load("threads")

_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresThreads:
    """`workspaces` remembers which thread is whose, of those lately dirty."""

    system: System
    workspaces: dict[ThreadId, WorkspaceId] = field(default_factory=dict)

    async def dirty(self, *, outlets: Sequence[str], limit: int) -> Sequence[ThreadId]:
        found = await self.system.rows("dirty_threads", outlets, limit)
        if len(self.workspaces) + len(found) > _REMEMBERED:
            self.workspaces.clear()
        self.workspaces.update({ThreadId(row["id"]): WorkspaceId(row["workspace_id"]) for row in found})
        return [ThreadId(row["id"]) for row in found]

    async def load(self, thread: ThreadId) -> ThreadWork:
        async with self._inside(thread) as connection:
            statements = Statements(connection, THREADS)
            row = await statements.row("load_thread", thread)
            if row is None:
                raise ThreadUnknown(str(thread))
            snapshot = _snapshot(row)
            after = snapshot.position if snapshot else 0
            events = await Statements(connection, LEDGER).rows("history", row["ticket_id"], after)
            posted = await statements.rows("slots", thread)
        return ThreadWork(
            thread=_thread(row),
            snapshot=snapshot,
            events=[rows.recorded(event) for event in events],
            slots=[_slot(slot) for slot in posted],
        )

    async def intend(self, thread: ThreadId, slot: str, digest: Digest, *, fence: int) -> None:
        async with self._inside(thread) as connection:
            if not await Statements(connection, THREADS).run("intend", thread, slot, digest, fence):
                raise FenceLost

    async def posted(self, thread: ThreadId, slot: PostedSlot, place: Place, *, fence: int) -> None:
        values = (slot.slot, slot.state, slot.digest, slot.message_id, fence, place.channel, place.thread)
        async with self._inside(thread) as connection:
            if not await Statements(connection, THREADS).run("posted", thread, *values):
                raise FenceLost

    async def delivered(self, work: ThreadWork, position: int, snapshot: Snapshot | None, *, fence: int) -> bool:
        kept: tuple[object, ...] = (None, None, None)
        if snapshot is not None:
            kept = (snapshot.version, snapshot.position, codec(Progress).dump(snapshot.progress).encode())
        values = (work.thread.id, work.thread.delivered_event, position, *kept, fence)
        async with self._inside(work.thread.id) as connection:
            return await Statements(connection, THREADS).run("delivered", *values) == 1

    async def is_shown(self, workspace: WorkspaceId, place: Place, slot: str) -> bool:
        async with self.system.database.app(workspace) as connection:
            values = (place.installation, place.channel, place.thread, slot)
            return bool(await Statements(connection, THREADS).value("is_shown", *values))

    async def park(self, thread: ThreadId, reason: str) -> None:
        async with self._inside(thread) as connection:
            await Statements(connection, THREADS).run("park", thread, reason)

    async def unpark(self, thread: ThreadId) -> None:
        """Deliver to the thread again."""
        async with self._inside(thread) as connection:
            await Statements(connection, THREADS).run("unpark", thread)

    @asynccontextmanager
    async def _inside(self, thread: ThreadId) -> AsyncIterator[Connection]:
        """A transaction in the thread's workspace."""
        workspace = self.workspaces.get(thread) or await self._find_workspace(thread)
        async with self.system.database.app(workspace) as connection:
            yield connection

    async def _find_workspace(self, thread: ThreadId) -> WorkspaceId:
        row = await self.system.row("thread_workspace", thread)
        if row is None:
            raise ThreadUnknown(str(thread))
        return WorkspaceId(row["workspace_id"])


def _thread(row: asyncpg.Record) -> Thread:
    place = Place(installation=InstallationId(row["installation_id"]), channel=row["channel"], thread=row["thread"])
    return Thread(
        id=ThreadId(row["id"]),
        workspace=WorkspaceId(row["workspace_id"]),
        ticket=TicketId(row["ticket_id"]),
        place=place,
        outlet=row["outlet"],
        wanted_event=row["wanted_event"],
        delivered_event=row["delivered_event"],
    )


def _slot(row: asyncpg.Record) -> PostedSlot:
    return PostedSlot(
        slot=row["slot"],
        state=SlotState(row["state"]),
        digest=Digest(row["digest"]),
        message_id=row["message_id"],
    )


def _snapshot(row: asyncpg.Record) -> Snapshot | None:
    """None where there is none, or one that another version of the fold made; then it is made anew from all events."""
    if row["snapshot_version"] != VERSION:
        return None
    try:
        progress: Progress = codec(Progress).load(row["snapshot"])
    except ValidationError:
        log.warning("thread.snapshot_unreadable", thread=str(row["id"]))
        return None
    return Snapshot(version=VERSION, position=row["snapshot_position"], progress=progress)
