"""Connections: what the server's troubles look like to whoever uses them."""

import asyncio
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from sessions.models import WorkspaceId
from sessions.ports import InboxKey, Unavailable
from storage.cluster import OWNER, Cluster
from storage.database import Database, PoolLimits, database, served
from storage.errors import (
    ConstraintBroken,
    DatabaseRefused,
    DatabaseUnavailable,
    Deadlocked,
    StatementTimedOut,
    TransactionUndone,
)
from storage.inbox import InboxSweep
from storage.ledger import LEDGER
from storage.migrate import migrate
from storage.queries import Queries
from storage.statements import Statements
from storage.system import System
from tests.database import PASSWORD
from tests.storage.estate import Estate, settle_in

LIMITS = PoolLimits(app=2, system=2, statement_s=0.2, patience_s=0.1)
SLEEP = Queries({"sleep": "SELECT pg_sleep(30)"})


async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as away:
        async with database(served(f"postgresql://u:p@/db?host={tmp_path}"), limits=LIMITS):
            pass
    assert away.value.part == "database"


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (PASSWORD, "wrong", "password authentication failed"),
        ("/test_", "/no_such_", 'database "no_such_.*" does not exist'),
        ("postgresql://", "mysql://", "invalid DSN"),
    ],
)
async def test_a_wrong_address_is_not_taken_for_an_absent_server(
    database_url: str, right: str, wrong: str, told: str
) -> None:
    with pytest.raises(DatabaseRefused, match=told):
        async with database(served(database_url.replace(right, wrong)), limits=LIMITS):
            pass


async def test_a_statement_that_takes_too_long_is_cut_off(database_url: str) -> None:
    async with database(served(database_url), limits=LIMITS) as opened:
        with pytest.raises(StatementTimedOut):
            async with opened.system() as connection:
                await Statements(connection, SLEEP).row("sleep")
        # The connection is as good as new.
        async with opened.system() as connection:
            assert await connection.fetchval("SELECT 1") == 1


async def test_a_broken_rule_is_told_by_its_name(estate: Estate) -> None:
    ticket = await estate.file("aaaaa")
    with pytest.raises(ConstraintBroken) as broken:
        async with estate.ledger.transaction(estate.workspace) as change:
            await change.add_session(estate.session(ticket, ordinal=1, lane=2))
    assert broken.value.constraint == "sessions_one_per_ordinal"


async def test_a_transaction_in_which_something_failed_does_not_seem_to_be_stored(estate: Estate) -> None:
    ticket, key = await estate.file("aaaaa"), InboxKey(installation=estate.installation.id, source="m1")

    async def go_on_regardless() -> None:
        async with estate.ledger.transaction(estate.workspace) as change:
            await change.admit(key)
            with suppress(ConstraintBroken):
                await change.add_session(estate.session(ticket, ordinal=1, lane=2))

    with pytest.raises(TransactionUndone):
        await go_on_regardless()
    async with estate.ledger.transaction(estate.workspace) as change:
        assert await change.admit(key)


async def test_one_of_two_that_wait_for_each_other_is_told(estate: Estate) -> None:
    first, second = await estate.file("aaaaa"), await estate.file("bbbbb")
    met = asyncio.Barrier(2)

    async def lock(*order: object) -> None:
        async with estate.database.app(estate.workspace) as connection:
            statements = Statements(connection, LEDGER)
            await statements.row("lock_ticket", order[0])
            await met.wait()
            await statements.row("lock_ticket", order[1])

    results = await asyncio.gather(lock(first.id, second.id), lock(second.id, first.id), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [Deadlocked]


async def test_a_cancelled_transaction_leaves_nothing_and_gives_its_connection_back(estate: Estate) -> None:
    key = InboxKey(installation=estate.installation.id, source="C1/1")
    admitted = asyncio.Event()

    async def admit_and_wait() -> None:
        async with estate.ledger.transaction(estate.workspace) as change:
            await change.admit(key)
            admitted.set()
            await asyncio.Event().wait()

    for _ in range(LIMITS.app + 3):
        waiting = asyncio.create_task(admit_and_wait())
        await admitted.wait()
        admitted.clear()
        waiting.cancel()
        await asyncio.wait([waiting])
    async with estate.ledger.transaction(estate.workspace) as change:
        assert await change.admit(key)


async def test_a_snapshot_shows_one_moment_of_one_workspace(estate: Estate, database: Database) -> None:
    other = await settle_in(database, number=2)
    await other.file("bbbbb")
    keys = "SELECT key FROM tickets"
    async with database.snapshot(estate.workspace) as connection:
        assert await connection.fetch(keys) == []
        await estate.file("aaaaa")
        assert await connection.fetch(keys) == []
    async with database.snapshot(estate.workspace) as connection:
        assert [row["key"] for row in await connection.fetch(keys)] == ["aaaaa"]


async def test_a_snapshot_changes_and_locks_nothing(estate: Estate, database: Database) -> None:
    for statement in ("DELETE FROM tickets", "SELECT FROM tickets FOR UPDATE"):
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            async with database.snapshot(estate.workspace) as connection:
                await connection.execute(statement)


async def test_a_server_that_went_away_is_used_again_when_it_is_back(own_server: Cluster) -> None:
    url = own_server.dsn(OWNER, PASSWORD, "postgres")
    await migrate(url)
    async with database(served(url), limits=LIMITS) as opened:
        estate = await settle_in(opened)
        await own_server.stop()
        with pytest.raises(DatabaseUnavailable):
            await estate.file("aaaaa")
        await own_server.start()
        await estate.file("bbbbb")


async def test_a_server_that_is_started_meanwhile_is_waited_for(own_server: Cluster) -> None:
    url = own_server.dsn(OWNER, PASSWORD, "postgres")
    await migrate(url)
    async with database(served(url), limits=PoolLimits(patience_s=20)) as opened:
        estate = await settle_in(opened)
        await own_server.stop()
        filing = asyncio.create_task(estate.file("aaaaa"))
        await own_server.start()
        assert (await filing).key == "aaaaa"


async def test_who_was_met_with_silence_is_found(estate: Estate, database: Database) -> None:
    silent = InboxKey(installation=estate.installation.id, source="C1/1")
    answered = InboxKey(installation=estate.installation.id, source="C1/2")
    async with estate.ledger.transaction(estate.workspace) as change:
        await change.admit(silent)
        await change.admit(answered)
        await change.settle(answered, "ticket")
    sweep = InboxSweep(System(database))
    assert [(found.workspace, found.key) for found in await sweep.unsettled(older_than_s=0)] == [
        (WorkspaceId(estate.workspace), silent)
    ]
    assert await sweep.unsettled() == []
