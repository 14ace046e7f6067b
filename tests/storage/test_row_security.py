"""One workspace never sees or changes what is another's, whatever the statement says."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

import storage
from storage.database import Database, PoolLimits, database, lone_connection, served
from storage.frames import PostgresFrameLog
from storage.migrate import migrate
from storage.signals import LocalSignals
from storage.system import STATEMENTS, System
from tests.database import PostgresServer
from tests.storage.estate import Estate, batch, settle_in

TABLES = [
    "installations",
    "members",
    "agents",
    "projects",
    "channel_bindings",
    "secrets",
    "schedules",
    "tickets",
    "threads",
    "slots",
    "inbox",
    "sessions",
    "launches",
    "events",
    "documents",
    "document_revisions",
    "approvals",
    "questions",
    "inputs",
    "blobs",
    "usage",
    "audit",
]

APPEND_ONLY = {"events", "audit"}

# Each was looked at; a new one is added here by whoever has looked at it.
MAY_CROSS = {
    "authenticate_launch",
    "claim",
    "dirty_threads",
    "ensure_workspace",
    "flush",
    "installations",
    "launch_positions",
    "launch_seen",
    "launched",
    "live_launches",
    "locate_launch",
    "notify",
    "release_lease",
    "renew_lease",
    "take_lease",
    "terminal_of_ticket",
    "thread_workspace",
    "unsettled_inbox",
    "workspaces",
}

# Run as app, so that each SELECT finds what is the workspace's own.
FURNITURE = """
INSERT INTO members (workspace_id, installation_id, external_id, name, role)
    SELECT workspace_id, id, 'U1', 'dana', 'member' FROM installations;
INSERT INTO agents (workspace_id, name, profile) VALUES (current_workspace(), 'scripted', '{}');
INSERT INTO channel_bindings (workspace_id, installation_id, channel, project_id)
    SELECT p.workspace_id, i.id, 'C1', p.id FROM projects p, installations i;
INSERT INTO secrets (id, workspace_id, name, ciphertext) VALUES (gen_random_uuid(), current_workspace(), 'KEY', '\\x00');
INSERT INTO schedules (id, workspace_id, project_id, title, description, recurrence)
    SELECT gen_random_uuid(), workspace_id, id, 'Nightly', '', 'daily' FROM projects;
INSERT INTO slots (workspace_id, thread_id, slot, state, digest, fence)
    SELECT workspace_id, id, 'root', 'done', 'd', 1 FROM threads;
INSERT INTO inbox (workspace_id, installation_id, source) SELECT workspace_id, id, 'C1/1' FROM installations;
INSERT INTO documents (workspace_id, ticket_id, phase) SELECT workspace_id, id, 'research' FROM tickets;
INSERT INTO document_revisions (workspace_id, ticket_id, phase, revision, author, markdown, digest)
    SELECT workspace_id, id, 'research', 1, 'agent', '#', 'd' FROM tickets;
INSERT INTO approvals (
    workspace_id, ticket_id, ordinal, session_id, kind, subject, title, digest, deciders, offers, state, granted
) SELECT workspace_id, ticket_id, 1, id, 'document', 'research', 't', 'd', '{}', '{}', 'pending', '' FROM sessions;
INSERT INTO questions (workspace_id, ticket_id, ordinal, session_id, text, options)
    SELECT workspace_id, ticket_id, 1, id, '?', '{}' FROM sessions;
INSERT INTO inputs (
    workspace_id, ticket_id, ordinal, session_id, kind, author, author_name, text, request, granted, attachments, state
) SELECT workspace_id, ticket_id, 1, id, 'message', 'U1', 'dana', 'hi', '', '', '[]', 'queued' FROM sessions;
INSERT INTO blobs (workspace_id, name, sha256, size_bytes, media_type)
    VALUES (current_workspace(), 'b', 'd', 1, 'text/plain');
INSERT INTO usage (workspace_id, session_id) SELECT workspace_id, id FROM sessions;
INSERT INTO audit (workspace_id, who, what, subject, digest) VALUES (current_workspace(), 'U1', 'x', 'y', 'd');
"""


@pytest.fixture(params=["embedded", pytest.param("oldest", marks=pytest.mark.needs("pg15"))])
def server(request: pytest.FixtureRequest) -> PostgresServer:
    """Each PostgreSQL we promise."""
    found: PostgresServer = request.getfixturevalue("postgres" if request.param == "embedded" else "postgres15")
    return found


@pytest.fixture
async def crowded(server: PostgresServer) -> AsyncIterator[Database]:
    """A database in which two workspaces have a row in every tenant table."""
    name = await server.new_database()
    async with database(served(server.url(name)), limits=PoolLimits(app=2, system=2)) as opened:
        for number in (1, 2):
            await fill(await settle_in(opened, number=number))
        yield opened
    await server.drop_database(name)


async def test_app_is_neither_superuser_nor_exempt(crowded: Database) -> None:
    asked = "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    workspace = (await estates(crowded))[0].workspace
    async with crowded.app(workspace) as connection:
        row = await connection.fetchrow(asked)
        assert row is not None
        assert tuple(row) == ("viberator_app", False, False)
        assert not await connection.fetchval("SELECT pg_has_role(current_user, 'viberator_system', 'MEMBER')")
    async with crowded.system() as connection:
        row = await connection.fetchrow(asked)
        assert row is not None
        assert tuple(row) == ("viberator_system", False, False)


async def test_no_row_of_another_workspace_is_found_without_a_where(crowded: Database) -> None:
    for estate in await estates(crowded):
        async with crowded.app(estate.workspace) as connection:
            for table in TABLES:
                found = {row["workspace_id"] for row in await connection.fetch(f"SELECT workspace_id FROM {table}")}
                assert found == {estate.workspace}, table
    async with crowded.system() as connection:
        for table in TABLES:
            assert await connection.fetchval(f"SELECT count(DISTINCT workspace_id) FROM {table}") == 2, table


async def test_all_tenant_tables_are_looked_at(crowded: Database) -> None:
    tenants = "SELECT table_name FROM information_schema.columns WHERE column_name = 'workspace_id'"
    async with crowded.system() as connection:
        assert {row["table_name"] for row in await connection.fetch(tenants)} == set(TABLES)


async def test_a_workspace_sees_itself_only(crowded: Database) -> None:
    for estate in await estates(crowded):
        async with crowded.app(estate.workspace) as connection:
            assert [row["id"] for row in await connection.fetch("SELECT id FROM workspaces")] == [estate.workspace]


async def test_no_row_of_another_workspace_is_changed_or_deleted(crowded: Database) -> None:
    first, second = await estates(crowded)
    theirs = f"WHERE workspace_id = '{second.workspace}'"
    async with crowded.app(first.workspace) as connection:
        for table in set(TABLES) - APPEND_ONLY:
            assert await connection.execute(f"UPDATE {table} SET workspace_id = workspace_id {theirs}") == "UPDATE 0"
            assert await connection.execute(f"DELETE FROM {table} {theirs}") == "DELETE 0"


async def test_what_happened_is_never_changed_or_deleted(crowded: Database) -> None:
    first, _ = await estates(crowded)
    async with crowded.app(first.workspace) as connection:
        for table in APPEND_ONLY:
            for right in ("UPDATE", "DELETE", "TRUNCATE"):
                assert not await connection.fetchval("SELECT has_table_privilege($1, $2)", table, right), table


@pytest.mark.parametrize(
    "insert",
    [
        "INSERT INTO audit (workspace_id, who, what, subject, digest) VALUES ($1, 'x', 'x', 'x', 'x')",
        "INSERT INTO agents (workspace_id, name, profile) VALUES ($1, 'x', '{}')",
        "INSERT INTO events (workspace_id, ticket_id, position, kind, version, payload) VALUES ($1, $1, 1, 'x', 1, '{}')",
    ],
)
async def test_nothing_is_inserted_for_another_workspace(crowded: Database, insert: str) -> None:
    first, second = await estates(crowded)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with crowded.app(first.workspace) as connection:
            await connection.execute(insert, second.workspace)


async def test_no_row_is_moved_to_another_workspace(crowded: Database) -> None:
    first, second = await estates(crowded)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with crowded.app(first.workspace) as connection:
            await connection.execute("UPDATE agents SET workspace_id = $1", second.workspace)


async def test_no_reference_reaches_into_another_workspace(crowded: Database) -> None:
    first, second = await estates(crowded)
    async with crowded.app(second.workspace) as connection:
        theirs = await connection.fetchval("SELECT id FROM tickets")
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="sessions_ticket_known"):
        async with crowded.app(first.workspace) as connection:
            await connection.execute(
                "INSERT INTO sessions (id, workspace_id, ticket_id, ordinal, lane, phase, agent, branch, state, priority) "
                "VALUES (gen_random_uuid(), $1, $2, 9, 9, 'research', 'a', 'b', 'queued', 1)",
                first.workspace,
                theirs,
            )


async def test_without_a_workspace_nothing_is_found(crowded: Database) -> None:
    async with crowded.app_pool.acquire() as connection:
        for table in TABLES:
            assert await connection.fetch(f"SELECT FROM {table}") == [], table


async def test_a_workspace_is_forgotten_when_its_transaction_ends(crowded: Database) -> None:
    first, _ = await estates(crowded)
    for _ in range(3):
        async with crowded.app(first.workspace) as connection:
            assert await connection.fetchval("SELECT count(*) FROM tickets") == 1
    for _ in range(3):
        async with crowded.app_pool.acquire() as connection:
            assert await connection.fetchval("SELECT count(*) FROM tickets") == 0


async def test_a_login_without_powers_migrates_and_is_bound_as_well(server: PostgresServer) -> None:
    """As most hosted databases give it: owner of its database, may make roles, and is nothing more."""
    await server.run("CREATE ROLE plain LOGIN CREATEROLE PASSWORD 'plain'")
    # In a server of its own the roles are not there yet; here they are, so it is given what making them gives.
    await server.run("GRANT viberator_app, viberator_system TO plain WITH ADMIN OPTION")
    await server.run("CREATE DATABASE plain OWNER plain")
    try:
        await migrate_and_look(server.cluster.dsn("plain", "plain", "plain"))
    finally:
        await server.run("DROP DATABASE plain WITH (FORCE)")
        await server.run("DROP ROLE plain")


def test_only_these_statements_cross_workspaces() -> None:
    assert set(STATEMENTS) == MAY_CROSS


def test_the_crossing_role_is_used_in_one_module_only() -> None:
    (folder,) = storage.__path__
    users = {
        file.name
        for file in Path(folder).rglob("*.py")
        if re.search(r"\.system\(|\.system_transaction\(|system_pool\.", file.read_text(encoding="utf-8"))
    }
    assert users <= {"system.py", "database.py"}


async def migrate_and_look(url: str) -> None:
    await migrate(url)
    async with database(served(url), limits=PoolLimits(app=2, system=2)) as opened:
        first, second = [await settle_in(opened, number=number) for number in (1, 2)]
        await first.file("aaaaa")
        await second.file("bbbbb")
        async with opened.app(first.workspace) as connection:
            assert [row["key"] for row in await connection.fetch("SELECT key FROM tickets")] == ["aaaaa"]
    async with lone_connection(url, role="viberator_app") as connection:
        assert await connection.fetch("SELECT FROM tickets") == []


async def estates(crowded: Database) -> list[Estate]:
    return [await settle_in(crowded, number=number) for number in (1, 2)]


async def fill(estate: Estate) -> None:
    """A row in every tenant table."""
    await estate.file(f"key{estate.workspace.int}")
    claim = await estate.claim()
    await PostgresFrameLog(System(estate.database), LocalSignals()).flush([batch(claim, 1, "hello")])
    async with estate.database.app(estate.workspace) as connection:
        await connection.execute(FURNITURE)
