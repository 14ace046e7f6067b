"""`viberator chat` in a pipe, with a scripted agent over real ACP on real repositories: what goes well, and what does not."""

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.programs import LIMIT_S, Ended, Program, assert_in_order

HELLO = {"say": "Hello."}
WORK: dict[str, object] = {"turns": [{"again": True, "steps": [HELLO, {"write": ["hello.txt", "hi\n"]}]}]}
EXECUTION = ("--phase", "execution")


def key_of(told: Ended) -> str:
    found = re.search(r"viberator/([2-9a-z]{5})-", told.out)
    assert found, told
    return found[1]


def chat(program: Program, agent: str, *words: str, lines: str = "Say hello\n") -> Ended:
    repository = program.folder / "work"
    if not repository.exists():
        program.repository("work")
    return program.run("chat", "--repo", "work", "--agent-command", agent, *EXECUTION, *words, lines=lines)


def assert_sentence(told: Ended, *pieces: str, code: int) -> None:
    """One sentence on standard error, for a person."""
    assert told.code == code, told
    assert told.out == ""
    assert told.err.startswith("viberator: ")
    assert "Traceback" not in told.err
    for piece in pieces:
        assert piece in told.err


# ── what goes well ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_becomes_a_branch_of_the_repository(served_program: Program) -> None:
    repository = served_program.repository("a folder/my repo")
    agent = served_program.agent(WORK)
    words = ("chat", "--repo", "a folder/my repo", "--agent-command", agent, *EXECUTION)
    told = served_program.run(*words, lines="Say hello\n")
    assert (told.code, told.err) == (0, "")
    assert_in_order(told.out, "dana     Say hello", "🛠 Say hello", "✅ @Dana Seed Branch viberator/", "is over)")
    branch = f"viberator/{key_of(told)}-say-hello"
    assert served_program.git(repository, "show", f"{branch}:hello.txt") == "hi"
    assert served_program.git(repository, "log", "-1", "--format=%an <%ae>", branch) == "Dana Seed <dana@example.org>"


def test_a_thread_is_opened_again_with_the_agents_key(served_program: Program) -> None:
    """docs/decisions/0010: the key is kept nowhere, so it is handed on again."""
    program = served_program.but(MY_KEY="a-key-of-mine")
    script = {
        "turns": [
            {"steps": [{"shell": "printf %s ${#MY_KEY} > length.txt"}, HELLO]},
        ]
    }
    agent = program.agent(script)
    first = chat(program, agent, "--agent-env", "MY_KEY")
    key = key_of(first)
    assert f"({key} is over)" in first.out

    again = program.run("chat", "--resume", key, "--agent-env", "MY_KEY", lines="And once more\n")
    assert again.code == 0
    assert_in_order(again.out, "(earlier in this thread)", "Say hello", "dana     And once more", "✅")
    lengths = [found.read_text() for found in (program.data / "sessions").glob("*/workspace/length.txt")]
    assert lengths == ["13", "13"]
    assert "a-key-of-mine" not in first.out + again.out


def test_another_agent_takes_over_a_thread_whose_agent_is_missing(served_program: Program) -> None:
    first = chat(served_program, "no-such-agent --acp")
    key = key_of(first)
    assert_in_order(first.out, "was not found", "[Retry]", f"go on with: python -m bot chat --resume {key}")

    again = served_program.run("chat", "--resume", key, "--agent-command", served_program.agent(WORK), lines="1\n")
    assert again.code == 0
    assert_in_order(again.out, "was not found", "presses [Retry]", "✅", "is over)")


def test_two_repositories_of_one_name_are_two_projects(served_program: Program) -> None:
    agent = served_program.agent(WORK)
    for folder in ("one", "two"):
        served_program.repository(f"{folder}/API")
        told = served_program.run(
            "chat", "--repo", f"{folder}/API", "--agent-command", agent, *EXECUTION, lines="Say hello\n"
        )
        assert told.code == 0, told
    listed = served_program.run("project", "list", "--json")
    found = {line["name"]: line["repository"] for line in map(json.loads, listed.out.splitlines())}
    assert found == {
        "api": str(served_program.folder / "one/API"),
        "api-2": str(served_program.folder / "two/API"),
    }


def test_the_form_of_a_new_ticket_is_filled_in_line_by_line(served_program: Program) -> None:
    lines = "/viberator Greet people\nSay hello\nA file that greets.\n\nhigh\n"
    told = chat(served_program, served_program.agent(WORK), lines=lines)
    assert told.code == 0, told
    assert_in_order(told.out, "Title: Say hello", "Description: A file that greets.", "Severity: high", "✅")


def test_an_input_that_ends_within_a_form_sends_nothing(served_program: Program) -> None:
    told = chat(served_program, served_program.agent(WORK), lines="/viberator\nSay hello\n")
    assert told.code == 0
    assert_in_order(told.out, "Title: Say hello", "(Nothing was sent.)", "(nothing was asked for)")


def test_nothing_asked_is_nothing_done(served_program: Program) -> None:
    told = chat(served_program, served_program.agent(WORK), lines="\n\n")
    assert (told.code, told.out) == (0, "bot      (nothing was asked for)\n")


# ── what is wrong at the start ──────────────────────────────────────────────────────────────────────────────────────


def test_what_is_no_repository_is_told_before_anything_starts(served_program: Program) -> None:
    (served_program.folder / "plain").mkdir()
    (served_program.folder / "empty").mkdir()
    served_program.git(served_program.folder / "empty", "init", "--quiet")
    words = ("--agent-command", "agent")
    assert_sentence(served_program.run("chat", "--repo", "nowhere", *words), "nothing at", "Check the path", code=1)
    assert_sentence(served_program.run("chat", "--repo", "plain", *words), "no git repository", code=1)
    assert_sentence(served_program.run("chat", "--repo", "empty", *words), "Push a first commit", code=1)


def test_a_branch_that_is_not_there_is_answered_with_those_that_are(served_program: Program) -> None:
    served_program.repository("work", "develop")
    told = served_program.run("chat", "--repo", "work", "--branch", "devlop", "--agent-command", "agent")
    assert_sentence(told, "no branch devlop", "Did you mean develop?", "main, develop", code=1)


def test_a_thread_that_nobody_knows_is_not_opened(served_program: Program) -> None:
    assert_sentence(served_program.run("chat", "--resume", "zzzzz"), "zzzzz", "session list", code=1)


# ── what goes wrong in the thread ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("start", "pieces"),
    [
        ({"stderr": "no key: set X", "exit": 3}, ("ended with code 3", "Safe: nothing is published", "[Retry]")),
        ({"garbage": "Welcome to agent 1.0!", "exit": 0}, ("does not speak ACP", "Welcome to agent 1.0!", "ACP mode")),
        ({"deaf": True}, ("did not answer initialize within 2 s", "start its command by hand")),
        ({"refuse": "run `agent login` first"}, ("Authentication required",)),
    ],
    ids=["exits", "no ACP", "hangs", "refuses"],
)
def test_an_agent_that_does_not_start_is_told_on_a_card(
    served_program: Program, start: dict[str, object], pieces: tuple[str, ...]
) -> None:
    program = served_program.but(VIBERATOR_LIMITS_START_S="2")
    told = chat(program, program.agent({"start": start}))
    assert (told.code, told.err) == (1, "")
    assert_in_order(told.out, "⚠️ @Dana Seed", *pieces, "has failed and is kept; go on with:")


def test_a_remote_that_refuses_the_push_keeps_the_work(served_program: Program) -> None:
    refusing = refusing_remote(served_program)
    words = ("--repo", str(refusing), "--agent-command", served_program.agent(WORK), *EXECUTION)
    told = served_program.run("chat", *words, lines="Say hello\n")
    assert told.code == 1
    assert_in_order(
        told.out, "refused the push", "no branches by robots", "Safe: 1 commit, 1 changed file", "[Retry push]"
    )

    (refusing / "hooks" / "pre-receive").unlink()
    again = served_program.run("chat", "--resume", key_of(told), lines="Retry push\n")
    assert again.code == 0, again
    assert_in_order(again.out, "presses [Retry push]", "✅", "is over)")
    assert served_program.git(refusing, "show", f"viberator/{key_of(told)}-say-hello:hello.txt") == "hi"


def refusing_remote(program: Program) -> Path:
    source, remote = program.repository("source"), program.folder / "work.git"
    program.git(program.folder, "clone", "--quiet", "--bare", str(source), str(remote))
    hook = remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'no branches by robots' >&2\nexit 1\n")
    hook.chmod(0o755)
    return remote


def test_a_full_path_with_spaces_is_an_agents_command(served_program: Program) -> None:
    launcher = served_program.folder / "bin of mine" / "my agent"
    launcher.parent.mkdir()
    launcher.write_text(f"#!/bin/sh\nexec {served_program.agent(WORK)}\n")
    launcher.chmod(0o755)
    told = chat(served_program, shlex.quote(str(launcher)))
    assert told.code == 0, told
    assert "· my agent ·" in told.out


# ── what breaks in the middle ───────────────────────────────────────────────────────────────────────────────────────

SLOW: dict[str, object] = {
    "load": True,
    "turns": [{"again": True, "steps": [HELLO, {"write": ["hello.txt", "hi\n"]}, {"sleep": 2}, {"say": "Done."}]}],
}


def at_work(program: Program, process: "subprocess.Popen[str]") -> psutil.Process:
    """The worker, once its agent has begun to write."""
    files = program.data / "sessions"
    until = time.monotonic() + LIMIT_S
    while not list(files.glob("*/workspace/hello.txt")):
        assert time.monotonic() < until, "the agent never began"
        time.sleep(0.05)
    workers = [child for child in psutil.Process(process.pid).children() if child.children()]
    assert len(workers) == 1
    return workers[0]


@contextmanager
def slow_chat(program: Program) -> Iterator["subprocess.Popen[str]"]:
    program.repository("work")
    words = ("chat", "--repo", "work", "--agent-command", program.agent(SLOW), *EXECUTION)
    with program.started(*words) as process:
        assert process.stdin is not None
        process.stdin.write("Say hello\n")
        process.stdin.flush()
        yield process


def test_a_worker_that_is_killed_is_replaced_and_the_work_goes_on(served_program: Program) -> None:
    with slow_chat(served_program) as process:
        at_work(served_program, process).kill()
        out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, err) == (0, "")
    assert out.count("✅") == 1
    assert served_program.git(served_program.folder / "work", "show", f"{branch_of(out)}:hello.txt") == "hi"


def test_a_private_database_that_is_killed_is_started_again_and_nothing_is_lost(program: Program) -> None:
    with slow_chat(program) as process:
        at_work(program, process)
        pid = program.data / "postgres" / "cluster" / "postmaster.pid"
        server = psutil.Process(int(pid.read_text().split()[0]))
        for part in (*server.children(), server):
            # A server's children come and go, and leave with it.
            with suppress(psutil.NoSuchProcess):
                part.kill()
        out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, err) == (0, "")
    assert_in_order(out, "✅", "is over)")
    checked = program.run("check")
    assert checked.code == 0, checked


def test_a_bot_that_is_killed_leaves_no_worker_and_no_agent(served_program: Program) -> None:
    with slow_chat(served_program) as process:
        worker = at_work(served_program, process)
        family = [worker, *worker.children(recursive=True)]
        process.kill()
        process.wait(LIMIT_S)
    _, alive = psutil.wait_procs(family, timeout=LIMIT_S)
    assert not alive


@pytest.fixture
def small_disk(program: Program) -> Iterator[Program]:
    """The program with its sessions on a disk of 100 MB; a database without room is the storage tests' business."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    sessions = program.data / "sessions"
    sessions.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100m,mode=0755", "none", str(sessions)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode(errors='replace').strip()}")
    yield program
    subprocess.run(["umount", "--lazy", str(sessions)], check=True)


def test_a_disk_that_fills_up_is_told_and_the_work_goes_on_once_there_is_room(small_disk: Program) -> None:
    fill = {"shell": "test -e ../filled || dd if=/dev/zero of=../filled bs=1M status=none"}
    agent = small_disk.agent({"turns": [{"again": True, "steps": [fill, {"write": ["hello.txt", "hi\n"]}, HELLO]}]})
    told = chat(small_disk, agent)
    assert (told.code, told.err) == (1, "")
    assert_in_order(told.out, "⚠️", "disk is full", "make room", "[Retry]", "has failed and is kept")

    for filled in small_disk.data.glob("sessions/*/filled"):
        filled.write_bytes(b"")
    again = small_disk.run("chat", "--resume", key_of(told), lines="1\n")
    assert again.code == 0, again
    assert_in_order(again.out, "presses [Retry]", "✅", "is over)")
    assert small_disk.run("check").code == 0


def branch_of(out: str) -> str:
    found = re.search(r"Branch (viberator/\S+) pushed", out)
    assert found, out
    return found[1]
