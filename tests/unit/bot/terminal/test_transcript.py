"""A transcript tells the story in the order in which it went, whatever order the cards came in."""

import os
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from bot.terminal.journal import Shown
from bot.terminal.lines import Lines
from bot.terminal.transcript import Transcript
from conversations.actions import Action, Verb
from conversations.messages import Choice, Field, Form, Message, Tone

MESSAGE = Message(tone=Tone.QUIET, parts=())
FORM = Form(
    title="What is to be done?",
    action=Action(verb=Verb.FILE),
    fields=(
        Field(name="title", label="Title"),
        Field(name="size", label="Size", value="s", choices=(Choice(value="s", label="Small"),)),
    ),
)


def card(slot: str, line: str, *, live: bool = False) -> Shown:
    return Shown(id=slot, slot=slot, nonce="", line=line, text=line, buttons=(), asks=False, live=live)


ROOT = card("root", "🛠 Fix it", live=True)
PROGRESS = card("progress/1", "● Research · 0m01s", live=True)
APPROVAL = card("approval/1", "✋ research v1 [Approve]")


class Told:
    """A transcript with these lines piped in, and what it has told so far."""

    def __init__(self, text: str = "") -> None:
        reading, writing = os.pipe()
        os.write(writing, text.encode())
        os.close(writing)
        self._reading = reading
        self._sink = StringIO()
        self.transcript = Transcript(person="dana", source=Lines(reading), sink=self._sink)

    @property
    def lines(self) -> list[str]:
        return [" ".join(line.split()) for line in self._sink.getvalue().splitlines()]

    def show(self, *cards: Shown, first: bool = False) -> None:
        for one in cards:
            self.transcript.card(one, MESSAGE, first=first)

    def close(self) -> None:
        os.close(self._reading)


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.close()


def test_the_root_card_is_told_as_it_is_posted_and_once(told: Told) -> None:
    told.show(ROOT, first=True)
    told.show(replace(ROOT, line="🛠 Fix it · branch"))
    assert told.lines == ["bot 🛠 Fix it"]


def test_what_was_done_is_told_before_what_is_asked(told: Told) -> None:
    told.show(PROGRESS, first=True)
    told.show(APPROVAL, first=True)
    told.show(replace(PROGRESS, line="✋ Research · 0m02s · ✓ Read a.py"))
    assert told.lines == []
    told.transcript.pressed("Approve")
    assert told.lines == [
        "bot ✋ Research · 0m02s · ✓ Read a.py",
        "bot ✋ research v1 [Approve]",
        "dana presses [Approve]",
    ]


def test_progress_is_told_again_only_when_more_was_done(told: Told) -> None:
    told.show(replace(PROGRESS, line="✋ Research · 0m02s"))
    told.transcript.said("go on")
    told.show(replace(PROGRESS, line="● Research · 0m02s"), replace(PROGRESS, line="✓ Research · 0m02s", live=False))
    told.transcript.close()
    told.show(replace(PROGRESS, line="✓ Research · 0m03s · ✓ Read a.py", live=False))
    told.transcript.close()
    assert told.lines == ["bot ✋ Research · 0m02s", "dana go on", "bot ✓ Research · 0m03s · ✓ Read a.py"]


def test_a_card_that_says_what_the_person_did_is_not_told_again(told: Told) -> None:
    told.show(APPROVAL, first=True)
    told.transcript.pressed("Approve")
    told.show(replace(APPROVAL, line="✋ research v1 · Approved by @dana"))
    told.transcript.close()
    assert told.lines == ["bot ✋ research v1 [Approve]", "dana presses [Approve]"]


def test_what_nobody_was_asked_about_is_told_when_the_next_session_begins(told: Told) -> None:
    told.show(PROGRESS, first=True)
    told.show(replace(PROGRESS, line="✓ Research · 0m02s", live=False))
    told.show(replace(PROGRESS, id="progress/2", slot="progress/2"), first=True)
    assert told.lines == ["bot ✓ Research · 0m02s"]


def test_a_thread_is_shown_again_and_not_told_twice(told: Told) -> None:
    told.transcript.restored([ROOT, PROGRESS, APPROVAL])
    told.show(APPROVAL, replace(PROGRESS, line="⏸ Research · 0m01s", live=False))
    told.transcript.close()
    assert told.lines == [
        "bot (earlier in this thread)",
        "bot 🛠 Fix it",
        "bot ● Research · 0m01s",
        "bot ✋ research v1 [Approve]",
    ]


async def test_a_form_takes_a_line_a_field() -> None:
    told = Told("Fix it\n\n")
    assert await told.transcript.fill(FORM) == {"title": "Fix it", "size": "s"}
    assert told.lines == ["dana Title: Fix it", "dana Size: s"]
    told.close()


async def test_a_form_that_is_not_filled_in_is_not_sent() -> None:
    told, wrong = Told("Fix it\n"), Told("Fix it\nhuge\n")
    assert await told.transcript.fill(FORM) is None
    assert await wrong.transcript.fill(FORM) is None
    assert wrong.lines[-1] == "bot (Size: “huge” is not one of Small)"
    told.close()
    wrong.close()


async def test_lines_are_read_from_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "story.txt"
    file.write_bytes("eins\r\n\nzw\u00f6lf".encode())
    with file.open("rb") as opened:
        lines = Lines(opened.fileno())
        assert [await lines.next() for _ in range(4)] == ["eins", "", "zwölf", None]


async def test_an_input_that_was_closed_before_the_start_has_no_lines() -> None:
    assert await Lines(None).next() is None
