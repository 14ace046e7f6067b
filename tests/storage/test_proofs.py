"""What is stored reaches the checker of invariants whole: each fact is broken here by hand, past every guard."""

import pytest

from sessions.invariants import INVARIANTS, Inspection, inspect
from sessions.models import TicketId
from sessions.ports import Entry
from sessions.proofs import Violation
from storage.database import Database, lone_connection
from storage.frames import PostgresFrameLog
from storage.proofs import PostgresEvidence
from storage.signals import LocalSignals
from storage.system import System
from tests.storage.estate import Estate, batch, said, settle_in

BREAKS = {
    "an event is gone": ("I9", "DELETE FROM events WHERE position = 2"),
    "a frame was not acknowledged": ("I5", "UPDATE launches SET last_frame = 1"),
    "two live sessions in a lane": (
        "I2",
        """
        DROP INDEX sessions_one_live_per_lane;
        INSERT INTO sessions (id, workspace_id, ticket_id, ordinal, lane, phase, agent, branch, state, priority)
            SELECT gen_random_uuid(), workspace_id, ticket_id, 2, lane, phase, agent, branch, 'queued', 1 FROM sessions
        """,
    ),
    "two live launches": (
        "I2",
        """
        DROP INDEX launches_one_live_per_session;
        INSERT INTO launches (id, workspace_id, ticket_id, session_id, fence, engine, runner, token_hash)
            SELECT gen_random_uuid(), workspace_id, ticket_id, session_id, 2, engine, runner, token_hash FROM launches
        """,
    ),
    "an older launch alive": (
        "I10",
        """
        INSERT INTO launches (id, workspace_id, ticket_id, session_id, fence, engine, runner, token_hash, ended_at)
            SELECT gen_random_uuid(), workspace_id, ticket_id, session_id, 2, engine, runner, token_hash, now()
            FROM launches
        """,
    ),
    "at work without a launch": ("I7", "UPDATE launches SET ended_at = now()"),
    "decided by the history only": (
        "I3",
        """
        UPDATE tickets SET last_event = last_event + 2;
        UPDATE threads SET wanted_event = wanted_event + 2;
        INSERT INTO events (ticket_id, position, workspace_id, kind, version, payload)
            SELECT id, last_event - n, workspace_id, 'approval_decided', 1,
                '{"ordinal": 1, "verdict": "approve", "by": "U1", "by_name": "dana"}'
            FROM tickets, generate_series(0, 1) AS n
        """,
    ),
    "decided by the row only": (
        "I3",
        """
        INSERT INTO approvals (
            workspace_id, ticket_id, ordinal, session_id, kind, subject, title, digest, deciders, offers, state, granted
        ) SELECT workspace_id, ticket_id, 1, id, 'document', 'research', 't', 'd', '{}', '{}', 'approved', ''
          FROM sessions
        """,
    ),
    "an input sent to nobody": (
        "I9",
        """
        INSERT INTO inputs (
            workspace_id, ticket_id, ordinal, session_id, kind, author, author_name, text, request, granted,
            attachments, state
        ) SELECT workspace_id, ticket_id, 1, id, 'message', 'U1', 'dana', 'Hello', '', '', '[]', 'sent' FROM sessions
        """,
    ),
    "a thread that does not want the newest": ("I1", "UPDATE threads SET wanted_event = wanted_event - 1"),
    "a thread that was not told": ("I7", "UPDATE threads SET wanted_at = now() - interval '2 minutes'"),
    "two slots in one message": (
        "I1",
        """
        INSERT INTO slots (workspace_id, thread_id, slot, state, digest, message_id, fence)
            SELECT workspace_id, id, slot, 'done', 'd', 'm1', 1 FROM threads, unnest(ARRAY['root', 'progress/1']) AS slot
        """,
    ),
    "a slot half posted": (
        "I1",
        """
        INSERT INTO slots (workspace_id, thread_id, slot, state, digest, fence, changed_at)
            SELECT workspace_id, id, 'root', 'intended', 'd', 1, now() - interval '2 minutes' FROM threads
        """,
    ),
    "somebody met with silence": (
        "I5",
        """
        INSERT INTO inbox (workspace_id, installation_id, source, received_at)
            SELECT workspace_id, id, 'C1/1', now() - interval '11 seconds' FROM installations
        """,
    ),
    "a state that its history does not make": ("I9", "UPDATE sessions SET losses = 2"),
    "a ticket closed by nobody": ("I9", "UPDATE tickets SET state = 'done'"),
}


@pytest.fixture
async def busy(estate: Estate) -> Estate:
    """A ticket at which an agent works."""
    await work_on(estate, "aaaaa")
    return estate


async def work_on(estate: Estate, key: str) -> TicketId:
    ticket = await estate.file(key)
    claim = await estate.claim()
    await PostgresFrameLog(System(estate.database), LocalSignals()).flush([batch(claim, 1, "one", "two")])
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.append(ticket.id, [Entry(event=said("three"))])
    return ticket.id


async def test_an_honest_database_has_nothing_wrong(busy: Estate) -> None:
    assert await inspect(PostgresEvidence(database=busy.database)) == Inspection(tickets=1, violations=())


@pytest.mark.parametrize("name", BREAKS)
async def test_what_is_broken_is_found(busy: Estate, database_url: str, name: str) -> None:
    invariant, sql = BREAKS[name]
    async with lone_connection(database_url) as connection:
        await connection.execute(sql)
    found = await inspect(PostgresEvidence(database=busy.database))
    assert invariant in {violation.invariant for violation in found.violations}


def test_every_invariant_is_broken_here() -> None:
    assert {invariant for invariant, _ in BREAKS.values()} == set(INVARIANTS)


async def test_a_violation_says_what_is_wrong(busy: Estate, database_url: str) -> None:
    async with lone_connection(database_url) as connection:
        await connection.execute("UPDATE sessions SET losses = 2")
    assert (await inspect(PostgresEvidence(database=busy.database))).violations == (
        Violation(invariant="I9", subject="aaaaa.1", problem="is working after 2 losses, but by its history working"),
    )


async def test_a_parked_thread_may_wait(busy: Estate, database_url: str) -> None:
    async with lone_connection(database_url) as connection:
        await connection.execute("UPDATE threads SET wanted_at = now() - interval '2 minutes', parked = 'archived'")
    assert (await inspect(PostgresEvidence(database=busy.database))).violations == ()


async def test_all_tickets_of_all_workspaces_are_read_page_by_page(database: Database) -> None:
    first, second = [await settle_in(database, number=number) for number in (1, 2)]
    keys = [(await first.file(f"aaaa{n}", queued=False)).key for n in range(5)]
    keys += [(await second.file(f"bbbb{n}", queued=False)).key for n in range(4)]
    evidence = PostgresEvidence(database=database, page=2)
    assert [proof.ticket.key async for proof in evidence.proofs()] == keys


async def test_a_ticket_that_is_gone_has_no_proof(estate: Estate) -> None:
    evidence = PostgresEvidence(database=estate.database)
    assert await evidence.find(estate.workspace, TicketId(estate.new_id())) is None


async def test_a_ticket_is_not_locked_while_it_is_read(busy: Estate) -> None:
    evidence = PostgresEvidence(database=busy.database)
    async with busy.database.app(busy.workspace) as connection:
        await connection.execute("SELECT FROM tickets FOR UPDATE")
        read = [proof.ticket.key async for proof in evidence.proofs()]
    assert read == ["aaaaa"]
