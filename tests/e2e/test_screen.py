"""The terminal as a person sees it: the program in a pseudo-terminal, drawn, looked at and typed into."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.terminal.screen import SPINNER
from tests.programs import Program, assert_in_order
from tests.pseudo_terminal import CTRL_C, CTRL_D, PseudoTerminal, in_terminal

HELLO = {"say": "Hello."}
DONE: dict[str, object] = {"turns": [{"again": True, "steps": [HELLO, {"write": ["hello.txt", "hi\n"]}]}]}
STEP = {"tool": {"tool_call_id": "t1", "title": "Look around", "kind": "read", "status": "completed"}}
NEXT = {"tool": {"tool_call_id": "t2", "title": "Look again", "kind": "read", "status": "completed"}}
SLOW: dict[str, object] = {
    "load": True,
    "turns": [
        {"when": "You were interrupted", "steps": [HELLO]},
        {"steps": [STEP, {"sleep": 1.5}, NEXT, {"sleep": 120}]},
    ],
}


@contextmanager
def chatting(program: Program, script: dict[str, object], *, columns: int = 90) -> Iterator[PseudoTerminal]:
    if not (program.folder / "work").exists():
        program.repository("work")
    words = ("chat", "--repo", "work", "--agent-command", program.agent(script), "--phase", "execution")
    with in_terminal(
        program.command(*words), environment=program.environment, cwd=program.folder, columns=columns
    ) as terminal:
        terminal.wait_for("dana ❯")
        yield terminal


def assert_restored(terminal: PseudoTerminal) -> None:
    """The terminal is as a shell wants it."""
    assert terminal.echoes
    assert terminal.cursor_shown
    assert "Traceback" not in terminal.everything


def test_the_story_is_told_in_a_narrow_terminal(program: Program) -> None:
    command = program.command("demo", "--dir", "story")
    with in_terminal(command, environment=program.environment, cwd=program.folder, columns=60) as terminal:
        terminal.wait_for("[1] Approve & plan")
        terminal.wait_for("waits for you")
        terminal.wait_for("✋ Research")
        assert terminal.text.count("✋ Research") == 1
        assert "[Stop]" in terminal.text
        terminal.enter("1")
        terminal.wait_for("[1] Count it as zero")
        assert "dana presses [Approve & plan]" in terminal.everything
        terminal.enter("count it as ZERO")
        terminal.wait_for("[1] Approve & run")
        terminal.enter("2")
        terminal.wait_for("Your comment ❯")
        terminal.enter("Be brief.")
        terminal.wait_for("plan v2")
        terminal.enter("1")
        terminal.wait_for("[1] Allow once")
        terminal.enter("1")
        assert terminal.end() == 0
        told = terminal.everything
        assert_restored(terminal)
    assert_in_order(
        told, "research v1", "presses [Approve & plan]", "plan v1", "Your comment: Be brief.", "plan v2", "Allow once"
    )
    assert_in_order(told, "✗ python3 -m tests", "✓ python3 -m tests", "✅", "is over", "diff --git")
    assert max(map(len, told.splitlines())) <= 60
    assert [told.count(f"✓ {phase}") for phase in ("Research", "Planning", "Execution")] == [1, 1, 1]
    assert told.count("🛠") == 1


def test_a_card_that_changes_is_redrawn_in_its_place_beside_a_spinner(served_program: Program) -> None:
    with chatting(served_program, SLOW) as terminal:
        terminal.enter("Say hello")
        terminal.wait_for("✓ Look around")
        assert any(sign in terminal.rows[-2] + terminal.text for sign in SPINNER)
        terminal.wait_for("✓ Look again")
        assert terminal.text.count("● Execution ·") == 1
        assert terminal.text.count("🛠 Say hello") == 1
        assert "🛠" not in terminal.everything.removesuffix(terminal.text)
        assert terminal.text.count("dana Say hello") == 1


def test_ctrl_c_stops_the_agent_and_a_second_one_leaves(served_program: Program) -> None:
    with chatting(served_program, SLOW) as terminal:
        terminal.enter("Say hello")
        terminal.wait_for("✓ Look around")
        terminal.type(CTRL_C)
        terminal.wait_for("⏸ Stopped; the work is saved")
        terminal.wait_for("[1] Resume")
        assert "dana presses [Stop]" in terminal.everything
        terminal.type(CTRL_C)
        assert terminal.end() == 0
        assert "waits for you; go on with:" in terminal.everything
        assert "chat --resume" in terminal.everything
        assert_restored(terminal)


def test_ctrl_d_leaves_saves_the_work_and_says_how_to_come_back(served_program: Program) -> None:
    with chatting(served_program, SLOW) as terminal:
        terminal.enter("Say hello")
        terminal.wait_for("✓ Look around")
        terminal.type(CTRL_D)
        assert terminal.end() == 0
        told = terminal.everything
        assert_restored(terminal)
    assert_in_order(told, "saving the work", "rests until you come back")
    key = told.partition("chat --resume ")[2].split()[0]
    again = served_program.command("chat", "--resume", key)
    with in_terminal(again, environment=served_program.environment, cwd=served_program.folder) as terminal:
        terminal.wait_for("earlier in this thread")
        terminal.wait_for("✅")
        assert_in_order(terminal.everything, "Nothing to change", "✓ Done")
        terminal.type(CTRL_D)
        assert terminal.end() == 0
        assert f"{key} is over" in terminal.everything


def test_a_form_is_filled_in_and_may_be_left(served_program: Program) -> None:
    with chatting(served_program, DONE) as terminal:
        terminal.enter("/viberator")
        terminal.wait_for("Title")
        terminal.type(CTRL_D)
        terminal.wait_for("Nothing was sent.")

        terminal.enter("/viberator")
        terminal.wait_for("Title")
        for label, line in (("Title", "Say hello"), ("Description", "A file."), ("Begin with", ""), ("Severity", "9")):
            terminal.wait_for(f"{label}")
            terminal.enter(line)
        terminal.wait_for("Choose one by its number or name.")
        terminal.enter("high")
        terminal.wait_for("✅")
        assert_in_order(terminal.everything, "Title: Say hello", "Description: A file.", "Severity: high", "pushed")
        terminal.type(CTRL_D)
        assert terminal.end() == 0
        assert_restored(terminal)


def test_numbers_press_what_shows_them(served_program: Program) -> None:
    """While nothing else can be pressed the live card has the numbers; a card at rest takes them over."""
    with chatting(served_program, SLOW) as terminal:
        terminal.enter("Say hello")
        terminal.wait_for("[1] Stop")
        terminal.enter("1")
        terminal.wait_for("[1] Resume")
        terminal.wait_for("[Resume]")
        assert terminal.text.count("[1]") == 1
        terminal.enter("2")
        terminal.wait_for("Throw this work away?")
        terminal.enter("2")
        terminal.wait_for("Rejected")


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
def test_a_thread_in_which_nothing_was_asked_is_left_at_once(served_program: Program, key: str) -> None:
    with chatting(served_program, DONE) as terminal:
        terminal.type(key)
        assert terminal.end() == 0
        assert "nothing was asked for" in terminal.text
        assert_restored(terminal)
