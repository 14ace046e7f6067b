"""Migrations go forward only, each once, and never over something they do not know."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from storage.database import lone_connection
from storage.errors import MigrationRefused
from storage.migrate import Migration, migrate, pending_migrations, read_migrations
from tests.database import PostgresServer

FIRST = Migration(number=1, name="first", sql="CREATE TABLE one (id int);")
SECOND = Migration(number=2, name="second", sql="CREATE TABLE two (id int); INSERT INTO two VALUES (1);")
BROKEN = Migration(number=2, name="broken", sql="CREATE TABLE two (id int); SELECT 1/0;")


@pytest.fixture
async def empty(postgres: PostgresServer) -> AsyncIterator[str]:
    """The address of a database without any table."""
    name = await postgres.new_database(template="template1")
    yield postgres.url(name)
    await postgres.drop_database(name)


async def test_each_is_applied_once(empty: str) -> None:
    assert await migrate(empty, [FIRST]) == [FIRST]
    assert await migrate(empty, [FIRST, SECOND]) == [SECOND]
    assert await migrate(empty, [FIRST, SECOND]) == []
    assert await tables(empty) == {"one", "two"}


async def test_pending_ones_are_told_without_applying_them(empty: str) -> None:
    assert await pending_migrations(empty, [FIRST, SECOND]) == [FIRST, SECOND]
    await migrate(empty, [FIRST])
    assert await pending_migrations(empty, [FIRST, SECOND]) == [SECOND]
    assert await tables(empty) == {"one"}


async def test_an_edited_one_is_refused(empty: str) -> None:
    await migrate(empty, [FIRST])
    with pytest.raises(MigrationRefused, match="0001_first was changed") as refused:
        await migrate(empty, [replace(FIRST, sql="CREATE TABLE other (id int);"), SECOND])
    assert "restore the file" in refused.value.advice
    assert await tables(empty) == {"one"}


async def test_a_database_newer_than_the_program_is_refused(empty: str) -> None:
    await migrate(empty, [FIRST, SECOND])
    with pytest.raises(MigrationRefused, match="newer than this program: it has migration 0002_second"):
        await migrate(empty, [FIRST])
    with pytest.raises(MigrationRefused, match="newer"):
        await pending_migrations(empty, [FIRST])


async def test_a_failing_one_leaves_nothing_of_itself(empty: str) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty, [FIRST, BROKEN])
    assert await tables(empty) == {"one"}
    assert await migrate(empty, [FIRST, SECOND]) == [SECOND]


async def test_programs_that_start_together_take_turns(empty: str) -> None:
    applied = await asyncio.gather(*(migrate(empty, [FIRST, SECOND]) for _ in range(4)))
    assert sorted(len(ours) for ours in applied) == [0, 0, 0, 2]


async def test_replicas_migrate_the_real_schema_together(empty: str) -> None:
    await asyncio.gather(*(migrate(empty) for _ in range(3)))
    assert "events" in await tables(empty)


def test_a_gap_in_the_numbers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text(FIRST.sql)
    (tmp_path / "0003_third.sql").write_text("SELECT 1;")
    with pytest.raises(MigrationRefused, match=r"0003_third\.sql is not migration 0002"):
        read_migrations(tmp_path)


def test_a_strange_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "first.sql").write_text(FIRST.sql)
    with pytest.raises(MigrationRefused, match=r"first\.sql"):
        read_migrations(tmp_path)


def test_line_ends_do_not_change_a_checksum(tmp_path: Path) -> None:
    file = tmp_path / "0001_first.sql"
    file.write_bytes(b"SELECT 1;\n")
    (unix,) = read_migrations(tmp_path)
    file.write_bytes(b"SELECT 1;\r\n")
    (other,) = read_migrations(tmp_path)
    assert unix.checksum == other.checksum


async def tables(url: str) -> set[str]:
    listed = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    async with lone_connection(url) as connection:
        return {row["relname"] for row in await connection.fetch(listed)} - {"schema_migrations"}
