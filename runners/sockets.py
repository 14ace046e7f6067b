"""A listening unix socket that nobody else may open, put in place of a stale one in one step."""

import contextlib
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from runners.errors import SocketUnusable

PATH_BYTES = 103
"""The shortest limit there is, macOS's; Linux allows 107 (unix(7))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """A socket that listens, its name, and the name's inode, by which another's socket of that name is told apart."""

    path: Path
    socket: socket.socket
    inode: int


def listen(path: Path, *, mode: int = 0o600) -> Listening:
    """Listen there; raises `SocketUnusable` where that cannot be, or where somebody listens already."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    if len(os.fsencode(fresh)) > PATH_BYTES:
        raise SocketUnusable(path, f"the path is longer than {PATH_BYTES} bytes", "Choose a shorter data_dir.")
    _refuse_taken(path)
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        # Nobody can connect before `listen`, so the mode is in force before anybody could use the socket.
        opened.bind(str(fresh))
        fresh.chmod(mode)
        opened.listen(1024)
        fresh.replace(path)
    except OSError as problem:
        opened.close()
        raise SocketUnusable(path, os.strerror(problem.errno or 0), "Make data_dir writable for the bot.") from problem
    return Listening(path=path, socket=opened, inode=path.stat().st_ino)


def remove(listening: Listening) -> None:
    """Close the socket and take its name away, unless it has become another's."""
    listening.socket.close()
    with contextlib.suppress(FileNotFoundError):
        if listening.path.stat().st_ino == listening.inode:
            listening.path.unlink()


def _refuse_taken(path: Path) -> None:
    try:
        found = path.lstat()
    except OSError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise SocketUnusable(path, "there is a file that is no socket", "Move the file away.")
    if _answers(path):
        raise SocketUnusable(path, "another bot is listening there", "Stop it, or choose another data_dir.")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
