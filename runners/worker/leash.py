"""A program in a session of its own, held so that it and everything it started can be ended, and dies with the worker."""

import asyncio
import os
import signal
import subprocess
from asyncio.subprocess import Process as Child
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from runners import proctree
from runners.proctree import Process
from runners.worker.errors import AgentMissing

KILL_ROUNDS = 10
POLL_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is started. `environment` is all that it gets; `mark` (`NAME=value`) is added, so that it can be found again."""

    command: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]
    mark: str


class Leash:
    """One running program. `child` is the leader of its group; others may have left the group and even the session."""

    def __init__(self, child: Child, mark: str) -> None:
        self.child = child
        self._mark = mark
        self._seen: set[Process] = set()

    async def exited(self) -> int:
        """Wait for the leader alone (others may hold its pipes open); a negative code is the signal that ended it."""
        if self.child.returncode is None:
            await _finished(self.child.pid)
        # The code arrives by a thread of asyncio's; `child.wait()` would wait for whoever holds the pipes as well.
        while (code := self.child.returncode) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return code

    def company(self) -> frozenset[Process]:
        """All that the program started and that still runs, without its leader."""
        below = (p for p in proctree.descendants(self.child.pid) if not p.zombie)
        return frozenset({*below, *proctree.marked(self._mark)} - {proctree.find(self.child.pid)})

    async def end_company(self, spared: frozenset[Process]) -> None:
        """End what the program started and left running, but those in `spared`."""
        left = self.company() - spared
        proctree.send(left, signal.SIGTERM)
        if not await proctree.gone(left, within_s=1.0):
            proctree.send(left, signal.SIGKILL)
        proctree.reap(left)

    async def end(self, *, grace_s: float) -> None:
        """SIGTERM to the group and to those who left it; after `grace_s` seconds SIGKILL, until none is left."""
        self._look()
        proctree.signal_group(self.child.pid, signal.SIGTERM)
        proctree.send(self._seen, signal.SIGTERM)
        await proctree.gone(self._seen, within_s=grace_s)
        for _ in range(KILL_ROUNDS):
            self._look()
            proctree.signal_group(self.child.pid, signal.SIGKILL)
            proctree.send(self._seen, signal.SIGKILL)
            if await proctree.gone(self._seen, within_s=POLL_S) and not self.company():
                break
        await self.exited()
        proctree.reap(self._seen)

    def _look(self) -> None:
        # Who was seen once is remembered: when its parent dies its line of descent is lost.
        leader = proctree.find(self.child.pid)
        self._seen |= self.company() | ({leader} if leader is not None else set())


async def hold(
    program: Program, *, output: BinaryIO, errors: BinaryIO | None = None, talk: bool = False, limit: int = 1 << 16
) -> Leash:
    """Start the program; its output goes to the file, or with `talk` through pipes of `limit` bytes a line.

    Raises `AgentMissing` where the program is not there or may not be run.
    """
    environment = {**program.environment, **dict([program.mark.split("=", 1)])}
    try:
        child = await asyncio.create_subprocess_exec(
            *program.command,
            stdin=subprocess.PIPE if talk else subprocess.DEVNULL,
            stdout=subprocess.PIPE if talk else output,
            stderr=errors or subprocess.STDOUT,
            cwd=program.directory,
            env=environment,
            limit=limit,
            start_new_session=True,
            preexec_fn=partial(_tie_to, os.getpid()),
        )
    except OSError as error:
        raise AgentMissing(program.command[0], error.strerror or type(error).__name__) from error
    return Leash(child, program.mark)


def _tie_to(parent: int) -> None:
    """Before the child becomes its program: ask to die with the worker, or leave if that is dead already."""
    proctree.prctl(proctree.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


async def _finished(pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError):
        return await _gone_by_polling(pid)
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, done.set)
    try:
        await done.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


async def _gone_by_polling(pid: int) -> None:
    process = proctree.find(pid)
    while process is not None and not await proctree.gone([process], within_s=60):
        pass
