"""The invariants that can be read from a database: what must be true whatever was killed, repeated or raced.

The rules by name are in sql/checks.sql; that a session's state is the fold of its events is checked here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sessions.lifecycle import advance
from sessions.models import Session, SessionState, WorkspaceId
from storage import rows
from storage.database import Database
from storage.ledger import LEDGER
from storage.queries import load
from storage.statements import Statements
from storage.system import System

CHECKS: Final = load("checks")

_ALWAYS: Final = (
    "events_have_no_gap",
    "frames_are_acknowledged",
    "one_live_session_per_lane",
    "one_live_launch_per_session",
    "running_sessions_have_a_launch",
    "approvals_are_decided_once",
    "approvals_are_told_as_they_stand",
    "threads_want_all_events",
    "messages_fill_one_slot",
)
_SOON: Final = ("threads_are_up_to_date", "nobody_met_with_silence")
_FOLD: Final = "sessions_are_the_fold_of_their_events"

RULES: Final = (*_ALWAYS, *_SOON, _FOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """`rule` is one of `RULES`; `subject` says of which ticket, session or message it is broken."""

    rule: str
    subject: str
    detail: str


async def check(database: Database, *, patience_s: float = 60.0) -> Sequence[Violation]:
    """What is wrong in any workspace; what a running bot does soon is wrong when it was not done for `patience_s`."""
    found: list[Violation] = []
    for row in await System(database).rows("workspaces"):
        found += await _check_workspace(database, WorkspaceId(row["id"]), patience_s)
    return found


async def _check_workspace(database: Database, workspace: WorkspaceId, patience_s: float) -> list[Violation]:
    found: list[Violation] = []
    async with database.app(workspace) as connection:
        statements = Statements(connection, CHECKS)
        for rule in RULES[:-1]:
            values = (patience_s,) if rule in _SOON else ()
            found += [
                Violation(rule=rule, subject=row["subject"], detail=row["detail"])
                for row in await statements.rows(rule, *values)
            ]
        for row in await statements.rows("every_session"):
            found += await _check_fold(Statements(connection, LEDGER), rows.session(row), row["ticket_key"])
    return found


async def _check_fold(statements: Statements, session: Session, key: str) -> list[Violation]:
    folded = replace(session, state=SessionState.QUEUED, reason=None, losses=0)
    for row in await statements.rows("history", session.ticket, 0):
        if row["session"] == session.ordinal:
            folded = advance(folded, rows.recorded(row).event)
    if folded == session:
        return []
    detail = f"is {_standing(session)}, its events make it {_standing(folded)}"
    return [Violation(rule=_FOLD, subject=f"{key}.{session.ordinal}", detail=detail)]


def _standing(session: Session) -> str:
    reason = f" ({session.reason})" if session.reason else ""
    return f"{session.state}{reason} after {session.losses} losses"
