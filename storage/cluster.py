"""One PostgreSQL data directory of our own, and the server process over it.

Whether a server lives is not asked of `postmaster.pid`, which after a SIGKILL may name a dead process or somebody
else's. Every server inherits an open, locked file instead; the kernel drops the lock with the last of its processes.
"""

import asyncio
import fcntl
import os
import shlex
import shutil
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from storage.binaries import ServerUser
from storage.errors import EmbeddedUnavailable

OWNER = "viberator_owner"
"""The superuser that initdb makes; only migrations use it."""

_LOG_KEPT_BYTES = 1_000_000
_START_LIMIT_S = 60
_STOP_LIMIT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A data directory, the programs that serve it and the settings it is served with."""

    folder: Path
    programs: Path
    socket_dir: Path
    user: ServerUser | None
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "cluster"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    async def create(self, password: str) -> None:
        """Make the data directory; a half-made one, left by a killed process, is made again from the start."""
        making = self.folder / "cluster.new"
        password_file = self.folder / "owner.password"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        self._give(making)
        try:
            write_private(password_file, password)
            self._give(password_file)
            code, said = await self._run("initdb", *_initdb_options(making, password_file), limit_s=_START_LIMIT_S)
        finally:
            password_file.unlink(missing_ok=True)
        if code != 0:
            shutil.rmtree(making, ignore_errors=True)
            raise unavailable("cannot make a database", said, self.folder)
        making.rename(self.data)

    async def start(self) -> None:
        """Start a server and wait until it answers; only where none is alive."""
        self._prepare_socket_dir()
        before = self._log_size()
        with self.log.open("ab") as log, (self.folder / "server.lock").open("ab") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # No process holds the lock, so whatever these files name is not our server.
            for stale in (self.data / "postmaster.pid", self.socket_dir / ".s.PGSQL.5432.lock"):
                stale.unlink(missing_ok=True)
            starter = await self._spawn(
                "pg_ctl", *self._start_options(), stdout=log, stderr=STDOUT, keep_open=(alive.fileno(),)
            )
            code = await starter.wait()
        if code != 0:
            raise unavailable("the database does not start", self._log_since(before), self.folder)

    async def stop(self) -> None:
        """Stop the server that answers on our socket, and wait until it is gone."""
        options = ("stop", "-D", str(self.data), "-m", "fast", "-w", "-t", str(_STOP_LIMIT_S))
        code, said = await self._run("pg_ctl", *options, limit_s=_STOP_LIMIT_S + 5)
        if code != 0 and self.is_alive():
            raise unavailable("the database does not stop", said, self.folder)

    def is_alive(self) -> bool:
        """Whether a process of a server that we started over this directory still exists."""
        with (self.folder / "server.lock").open("ab") as alive:
            return not try_lock(alive.fileno())

    def dsn(self, user: str, password: str, database: str) -> str:
        return f"postgresql://{user}:{password}@/{database}?host={self.socket_dir}"

    def _start_options(self) -> tuple[str, ...]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            "max_connections": "60",
            "shared_buffers": "64MB",
            "log_checkpoints": "off",
            **self.settings,
        }
        flags = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in settings.items())
        return ("start", "-D", str(self.data), "-o", flags, "-s", "-w", "-t", str(_START_LIMIT_S))

    def _prepare_socket_dir(self) -> None:
        uid = self.user.uid if self.user else os.geteuid()
        if not self.socket_dir.is_symlink() and not self.socket_dir.exists():
            self.socket_dir.mkdir(mode=0o700)
            self._give(self.socket_dir)
        status = self.socket_dir.lstat()
        if self.socket_dir.is_symlink() or status.st_uid != uid or status.st_mode & 0o077:
            raise EmbeddedUnavailable(
                reason=f"{self.socket_dir} belongs to somebody else or is open to others",
                advice=f"remove {self.socket_dir}, or choose another data_dir",
            )

    def _give(self, path: Path) -> None:
        if self.user is not None:
            os.chown(path, self.user.uid, self.user.gid)

    def _log_size(self) -> int:
        size = self.log.stat().st_size if self.log.exists() else 0
        if size <= _LOG_KEPT_BYTES:
            return size
        self.log.replace(self.log.with_suffix(".log.old"))
        return 0

    def _log_since(self, offset: int) -> str:
        return self.log.read_bytes()[offset:].decode(errors="replace")

    async def _run(self, program: str, *arguments: str, limit_s: float) -> tuple[int, str]:
        process = await self._spawn(program, *arguments, stdout=PIPE, stderr=STDOUT)
        async with asyncio.timeout(limit_s):
            said, _ = await process.communicate()
        return process.returncode or 0, said.decode(errors="replace")

    async def _spawn(
        self, program: str, *arguments: str, stdout: int | BinaryIO, stderr: int, keep_open: tuple[int, ...] = ()
    ) -> asyncio.subprocess.Process:
        identity: dict[str, object] = (
            {"user": self.user.uid, "group": self.user.gid, "extra_groups": []} if self.user else {}
        )
        return await asyncio.create_subprocess_exec(
            self.programs / program,
            *arguments,
            stdin=DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd="/",
            # Our own environment may hold keys, and PG… variables would change what the programs do.
            env={"PATH": os.defpath, "LC_ALL": "C"},
            umask=0o077,
            pass_fds=keep_open,
            # Ctrl-C in a terminal goes to the whole process group; the server outlives it.
            start_new_session=True,
            **identity,  # type: ignore[arg-type]
        )


def _initdb_options(data: Path, password_file: Path) -> tuple[str, ...]:
    return (
        f"--pgdata={data}",
        f"--username={OWNER}",
        "--auth=scram-sha-256",
        f"--pwfile={password_file}",
        "--encoding=UTF8",
        "--locale=C",
        "--no-instructions",
    )


def unavailable(what: str, said: str, folder: Path) -> EmbeddedUnavailable:
    """The error for a PostgreSQL program that failed, with the next step that its words suggest."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "PANIC" in line or "error:" in line] or lines
    reason = f"{what}: {telling[-1] if telling else 'it said nothing'}"
    if "No space left on device" in said:
        return disk_full(folder)
    if "Permission denied" in said:
        return EmbeddedUnavailable(reason=reason, advice="choose a data_dir that an ordinary user can reach")
    return EmbeddedUnavailable(reason=reason, advice=f"see {folder / 'server.log'}, or set DATABASE_URL")


def disk_full(folder: Path) -> EmbeddedUnavailable:
    return EmbeddedUnavailable(
        reason=f"the disk that holds {folder} is full",
        advice="free 100 MB there, or choose another data_dir, and start again",
    )


def try_lock(descriptor: int, operation: int = fcntl.LOCK_EX) -> bool:
    """Take a lock if it can be had at once."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner reads."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
