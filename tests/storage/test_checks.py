"""The checker finds what must never be: each rule is broken here by hand, past every guard."""

import pytest

from sessions.ports import Entry
from storage.checks import RULES, Violation, check
from storage.database import lone_connection
from storage.frames import PostgresFrameLog
from storage.signals import LocalSignals
from storage.system import System
from tests.storage.estate import Estate, batch, said

BREAKS = {
    "events_have_no_gap": "DELETE FROM events WHERE position = 2",
    "frames_are_acknowledged": "UPDATE launches SET last_frame = 1",
    "one_live_session_per_lane": """
        DROP INDEX sessions_one_live_per_lane;
        INSERT INTO sessions (id, workspace_id, ticket_id, ordinal, lane, phase, agent, branch, state, priority)
            SELECT gen_random_uuid(), workspace_id, ticket_id, 2, lane, phase, agent, branch, 'queued', 1 FROM sessions
    """,
    "one_live_launch_per_session": """
        DROP INDEX launches_one_live_per_session;
        INSERT INTO launches (id, workspace_id, ticket_id, session_id, fence, engine, runner, token_hash)
            SELECT gen_random_uuid(), workspace_id, ticket_id, session_id, 2, engine, runner, token_hash FROM launches
    """,
    "running_sessions_have_a_launch": "UPDATE launches SET ended_at = now()",
    "approvals_are_decided_once": """
        UPDATE tickets SET last_event = last_event + 2;
        UPDATE threads SET wanted_event = wanted_event + 2;
        INSERT INTO events (ticket_id, position, workspace_id, kind, version, payload)
            SELECT id, last_event - n, workspace_id, 'approval_decided', 1, '{"ordinal": 1}'
            FROM tickets, generate_series(0, 1) AS n
    """,
    "approvals_are_told_as_they_stand": """
        INSERT INTO approvals (
            workspace_id, ticket_id, ordinal, session_id, kind, subject, title, digest, deciders, offers, state, granted
        ) SELECT workspace_id, ticket_id, 1, id, 'document', 'research', 't', 'd', '{}', '{}', 'approved', ''
          FROM sessions
    """,
    "threads_want_all_events": "UPDATE threads SET wanted_event = wanted_event - 1",
    "threads_are_up_to_date": "UPDATE threads SET wanted_at = now() - interval '2 minutes'",
    "messages_fill_one_slot": """
        INSERT INTO slots (workspace_id, thread_id, slot, state, digest, message_id, fence)
            SELECT workspace_id, id, slot, 'done', 'd', 'm1', 1 FROM threads, unnest(ARRAY['root', 'progress/1']) AS slot
    """,
    "nobody_met_with_silence": """
        INSERT INTO inbox (workspace_id, installation_id, source, received_at)
            SELECT workspace_id, id, 'C1/1', now() - interval '2 minutes' FROM installations
    """,
    "sessions_are_the_fold_of_their_events": "UPDATE sessions SET losses = 2",
}


@pytest.fixture
async def busy(estate: Estate) -> Estate:
    """A ticket at which an agent works."""
    ticket = await estate.file("aaaaa")
    claim = await estate.claim()
    await PostgresFrameLog(System(estate.database), LocalSignals()).flush([batch(claim, 1, "one", "two")])
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.append(ticket.id, [Entry(event=said("three"))])
    return estate


async def test_an_honest_database_has_nothing_wrong(busy: Estate) -> None:
    assert await check(busy.database) == []


def test_every_rule_is_broken_here() -> None:
    assert set(BREAKS) == set(RULES)


@pytest.mark.parametrize("rule", RULES)
async def test_a_broken_rule_is_found(busy: Estate, database_url: str, rule: str) -> None:
    async with lone_connection(database_url) as connection:
        await connection.execute(BREAKS[rule])
    found = await check(busy.database)
    assert rule in {violation.rule for violation in found}


async def test_a_violation_says_what_is_wrong(busy: Estate, database_url: str) -> None:
    async with lone_connection(database_url) as connection:
        await connection.execute(BREAKS["sessions_are_the_fold_of_their_events"])
    assert await check(busy.database) == [
        Violation(
            rule="sessions_are_the_fold_of_their_events",
            subject="aaaaa.1",
            detail="is working after 2 losses, its events make it working after 0 losses",
        )
    ]
