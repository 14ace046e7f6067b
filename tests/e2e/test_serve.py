"""`viberator serve` as a process: it starts by itself, answers, ends at once, and takes what the settings declare."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import asyncpg
import psutil
import pytest

from storage.cluster import try_lock
from tests.programs import LIMIT_S, Program

ENDS_WITHIN_S = 2.0


@contextmanager
def serving(program: Program, *words: str) -> Iterator[tuple["subprocess.Popen[str]", dict[str, dict[str, object]]]]:
    """The running service, and what it logged until it served, by event."""
    with program.but(VIBERATOR_WEB_PORT="0").started("serve", *words) as process:
        assert process.stderr is not None
        told: dict[str, dict[str, object]] = {}
        for line in process.stderr:
            event = json.loads(line)
            told[event["event"]] = event
            if event["event"] == "serving":
                break
        assert "serving" in told
        yield process, told


def test_it_starts_on_an_empty_folder_answers_and_ends_when_it_is_told_to(program: Program) -> None:
    with serving(program) as (process, told):
        with urlopen(f"http://127.0.0.1:{told['web.listening']['port']}/healthz", timeout=5) as answer:
            assert (answer.status, json.load(answer)) == (200, {"status": "ok"})
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive
    assert_no_server(program)


def test_it_ends_in_a_moment_where_no_database_has_to_be_stopped(served_program: Program) -> None:
    with serving(served_program) as (process, _):
        asked_at = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == 0
        assert time.monotonic() - asked_at < ENDS_WITHIN_S


def test_a_killed_one_leaves_a_database_that_the_next_one_takes_over(program: Program) -> None:
    with serving(program) as (process, _):
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait(LIMIT_S)
    _, alive = psutil.wait_procs(family, timeout=LIMIT_S)
    assert not alive
    server = program.data / "postgres" / "cluster" / "postmaster.pid"
    left = server.read_text().split()[0]
    with serving(program) as (process, _):
        assert server.read_text().split()[0] == left
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == 0
    assert_no_server(program)


def test_two_of_them_are_told_apart(served_program: Program) -> None:
    with serving(served_program) as (_, first), serving(served_program) as (_, second):
        assert first["serving"]["owner"] != second["serving"]["owner"]
        assert second["serving"]["engine"] == f"{first['serving']['engine']}#2"
        assert first["callback.listening"]["socket"] != second["callback.listening"]["socket"]
    with serving(served_program) as (_, third):
        assert third["serving"]["engine"] == first["serving"]["engine"]
        assert third["serving"]["owner"] != first["serving"]["owner"]


@pytest.mark.parametrize(
    ("parts", "listens"), [("web", {"web.listening"}), ("supervisor, worker-api", {"callback.listening"})]
)
def test_it_runs_the_parts_it_is_told_to(served_program: Program, parts: str, listens: set[str]) -> None:
    with serving(served_program, "--only", parts) as (_, told):
        assert {event for event in told if event.endswith(".listening")} == listens
        assert told["serving"]["parts"] == sorted(part.strip() for part in parts.split(","))


def test_a_port_that_is_taken_is_told_in_a_sentence(served_program: Program) -> None:
    with serving(served_program, "--only", "web") as (_, told):
        port = str(told["web.listening"]["port"])
        second = served_program.but(VIBERATOR_WEB_PORT=port).run("serve", "--only", "web")
    assert second.code == 1
    assert second.err.splitlines()[-1].startswith(f"viberator: the web page cannot listen on 127.0.0.1:{port}: ")


async def test_declared_projects_and_their_channels_follow_the_settings(
    served_program: Program, database_url: str
) -> None:
    program, repository = served_program, served_program.repository("work")
    connection = await asyncpg.connect(database_url)
    try:
        with serving(program, "--only", "delivery"):
            pass
        await connection.execute(
            "INSERT INTO installations (id, workspace_id, platform, external_id, outlet) "
            "SELECT gen_random_uuid(), id, 'slack', 'T1', 'slack:T1' FROM workspaces"
        )
        assert await bound_after(program, connection, repository, '["slack:C1", "slack:C2", "discord:9"]') == {
            "C1",
            "C2",
        }
        assert await bound_after(program, connection, repository, '["slack:C2"]') == {"C2"}
    finally:
        await connection.close()


async def bound_after(
    program: Program, connection: "asyncpg.Connection[asyncpg.Record]", repository: object, channels: str
) -> set[str]:
    """The channels that stand for the project after a start with these settings."""
    (program.folder / "viberator.toml").write_text(
        '[[agents]]\nname = "claude"\ncommand = ["claude"]\n'
        f'[[projects]]\nname = "work"\nrepository = "{repository}"\nagent = "claude"\nchannels = {channels}\n'
    )
    with serving(program, "--only", "delivery"):
        rows = await connection.fetch(
            "SELECT b.channel FROM channel_bindings b JOIN projects p ON p.id = b.project_id WHERE p.name = 'work'"
        )
    return {row["channel"] for row in rows}


def assert_no_server(program: Program) -> None:
    with (program.data / "postgres" / "server.lock").open("ab") as lock:
        assert try_lock(lock.fileno())
