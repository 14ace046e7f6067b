"""What an operator looks at from the command line: a workspace's sessions and their histories. Reads only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from sessions.models import WorkspaceId
from storage.database import Database
from storage.queries import load
from storage.statements import Statements

OVERVIEW: Final = load("overview")
PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """`key` is the ticket's key and the session's ordinal; `reason` says why a session is asleep."""

    key: str
    title: str
    project: str
    phase: str
    state: str
    reason: str | None
    agent: str
    branch: str
    ticket_state: str
    queued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One event as it is stored."""

    position: int
    session: int | None
    kind: str
    version: int
    payload: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    database: Database
    workspace: WorkspaceId

    async def sessions(self, *, ended: bool, limit: int = PAGE) -> Sequence[SessionLine]:
        """The newest first."""
        rows = await self._rows("list_sessions", ended, limit)
        return [SessionLine(**row) for row in rows]

    async def find(self, key: str) -> Sequence[SessionLine]:
        """The sessions of a ticket's key, or the one of a session's; none where there is no such key."""
        ticket, ordinal = _split(key)
        rows = await self._rows("find_sessions", ticket, ordinal)
        return [SessionLine(**row) for row in rows]

    async def log(self, key: str, *, after: int = 0) -> Sequence[LogLine]:
        """A page of events after a position, in order."""
        ticket, ordinal = _split(key)
        rows = await self._rows("log_of_ticket", ticket, after, ordinal, PAGE)
        return [_log_line(row) for row in rows]

    async def _rows(self, name: str, *values: object) -> list[asyncpg.Record]:
        async with self.database.app(self.workspace) as connection:
            return await Statements(connection, OVERVIEW).rows(name, *values)


def _split(key: str) -> tuple[str, int | None]:
    ticket, _, ordinal = key.partition(".")
    return ticket, int(ordinal) if ordinal.isdecimal() else None


def _log_line(row: asyncpg.Record) -> LogLine:
    return LogLine(**{**row, "payload": _json(row["payload"])})


def _json(stored: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(stored)
    return read
