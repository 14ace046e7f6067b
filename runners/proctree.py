"""Processes as /proc tells them: who descends from whom, who carries a mark, and how a whole tree is ended.

Linux only; elsewhere the questions have empty answers and only the process group is ended. A mark is a `NAME=value` in
the environment a process was started with: it finds those who left their group, their session and their parent.
"""

import asyncio
import ctypes
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36

_PROC = Path("/proc")
_libc = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Process:
    """A process that cannot be mistaken for a later one with the same number: `started` is in clock ticks since boot."""

    pid: int
    parent: int
    group: int
    started: int
    zombie: bool = False


def prctl(option: int, value: int) -> bool:
    """Set a property of this process (prctl(2)); False where the system has no such call."""
    call = getattr(_libc, "prctl", None)
    return call is not None and call(option, value, 0, 0, 0) == 0


def find(pid: int) -> Process | None:
    """The process of that number, living or zombie."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name stands in brackets and may hold spaces and brackets of its own (proc(5)).
    fields = stat[stat.rindex(")") + 2 :].split()
    return Process(
        pid=pid, parent=int(fields[1]), group=int(fields[2]), started=int(fields[19]), zombie=fields[0] in "ZX"
    )


def everyone() -> tuple[Process, ...]:
    """All processes that this one may see."""
    if not _PROC.is_dir():
        return ()
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return tuple(process for pid in pids if (process := find(pid)) is not None)


def descendants(pid: int) -> tuple[Process, ...]:
    """Children of the process, their children and so on, zombies too, without the process itself."""
    children: dict[int, list[Process]] = {}
    for process in everyone():
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    queue = [pid]
    while queue:
        below = children.pop(queue.pop(), [])
        found += below
        queue += [process.pid for process in below]
    return tuple(found)


def carries(pid: int, mark: str) -> bool:
    """Whether the process was started with `mark` (`NAME=value`) in its environment."""
    try:
        return mark.encode() in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def marked(mark: str) -> tuple[Process, ...]:
    """All living processes that carry the mark, but this one."""
    return tuple(p for p in everyone() if not p.zombie and p.pid != os.getpid() and carries(p.pid, mark))


def alive(process: Process) -> bool:
    """Whether this very process still runs; a zombie does not."""
    now = find(process.pid)
    return now is not None and now.started == process.started and not now.zombie


def send(processes: Iterable[Process], number: signal.Signals) -> None:
    """Signal each process that is still the one that was meant."""
    for process in processes:
        if alive(process):
            _kill(process.pid, number)


def signal_group(group: int, number: signal.Signals) -> None:
    """Signal a process group; one that is gone, or not ours to signal, is left alone."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


async def gone(processes: Iterable[Process], *, within_s: float) -> bool:
    """Wait until none of them runs; False when the time was too short."""
    waiting, deadline = list(processes), time.monotonic() + within_s
    while waiting := [process for process in waiting if alive(process)]:
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(0.02)
    return True


def reap(processes: Iterable[Process]) -> None:
    """Collect those that are zombies and our own children, so that their numbers become free."""
    for process in processes:
        now = find(process.pid)
        if now is not None and now.zombie and now.parent == os.getpid():
            _wait(process.pid)


def _kill(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _wait(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
