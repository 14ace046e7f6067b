"""The commands of administration, as processes: what they print for people and for scripts, and how they end."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.database import PostgresServer
from tests.programs import LIMIT_S, Program, assert_in_order, own_folder

WORK: dict[str, object] = {"turns": [{"again": True, "steps": [{"say": "Hello."}, {"write": ["hello.txt", "hi\n"]}]}]}


@pytest.fixture(scope="module")
def told(postgres: PostgresServer) -> Iterator[tuple[Program, str]]:
    """A ticket that was done in a terminal: the program, and the ticket's key."""
    database = asyncio.run(postgres.new_database())
    with own_folder() as folder:
        program = Program(folder=folder, extra={"DATABASE_URL": postgres.url(database)})
        program.repository("work")
        words = ("chat", "--repo", "work", "--agent-command", program.agent(WORK), "--phase", "execution")
        found = re.search(r"viberator/([2-9a-z]{5})-", program.run(*words, lines="Say hello\n").out)
        assert found
        yield program, found[1]
    asyncio.run(postgres.drop_database(database))


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sessions_are_listed_and_shown(told: tuple[Program, str]) -> None:
    program, key = told
    assert program.run("session", "list").out == "no sessions; --all shows ended ones too\n"
    listed = program.run("session", "list", "--all")
    assert_in_order(listed.out, "KEY", f"{key}.1", "done", "execution", "work", "Say hello")
    line, *_ = json_lines(program.run("session", "list", "--all", "--json").out)
    (shown,) = json_lines(program.run("session", "show", f"{key}.1", "--json").out)
    assert line == shown
    assert (line["key"], line["state"], line["phase"], line["project"]) == (f"{key}.1", "done", "execution", "work")


def test_a_log_tells_a_ticket_event_by_event(told: tuple[Program, str]) -> None:
    program, key = told
    log = program.run("session", "log", key)
    assert_in_order(log.out, "ticket_filed", "session_opened", "launch_started", "published", "worker_ended")
    events = json_lines(program.run("session", "log", key, "--json").out)
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["kind"] == "ticket_filed"


def test_a_log_that_is_followed_tells_what_comes(told: tuple[Program, str]) -> None:
    program, key = told
    with program.started("session", "log", key, "--follow", "--json") as follower:
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["position"] == 1
        more = program.run("chat", "--resume", key, lines="And once more\n")
        assert more.code == 0, more
        assert any(json.loads(line)["session"] == 2 for line in follower.stdout)
        follower.terminate()
        assert follower.wait(LIMIT_S) == 0


@pytest.mark.parametrize("verb", ["show", "log"])
def test_a_session_that_is_not_there_is_told_in_a_sentence(told: tuple[Program, str], verb: str) -> None:
    ended = told[0].run("session", verb, "zzzzz")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "viberator: there is no session zzzzz; `viberator session list --all` shows those there are\n"


@pytest.mark.parametrize("words", [("--help",), ("session", "list", "--all"), ("demo", "--yes", "--dir", "unread")])
def test_a_reader_that_has_left_hears_no_complaint(told: tuple[Program, str], words: tuple[str, ...]) -> None:
    program, _ = told
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        program.command(*words),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        cwd=program.folder,
        env=program.environment,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


# ── projects ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_project_is_added_listed_and_shown(served_program: Program) -> None:
    program = served_program
    assert program.run("project", "list").out.startswith("no projects; add one:")
    repository = program.repository("a folder/work", "develop")
    added = program.run(
        "project", "add", "api", "a folder/work", "--branch", "develop", "--agent-command", "agent --acp",
        "--test-command", "make test", "--deciders", "slack:U1, slack:U2",
    )  # fmt: skip
    assert (added.code, added.err) == (0, "")
    assert added.out == f"api: {repository} @ develop, agent\n"
    assert_in_order(program.run("project", "list").out, "api", str(repository), "@ develop", "agent")
    (listed,) = json_lines(program.run("project", "list", "--json").out)
    (shown,) = json_lines(program.run("project", "show", "api", "--json").out)
    assert listed == shown
    assert (shown["command"], shown["test_command"]) == (["agent", "--acp"], "make test")
    assert shown["deciders"] == ["slack:U1", "slack:U2"]


def test_a_project_that_cannot_be_is_refused(served_program: Program) -> None:
    served_program.repository("work")
    cases = (
        (("Bad Name", "work", "--agent-command", "agent"), 2, "small letters"),
        (("api", "work"), 2, "say which agent"),
        (("api", "work", "--agent", "claude"), 2, "no such agent"),
        (("api", "nowhere", "--agent-command", "agent"), 1, "nothing at"),
        (("api", "work", "--branch", "mian", "--agent-command", "agent"), 1, "Did you mean main?"),
    )
    for words, code, piece in cases:
        told = served_program.run("project", "add", *words)
        assert (told.code, told.out) == (code, ""), told
        assert piece in told.err
    unknown = served_program.run("project", "show", "api")
    assert (unknown.code, unknown.err) == (1, "viberator: there is no project api; there are: none\n")


def test_a_declared_project_is_changed_in_the_settings_only(served_program: Program) -> None:
    program, repository = served_program, served_program.repository("work")
    declare(program, f'name = "work"\nrepository = "{repository}"\nagent = "claude"')
    with program.started("serve", "--only", "delivery") as serving:
        assert serving.stderr is not None
        for line in serving.stderr:
            if '"serving"' in line:
                break
    told = program.run("project", "add", "work", "work", "--agent-command", "agent")
    assert (told.code, told.err) == (1, "viberator: work is declared in the settings; change it there\n")


# ── database, settings, health ──────────────────────────────────────────────────────────────────────────────────────


def test_a_schema_is_brought_up_to_date_once(program: Program) -> None:
    first, again = program.run("migrate"), program.run("migrate")
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines()[0] == "applied 0001_initial"
    assert (again.code, again.out) == (0, "nothing to apply; the schema is up to date\n")


def test_the_doctor_finds_what_is_missing_and_how_to_get_it(served_program: Program) -> None:
    declare(served_program)
    told = served_program.run("doctor")
    assert told.code == 1
    assert_in_order(
        told.out, "✓ git", "✓ database", "– projects", "→ viberator project add", "✗ agent claude", "→ install"
    )
    findings = {found["what"]: found for found in json_lines(served_program.run("doctor", "--json").out)}
    assert findings["agent claude"]["ok"] is False
    assert findings["database"]["ok"] is True


def test_a_doctor_finds_its_way_around_a_broken_data_directory(program: Program) -> None:
    program.data.write_text("a file where the directory should be")
    told = program.run("doctor")
    assert told.code == 1
    assert_in_order(told.out, "✗ data directory", "→ make", "✗ database", "→ ")
    assert "Traceback" not in told.out + told.err


@pytest.mark.parametrize("words", [("session", "list"), ("serve",)])
def test_without_its_database_every_command_ends_in_a_sentence(program: Program, words: tuple[str, ...]) -> None:
    told = program.but(DATABASE_URL="postgresql://nobody@127.0.0.1:1/none").run(*words)
    assert (told.code, told.out) == (1, "")
    assert told.err.splitlines()[-1].startswith("viberator: the database cannot be reached:")
    assert "Traceback" not in told.err


def test_a_data_directory_that_cannot_be_used_is_told_in_a_sentence(program: Program) -> None:
    program.data.write_text("a file where the directory should be")
    told = program.run("session", "list")
    assert (told.code, told.out) == (1, "")
    assert_in_order(told.err, "viberator: ", "cannot be written", "--data-dir")


def test_settings_that_nobody_knows_are_refused_with_the_nearest_right_ones(program: Program) -> None:
    (program.folder / "viberator.toml").write_text("[web]\nprot = 8080\n")
    told = program.but(VIBERATOR_WEB_PROT="1").run("session", "list")
    assert (told.code, told.out) == (2, "")
    assert "[web] has no key prot; did you mean port?" in told.err
    assert "VIBERATOR_WEB_PROT" in told.err


# ── the parts of these tests ────────────────────────────────────────────────────────────────────────────────────────


def json_lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def declare(program: Program, project: str = "") -> Path:
    """Settings with an agent that is not installed, and a project if there is one."""
    file = program.folder / "viberator.toml"
    projects = f"[[projects]]\n{project}\n" if project else ""
    file.write_text(f'[[agents]]\nname = "claude"\ncommand = ["no-such-claude"]\n{projects}')
    return file
