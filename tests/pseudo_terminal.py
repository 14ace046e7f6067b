"""A program in a terminal that a test looks at and types into: a pseudo-terminal, drawn by pyte."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyte

CTRL_C, CTRL_D, ENTER, ESCAPE = "\x03", "\x04", "\r", "\x1b"
SCROLLBACK = 2_000
LOOK_S = 0.05


class NotSeen(AssertionError):
    """What was waited for did not appear; the message is what the terminal showed."""


class _Screen(pyte.HistoryScreen):
    """Answers what a program asks its terminal, as terminals do: where the cursor is."""

    def __init__(self, columns: int, rows: int, answer: Callable[[bytes], None]) -> None:
        super().__init__(columns, rows, history=SCROLLBACK, ratio=0.5)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data.encode())


class PseudoTerminal:
    """A running program and its screen. Nothing is read but while a method waits."""

    def __init__(self, process: "subprocess.Popen[bytes]", handle: int, *, columns: int, rows: int) -> None:
        self.process = process
        self._handle = handle
        self._screen = _Screen(columns, rows, self._write)
        self._stream: Any = pyte.ByteStream(self._screen)
        self.seen = b""

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def rows(self) -> list[str]:
        """What is on the screen, without the blanks at the ends of lines and below."""
        return _trimmed([row.rstrip() for row in self._screen.display])

    @property
    def text(self) -> str:
        return "\n".join(self.rows)

    @property
    def everything(self) -> str:
        """What has scrolled away, then the screen."""
        columns = range(self._screen.columns)
        gone = ["".join(line[column].data for column in columns).rstrip() for line in self._screen.history.top]
        return "\n".join([*gone, *self.rows])

    @property
    def cursor_shown(self) -> bool:
        return not self._screen.cursor.hidden

    @property
    def echoes(self) -> bool:
        """Whether the terminal is in the state that a shell expects: echo and line editing on."""
        flags = termios.tcgetattr(self._handle)[3]
        return bool(flags & termios.ECHO) and bool(flags & termios.ICANON)

    # ── waiting ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def wait(self, holds: Callable[["PseudoTerminal"], bool], *, within_s: float = 30.0) -> None:
        until = time.monotonic() + within_s
        while not holds(self):
            if time.monotonic() > until:
                raise NotSeen(f"\n{self.everything}")
            self._read()
        # What belongs to the same drawing comes in the same moment.
        self._read()

    def wait_for(self, text: str, *, within_s: float = 30.0) -> None:
        """Until the screen shows the text."""
        self.wait(lambda terminal: text in terminal.text, within_s=within_s)

    def end(self, *, within_s: float = 30.0) -> int:
        """Wait for the program's end; its exit code."""
        until = time.monotonic() + within_s
        while self.process.poll() is None:
            if time.monotonic() > until:
                raise NotSeen(f"still running\n{self.everything}")
            self._read()
        while self._read():
            pass
        return self.process.returncode

    # ── typing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def type(self, text: str) -> None:
        self._write(text.encode())

    def enter(self, line: str) -> None:
        self.type(f"{line}{ENTER}")

    def _write(self, data: bytes) -> None:
        os.write(self._handle, data)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._handle], [], [], LOOK_S)
        if not ready:
            return False
        try:
            data = os.read(self._handle, 65536)
        except OSError:
            # The program has closed its side.
            return False
        self.seen += data
        self._stream.feed(data)
        return bool(data)


@contextmanager
def in_terminal(
    command: Sequence[str], *, environment: Mapping[str, str], cwd: Path, columns: int = 100, rows: int = 40
) -> Iterator[PseudoTerminal]:
    """The program in a terminal of that size, ended with the block if it has not ended by itself."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=cwd,
        env={**environment, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(theirs)
    terminal = PseudoTerminal(process, ours, columns=columns, rows=rows)
    try:
        yield terminal
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            terminal.end()
        os.close(ours)


def _trimmed(rows: list[str]) -> list[str]:
    while rows and not rows[-1]:
        rows.pop()
    return rows
