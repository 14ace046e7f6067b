"""The schema: what the migrations make, and every statement that runs on it."""

import re
from pathlib import Path

import asyncpg
import pytest

from storage import queries
from storage.database import lone_connection
from storage.queries import load
from storage.schema import FILE, describe
from tests.database import TEMPLATE, PostgresServer

FILES = sorted(file.stem for file in queries.FOLDER.glob("*.sql"))
SOURCES = sorted(Path(queries.FOLDER).parent.glob("*.py"))


async def test_committed_schema_is_what_the_migrations_make(postgres: PostgresServer) -> None:
    async with lone_connection(postgres.url(TEMPLATE)) as connection:
        assert FILE.read_text(encoding="utf-8") == await describe(connection)


@pytest.mark.needs("pg15")
async def test_schema_is_the_same_on_the_oldest_postgres(postgres15: PostgresServer) -> None:
    async with lone_connection(postgres15.url(TEMPLATE)) as connection:
        assert FILE.read_text(encoding="utf-8") == await describe(connection)


@pytest.mark.parametrize("name", FILES)
async def test_statements_are_valid_on_the_migrated_schema(postgres: PostgresServer, name: str) -> None:
    await prepare_all(postgres, name)


@pytest.mark.needs("pg15")
@pytest.mark.parametrize("name", FILES)
async def test_statements_are_valid_on_the_oldest_postgres(postgres15: PostgresServer, name: str) -> None:
    await prepare_all(postgres15, name)


@pytest.mark.parametrize("name", FILES)
def test_no_statement_is_left_unused(name: str) -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in SOURCES)
    assert [statement for statement in load(name) if f'"{statement}"' not in code] == []


async def test_every_tenant_table_forces_row_security(postgres: PostgresServer) -> None:
    shared = {"leases", "schema_migrations"}
    async with lone_connection(postgres.url(TEMPLATE)) as connection:
        rows = await connection.fetch(
            "SELECT relname, relrowsecurity AND relforcerowsecurity AS forced FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
    assert {row["relname"] for row in rows if not row["forced"]} == shared


async def test_checks_are_named_for_what_they_forbid(postgres: PostgresServer) -> None:
    """Ours, unlike those that PostgreSQL names, do not end in what they are."""
    ours = "SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
    async with lone_connection(postgres.url(TEMPLATE)) as connection:
        names = [row["conname"] for row in await connection.fetch(ours)]
    assert names
    assert [name for name in names if re.search(r"_check\d*$", name)] == []


async def prepare_all(server: PostgresServer, name: str) -> None:
    statements = load(name)
    connection = await asyncpg.connect(server.url(TEMPLATE))
    try:
        for statement in statements:
            await connection.prepare(statements[statement])
    finally:
        await connection.close()
