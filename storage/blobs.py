"""Blobs in a directory: one file each, put there whole by a rename."""

import asyncio
import hashlib
import os
import shutil
from pathlib import Path
from urllib.parse import quote

SEGMENT_BYTES = 200
"""File systems allow 255; a name that is longer when escaped ends in its digest."""


class DirectoryBlobs:
    """Blobs below `directory`, in a folder for what stands before a name's first slash; what no file may be called is escaped.

    Raises `OSError` where the disk says no, such as ENOSPC.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def put(self, name: str, source: Path) -> None:
        """Move the file into the store under that name, replacing an older one; it is on the disk when this returns."""
        await asyncio.to_thread(_move, source, self._file(name))

    async def path(self, name: str) -> Path | None:
        """Where the blob can be read; None when there is none."""
        file = self._file(name)
        return file if await asyncio.to_thread(file.is_file) else None

    def _file(self, name: str) -> Path:
        folder, slash, rest = name.partition("/")
        return self._directory.joinpath(*(_segment(part) for part in ((folder, rest) if slash else (name,))))


def _segment(part: str) -> str:
    escaped = quote(part, safe=" ()+,=@", errors="replace")
    if escaped.startswith(".") or not escaped:
        escaped = f"%2E{escaped[1:]}"
    if len(escaped) <= SEGMENT_BYTES:
        return escaped
    digest = hashlib.sha256(part.encode(errors="replace")).hexdigest()
    return f"{escaped[: SEGMENT_BYTES - 65]}-{digest}"


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.stat().st_dev != target.parent.stat().st_dev:
        source = _bring(source, target)
    _sync(source)
    source.replace(target)
    _sync(target.parent)


def _bring(source: Path, target: Path) -> Path:
    """A rename cannot cross file systems, so the last step is one within the target's."""
    near = target.with_name(f"{source.name}.part")
    try:
        shutil.copyfile(source, near)
    except OSError:
        near.unlink(missing_ok=True)
        raise
    source.unlink()
    return near


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
