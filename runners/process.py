"""The process runner: a worker as a process beside the bot, for repositories that the operator trusts.

A worker dies with the bot; the session's directory survives and is used again. Nothing is hidden from the agent's
processes but what the operating system hides from the bot's own user.
"""

import asyncio
import os
import signal
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from runners import proctree
from runners.proctree import Process
from runners.recruits import Recruit, enlist
from runners.worker.order import WORKER_LOG, Order
from sessions.errors import RunnerUnavailable
from sessions.models import LaunchId
from sessions.ports import LaunchOrder

LAST_WORDS_BYTES = 4_000
KILL_ROUNDS = 20
ROUND_S = 0.25
KEPT_LOGS = 500
REFILL_AFTER_S = 1.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

INHERITED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A worker's name for the ledger: a number that is used again later, with what makes it this very process."""

    pid: int
    started: int
    boot: str
    launch: str

    def __str__(self) -> str:
        return f"{self.pid}:{self.started}:{self.boot}:{self.launch}"

    @classmethod
    def read(cls, text: str) -> "Reference | None":
        """The reference as it was written; None for one of another kind of runner."""
        match text.split(":"):
            case [pid, started, boot, launch] if pid.isdigit() and started.isdigit():
                return cls(pid=int(pid), started=int(started), boot=boot, launch=launch)
            case _:
                return None

    def find(self) -> Process | None:
        """The process, if it still runs."""
        process = proctree.find(self.pid)
        if process is None or process.zombie or process.started != self.started or self.boot != _boot():
            return None
        return process


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """What workers get of the bot's environment: how to find programs, and how text and certificates are read here."""
    return {name: environment[name] for name in INHERITED if name in environment}


class ProcessRunner:
    """Starts workers as children of this process. `environment` is all that a worker inherits: PATH and the like.

    While it is in use it keeps `ready` worker processes, which wait for an order, so that a launch begins at once.
    """

    name = "process"

    def __init__(self, environment: Mapping[str, str], *, ready: int = 1) -> None:
        self._environment = dict(environment)
        self._ready = ready
        self._recruits: list[Recruit] = []
        self._children: dict[str, Recruit] = {}
        self._adopted: set[str] = set()
        self._launched: dict[LaunchId, str] = {}
        self._logs: dict[str, Path] = {}
        self._ended: list[str] = []
        self._stirred = asyncio.Event()
        self._refill: asyncio.TimerHandle | None = None
        weakref.finalize(self, _dismiss, self._recruits)

    def get_ready(self) -> None:
        """Start the workers that wait for an order now, for who knows that one is wanted soon."""
        self._refill_now()

    async def launch(self, order: LaunchOrder) -> str:
        """Start the worker, at most once a launch; answers its reference. Raises `RunnerUnavailable`."""
        known = self._launched.get(order.launch)
        if known is not None:
            return known
        # What an earlier worker of the session has left would write into the same workspace.
        await _end_all(proctree.marked(f"VIBERATOR_SESSION={order.session}"))
        try:
            reference = str(self._start(order))
        except OSError as error:
            detail = f"The worker could not be started: {error.strerror or type(error).__name__}"
            raise RunnerUnavailable(detail) from error
        self._launched[order.launch] = reference
        # Not at once: what was launched just now needs the processor more.
        self._refill_later(REFILL_AFTER_S)
        return reference

    async def running(self, reference: str) -> bool:
        """Whether that very worker still runs; a recycled pid is not it.

        The end of one that an earlier bot started is told by `wait_any` from now on: it outlives that bot by the seconds
        it takes to save its work.
        """
        worker = Reference.read(reference)
        if worker is None or worker.find() is None:
            return False
        if reference not in self._children and reference not in self._adopted:
            self._adopted.add(reference)
            _when_ended(worker.pid, lambda: self._reap(reference))
        return True

    async def stop(self, reference: str, *, grace_s: float = 10.0) -> None:
        """TERM, `grace_s` seconds, KILL; returns when the worker and all its descendants are gone, wherever they went."""
        worker = Reference.read(reference)
        if worker is None:
            return
        process = worker.find()
        seen = set(proctree.descendants(worker.pid)) if process is not None else set()
        if process is not None:
            proctree.send([process], signal.SIGTERM)
            await proctree.gone([process], within_s=grace_s)
            seen |= {process, *proctree.descendants(worker.pid)} if worker.find() is not None else set()
        await _end_all([*seen, *proctree.marked(f"VIBERATOR_LAUNCH={worker.launch}")], mark=worker.launch)
        self._reap(reference)

    async def wait_any(self, *, time_limit_s: float) -> Sequence[str]:
        """References of workers that ended since the last call; empty after the time limit."""
        self._refill_later(0.0)
        try:
            async with asyncio.timeout(time_limit_s):
                await self._stirred.wait()
        except TimeoutError:
            self._look()
        self._stirred.clear()
        ended, self._ended = self._ended, []
        return ended

    async def last_words(self, reference: str) -> str:
        """The tail of what the worker wrote to its error output; empty for a worker of an earlier bot."""
        path = self._logs.get(reference)
        if path is None or not path.is_file():
            return ""
        return path.read_bytes()[-LAST_WORDS_BYTES:].decode(errors="replace").strip()

    def _start(self, order: LaunchOrder) -> Reference:
        path = order.directory / "state" / WORKER_LOG
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(b"")
        words = Order(
            launch=str(order.launch),
            session=str(order.session),
            token=order.token,
            socket=order.socket,
            directory=order.directory,
        )
        recruit = self._recruits.pop() if self._recruits else enlist(self._environment)
        if not recruit.give(words):
            recruit.words.close()
            recruit = enlist(self._environment)
            recruit.give(words)
        return self._watch(recruit, order.launch, path)

    def _watch(self, recruit: Recruit, launch: LaunchId, path: Path) -> Reference:
        pid = recruit.child.pid
        process = proctree.find(pid)
        started = process.started if process is not None else 0
        reference = Reference(pid=pid, started=started, boot=_boot(), launch=str(launch))
        name = str(reference)
        self._children[name] = recruit
        self._logs[name] = path
        for oldest in list(self._logs)[:-KEPT_LOGS]:
            del self._logs[oldest]
        _when_ended(pid, lambda: self._reap(name))
        return reference

    def _refill_later(self, after_s: float) -> None:
        if self._refill is None and len(self._recruits) < self._ready:
            self._refill = asyncio.get_running_loop().call_later(after_s, self._refill_now)

    def _refill_now(self) -> None:
        self._refill = None
        try:
            while len(self._recruits) < self._ready:
                self._recruits.append(enlist(self._environment))
        except OSError:
            # The next launch tells of it, if it is still so.
            log.warning("runner.recruit_failed", exc_info=True)

    def _reap(self, reference: str) -> None:
        if not self._has_ended(reference):
            return
        recruit = self._children.pop(reference, None)
        if recruit is not None:
            self._keep_first_words(reference, recruit)
        self._adopted.discard(reference)
        self._launched = {launch: name for launch, name in self._launched.items() if name != reference}
        # A worker that was killed could not end what its agent had started.
        launch = reference.rpartition(":")[2]
        proctree.send(proctree.marked(f"VIBERATOR_LAUNCH={launch}"), signal.SIGKILL)
        self._ended.append(reference)
        self._stirred.set()

    def _has_ended(self, reference: str) -> bool:
        """Whether a worker that is watched has ended; False for one that nobody watches."""
        recruit = self._children.get(reference)
        if recruit is not None:
            return recruit.child.poll() is not None
        worker = Reference.read(reference) if reference in self._adopted else None
        return worker is not None and worker.find() is None

    def _keep_first_words(self, reference: str, recruit: Recruit) -> None:
        """What a worker wrote before it had its log, which it does only when it is broken."""
        recruit.words.seek(0)
        words, path = recruit.words.read(), self._logs.get(reference)
        recruit.words.close()
        if not words or path is None or not path.parent.is_dir():
            return
        try:
            path.write_bytes(words + path.read_bytes() if path.exists() else words)
        except OSError:
            # On a full disk its end must be told all the same.
            log.warning("runner.words_lost", exc_info=True)

    def _look(self) -> None:
        # Where there is no descriptor for a process, nobody calls us when it ends.
        for reference in [*self._children, *self._adopted]:
            self._reap(reference)


def _dismiss(recruits: list[Recruit]) -> None:
    for recruit in recruits:
        recruit.dismiss()
    recruits.clear()


def _when_ended(pid: int, call: Callable[[], None]) -> None:
    """Call when the child has ended, where the system can tell."""
    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError):
        return
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(handle)
        os.close(handle)
        call()

    loop.add_reader(handle, ended)


async def _end_all(processes: Sequence[Process], *, mark: str = "") -> None:
    """SIGKILL them and what carries the launch's mark, until none is left."""
    seen = set(processes)
    for _ in range(KILL_ROUNDS):
        alive = [process for process in seen if proctree.alive(process)]
        seen |= {below for process in alive for below in proctree.descendants(process.pid)}
        seen |= set(proctree.marked(f"VIBERATOR_LAUNCH={mark}")) if mark else set()
        if not any(proctree.alive(process) for process in seen):
            return
        proctree.send(seen, signal.SIGKILL)
        await proctree.gone(seen, within_s=ROUND_S)


def _boot() -> str:
    try:
        return _BOOT_ID.read_text()[:8]
    except OSError:
        return "-"
