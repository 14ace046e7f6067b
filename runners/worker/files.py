"""Reading what the agent wrote, in a place where it may have left symbolic links, devices and pipes instead of files."""

import contextlib
import os
import stat
from pathlib import Path

from runners.worker.errors import PathOutside

LIMIT_BYTES = 4 << 20


def read_inside(root: Path, path: str | Path, *, limit: int = LIMIT_BYTES) -> bytes:
    """The content of a plain file inside `root`, of at most `limit` bytes.

    Raises `PathOutside` for anything else, and `FileNotFoundError`.
    """
    place = inside(root, path)
    # Without O_NONBLOCK a named pipe would hold us for ever.
    handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
            raise PathOutside(str(path))
        return file.read(limit + 1)[:limit]


def inside(root: Path, path: str | Path) -> Path:
    """The path with its links followed; raises `PathOutside` where it leads out of `root`."""
    place = (root / path).resolve()
    if not place.is_relative_to(root.resolve()):
        raise PathOutside(str(path))
    return place


def read_text(root: Path, path: str | Path, *, limit: int = LIMIT_BYTES) -> str | None:
    """The text of a file inside `root` without blank ends; None where there is no such plain file, or nothing in it."""
    try:
        return read_inside(root, path, limit=limit).decode(errors="replace").strip() or None
    except (OSError, PathOutside):
        return None


def remove(root: Path, path: str | Path) -> None:
    """Take a file or link away; none is no error."""
    (root / path).unlink(missing_ok=True)


def write_inside(root: Path, path: Path, text: str) -> None:
    """Write a file below `root`, in place of whatever is there; raises `PathOutside` where a link leads out of it."""
    folder = inside(root, path.parent)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{path.name}.part"
    part.unlink(missing_ok=True)
    with part.open("x", encoding="utf-8", errors="replace") as file:
        file.write(text)
    part.replace(folder / path.name)


def changed_since(root: Path, moment: float) -> bool:
    """Whether a file or folder below `root`, outside of git's own, has changed since the moment (seconds of the epoch)."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for path in (Path(folder), *(Path(folder) / name for name in names)):
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime > moment:
                    return True
    return False
