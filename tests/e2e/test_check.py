"""`viberator check` on the database of a bot that has worked."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from sessions.events import AgentSaid
from sessions.models import Verdict
from storage.database import Database, lone_connection
from tests.bureau import opened

LONGEST_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    exit_code: int
    output: str
    errors: str


async def check(database_url: str, folder: Path, *options: str) -> Ran:
    """The command as an operator calls it."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "--data-dir",
        str(folder / "data"),
        "check",
        *options,
        cwd=folder,
        env={"DATABASE_URL": database_url, "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "utf-8"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(child.communicate(), LONGEST_S)
    assert child.returncode is not None
    return Ran(exit_code=child.returncode, output=output.decode(), errors=errors.decode())


@pytest.fixture
async def keys(database: Database) -> list[str]:
    """Two tickets: one whose findings were approved, one that an agent works at."""
    async with opened(database) as bureau:
        first = await bureau.at_work()
        await bureau.decide(await bureau.document(first), Verdict.APPROVE)
        second = await bureau.file()
        await bureau.report(await bureau.claim(), AgentSaid(message="m1", text="Looking."))
        return [first.ticket.key, second.key]


async def test_a_sound_database_is_said_to_be_so(keys: list[str], database_url: str, tmp_path: Path) -> None:
    ran = await check(database_url, tmp_path)
    assert (ran.exit_code, ran.output, ran.errors) == (0, "checked 2 tickets; all is as it must be\n", "")


async def test_what_is_broken_is_listed_and_fails_the_command(
    keys: list[str], database_url: str, tmp_path: Path
) -> None:
    async with lone_connection(database_url) as connection:
        await connection.execute("UPDATE sessions SET losses = 2 WHERE state = 'done'")
        await connection.execute("UPDATE threads SET wanted_at = now() - interval '2 minutes'")
    ran = await check(database_url, tmp_path)
    assert ran.exit_code == 1
    assert f"✗ I9  {keys[0]}.1 is done after 2 losses, but by its history done\n" in ran.output
    assert [line[:11] for line in ran.output.splitlines() if "a thread that was told 0" in line] == [
        f"✗ I7  {key}" for key in keys
    ]
    assert ran.output.endswith("checked 2 tickets: 3 violations\n")


async def test_a_script_reads_what_is_broken(keys: list[str], database_url: str, tmp_path: Path) -> None:
    async with lone_connection(database_url) as connection:
        await connection.execute(
            "DELETE FROM events WHERE position = 2 AND ticket_id = (SELECT min(id::text)::uuid FROM tickets)"
        )
    ran = await check(database_url, tmp_path, "--json")
    *violations, summary = [json.loads(line) for line in ran.output.splitlines()]
    assert ran.exit_code == 1
    assert {violation["invariant"] for violation in violations} == {"I9"}
    assert summary == {"tickets": 2, "violations": len(violations)}


async def test_a_database_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    ran = await check(f"postgresql://u:p@/db?host={tmp_path}", tmp_path)
    assert ran.exit_code == 1
    assert ran.output == ""
    assert ran.errors.startswith("viberator: the database cannot be reached")
