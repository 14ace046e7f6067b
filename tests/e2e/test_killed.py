"""The bot is killed at twenty moments of the demo's story and started again; the thread ends as the undisturbed one.

Each story is killed five times, whenever the terminal's journal has grown by a given number of lines since the last start,
so that the kills fall on every part of the story: the filing, each phase, each decision, the permission, the push.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bot.terminal.journal import Journal, Shown
from tests.database import short_folder

pytestmark = [pytest.mark.needs("failpoints"), pytest.mark.timeout(400)]

LONGEST_RUN_S = 120.0
LOOK_S = 0.01
KILLS: Sequence[Sequence[int]] = ((0, 1, 2, 3, 4), (5, 6, 7, 8, 9), (10, 2, 11, 1, 6), (3, 12, 4, 8, 2))
"""For each story, after how many further lines of the journal each run is killed; 0 is as soon as there is a journal."""

_CHANGING = (
    (re.compile(r"\d+m\d\ds"), "<time>"),
    (re.compile(r"\b\d\d:\d\d\b"), "<clock>"),
    (re.compile(r"viberator/[a-z0-9]{5}-"), "viberator/<key>-"),
    (re.compile(r"ticket [a-z0-9]{5}"), "ticket <key>"),
)


@dataclass(frozen=True, slots=True)
class Demo:
    """`viberator demo --yes` in one directory, again and again."""

    directory: Path

    @property
    def journal(self) -> Path:
        return self.directory / "data" / "terminal" / "demo.jsonl"

    def run(self, *, kill_after: int | None = None) -> int | None:
        """The exit code; None when the bot was killed after so many new lines of the journal."""
        before = self._lines()
        command = [sys.executable, "-m", "bot", "demo", "--yes", "--dir", str(self.directory)]
        with (self.directory.parent / f"{self.directory.name}.out").open("ab") as output:
            bot = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
            until = time.monotonic() + LONGEST_RUN_S
            while bot.poll() is None and time.monotonic() < until:
                if kill_after is not None and self.journal.exists() and self._lines() >= before + kill_after:
                    break
                time.sleep(LOOK_S)
            ended = bot.poll()
            if ended is None:
                os.kill(bot.pid, signal.SIGKILL)
                bot.wait()
        assert ended is not None or kill_after is not None, f"the story did not end:\n{self.transcript()}"
        return ended

    def thread(self) -> dict[str, tuple[str, bool, bool]]:
        """Every slot's card as it stands, without what differs from run to run: text, whether it asks, whether it is live."""
        return {card.slot: (_settled(card.text, self.directory), card.asks, card.live) for card in self._cards()}

    def posts(self) -> list[str]:
        """The slots in the order in which they were first posted, one entry a message."""
        return [card.slot for card in self._cards()]

    def branches(self) -> list[str]:
        remote = self.directory / "widgets" / "widgets.git"
        listed = subprocess.run(
            [
                "git",
                "-c",
                "safe.directory=*",
                "-C",
                str(remote),
                "rev-list",
                "--count",
                "--branches=viberator/*",
                "^main",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        return listed.stdout.split()

    def transcript(self) -> str:
        return (self.directory.parent / f"{self.directory.name}.out").read_text(errors="replace")

    def check(self) -> subprocess.CompletedProcess[str]:
        """What `viberator check` says of the database."""
        command = [sys.executable, "-m", "bot", "--data-dir", str(self.directory / "data"), "check"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def left_behind(self) -> list[str]:
        """Processes that still work in the directory."""
        return [" ".join(found) for found in _command_lines() if any(str(self.directory) in word for word in found)]

    def _cards(self) -> Sequence[Shown]:
        return Journal(self.journal).cards

    def _lines(self) -> int:
        return self.journal.read_bytes().count(b"\n") if self.journal.exists() else 0


def _settled(text: str, directory: Path) -> str:
    text = text.replace(str(directory), "<directory>")
    for changing, name in _CHANGING:
        text = changing.sub(name, text)
    return text


def _command_lines() -> Iterator[list[str]]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            yield process.cmdline()


@pytest.fixture(scope="module")
def undisturbed() -> Iterator[Demo]:
    with short_folder() as folder:
        demo = Demo(folder / "d0")
        demo.directory.mkdir()
        assert demo.run() == 0
        yield demo


@pytest.mark.parametrize("kills", KILLS, ids=lambda kills: "-".join(str(lines) for lines in kills))
def test_a_story_that_was_killed_five_times_ends_as_the_undisturbed_one(
    kills: Sequence[int], undisturbed: Demo
) -> None:
    with short_folder() as folder:
        demo = Demo(folder / "d1")
        demo.directory.mkdir()
        killed = [demo.run(kill_after=lines) for lines in kills]
        assert demo.run() == 0

        assert demo.thread() == undisturbed.thread()
        assert sorted(demo.posts()) == sorted(set(demo.posts()))
        assert demo.branches() == undisturbed.branches() == ["1"]
        assert killed == [None] * len(kills)
        checked = demo.check()
        assert checked.returncode == 0, checked.stdout
        assert demo.left_behind() == []
        shutil.rmtree(demo.directory, ignore_errors=True)
