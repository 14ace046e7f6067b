"""`viberator demo` as a newcomer runs it: real processes, a private PostgreSQL, the scripted agent over real ACP."""

import difflib
import json
import signal
import subprocess
import time
from pathlib import Path

import psutil

from storage.cluster import try_lock
from tests.programs import LIMIT_S, Program, assert_in_order, normalised

TRANSCRIPTS = Path(__file__).parents[1] / "transcripts"
RED, GREEN = "✗ python3 -m tests: 4 tests: 3 passed, 1 failed", "✓ python3 -m tests: 4 tests: 4 passed, 0 failed"


def test_the_story_is_told_as_it_was_written_down_and_has_happened(program: Program) -> None:
    told = program.run("demo", "--yes", "--dir", "story")
    assert (told.code, told.err) == (0, "")
    wanted = (TRANSCRIPTS / "demo.txt").read_text(encoding="utf-8")
    assert_same(normalised(told.out, program.folder), wanted)
    assert told.out.index(RED) < told.out.index(GREEN)

    remote = program.folder / "story" / "widgets" / "widgets.git"
    branch = git(remote, "branch", "--list", "viberator/*", "--format=%(refname:short)")
    assert git(remote, "log", "-1", "--format=%an <%ae>", branch) == "Dana Seed <dana@example.org>"
    assert run_tests(remote, "main", program.folder / "before").returncode != 0
    assert run_tests(remote, branch, program.folder / "after").returncode == 0
    assert_nothing_runs(program.folder / "story" / "data")


def test_a_person_decides_through_a_pipe_by_numbers_labels_and_words(program: Program) -> None:
    lines = ("2", "Please name the commit.", "Approve & plan", "other…", "Refuse it: raise an error", "approve", "3")
    told = program.run("demo", "--dir", "story", lines="\n".join(lines))
    assert (told.code, told.err) == (0, "")
    assert_in_order(
        told.out,
        "research v1",
        "dana     presses [Request changes]",
        "dana     Your comment: Please name the commit.",
        "research v2",
        "dana     presses [Approve & plan]",
        "The agent asks",
        "dana     presses [Other…]",
        "dana     Answer: Refuse it: raise an error",
        "plan v1",
        "dana     approve",
        "may the agent do this?",
        "dana     presses [Reject]",
        "I have not run the tests",
        "is over)",
    )
    assert "+        raise ValueError" in told.out


def test_a_rejected_document_ends_the_story_without_a_branch(program: Program) -> None:
    told = program.run("demo", "--dir", "story", lines="reject\n")
    assert told.code == 0
    assert_in_order(told.out, "presses [Reject]", "is over)")
    assert git(program.folder / "story" / "widgets" / "widgets.git", "branch", "--list", "viberator/*") == ""


def test_a_story_that_is_left_waits_and_goes_on_later(program: Program) -> None:
    first = program.run("demo", "--dir", "a story", lines="1\n")
    assert first.code == 0
    assert_in_order(
        first.out, "The agent asks", "waits for you; go on with: ", f"demo --dir '{program.folder}/a story'"
    )

    second = program.run("demo", "--dir", "a story", lines="1\n1\n")
    assert second.code == 0
    assert_in_order(second.out, "(earlier in this thread)", "The agent asks", "presses [Count it as zero]", "plan v1")
    assert_in_order(second.out, "may the agent do this?", "waits for you")
    assert second.out.count("research v1") == 1

    last = program.run("demo", "--yes", "--dir", "a story")
    assert last.code == 0
    assert_in_order(last.out, "presses [Allow once]", "✅", "is over)")
    assert_nothing_runs(program.folder / "a story" / "data")


def test_a_story_that_is_open_elsewhere_is_left_alone(program: Program) -> None:
    with program.started("demo", "--dir", "story") as first:
        read_until(first, "research v1")
        second = program.run("demo", "--dir", "story", lines="1\n")
        assert second.code == 1
        assert "open in another terminal" in second.err


def test_a_bot_that_is_told_to_end_leaves_nothing_behind_and_goes_on(program: Program) -> None:
    with program.started("demo", "--yes", "--dir", "story") as bot:
        read_until(bot, "presses [Approve & run]")
        family = psutil.Process(bot.pid).children(recursive=True)
        assert family
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(LIMIT_S) == 0
    _, alive = psutil.wait_procs(family, timeout=LIMIT_S)
    assert not alive

    again = program.run("demo", "--yes", "--dir", "story")
    assert (again.code, again.err) == (0, "")
    assert again.out.count("✅") == 1
    assert RED in again.out
    assert_every_card_once(program.folder / "story" / "data")
    assert_nothing_runs(program.folder / "story" / "data")


def test_an_input_that_never_comes_does_not_keep_the_bot_from_ending(program: Program) -> None:
    with program.started("demo", "--dir", "story") as bot:
        read_until(bot, "research v1")
        began = time.monotonic()
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(LIMIT_S) == 0
        assert time.monotonic() - began < 10


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(program: Program) -> None:
    (program.folder / "file").write_text("")
    told = program.run("demo", "--yes", "--dir", "file/below")
    assert told.code == 1
    assert told.err.startswith("viberator: ")
    assert "choose a directory" in told.err
    assert "Traceback" not in told.err


# ── the parts of these tests ────────────────────────────────────────────────────────────────────────────────────────


def assert_same(told: str, wanted: str) -> None:
    assert told == wanted, "\n" + "\n".join(difflib.unified_diff(wanted.splitlines(), told.splitlines(), lineterm=""))


def assert_every_card_once(data: Path) -> None:
    """A card that was posted twice would stand in the journal by two ids."""
    (journal,) = (data / "terminal").glob("*.jsonl")
    records = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines() if line.strip()]
    ids: dict[str, set[str]] = {}
    for record in records:
        if record["op"] == "card":
            ids.setdefault(record["slot"], set()).add(record["id"])
    assert all(len(found) == 1 for found in ids.values()), ids


def assert_nothing_runs(data: Path) -> None:
    """No server over this directory, and no process that works below it."""
    with (data / "postgres" / "server.lock").open("ab") as lock:
        assert try_lock(lock.fileno())
    for process in psutil.process_iter(["cwd"]):
        assert not str(process.info["cwd"] or "").startswith(str(data.parent)), process


def read_until(process: "subprocess.Popen[str]", text: str) -> None:
    """Read the program's output up to the line that holds the text."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"{text!r} never came")


def git(repository: Path, *words: str) -> str:
    command = ["git", "-c", "safe.directory=*", "-C", str(repository), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def run_tests(remote: Path, branch: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    git(remote, "worktree", "add", "--detach", str(folder), branch)
    return subprocess.run(["python3", "-B", "-m", "tests"], cwd=folder, capture_output=True, text=True, check=False)
