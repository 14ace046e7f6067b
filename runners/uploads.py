"""Bodies that are too large for memory, written to a directory of our own as they arrive."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

from runners.errors import UploadTooLarge

PIECE_BYTES = 1 << 20


class Stream(Protocol):
    """Where a body comes from; `b""` is its end, and a body that breaks off raises."""

    async def read(self, n: int = -1) -> bytes: ...


class Spool:
    """Uploads under way, a file each in `directory`; `piece_s` is how long the next piece may take."""

    def __init__(self, directory: Path, *, limit_bytes: int, piece_s: float) -> None:
        self._directory = directory
        self._limit_bytes = limit_bytes
        self._piece_s = piece_s

    def clear(self) -> None:
        """Throw away what an earlier run left: nothing here outlives its call, and one under way is written to all the time."""
        self._directory.mkdir(parents=True, exist_ok=True)
        untouched_since = time.time() - 2 * self._piece_s
        for left in self._directory.iterdir():
            with suppress(FileNotFoundError):
                if left.stat().st_mtime < untouched_since:
                    left.unlink()

    @asynccontextmanager
    async def receive(self, body: Stream, *, announced: int | None) -> AsyncIterator[Path]:
        """The whole body as a file, gone after the block unless it was moved. Raises `UploadTooLarge`."""
        if announced is not None and announced > self._limit_bytes:
            raise UploadTooLarge(self._limit_bytes)
        descriptor, name = await asyncio.to_thread(tempfile.mkstemp, dir=self._directory)
        path = Path(name)
        try:
            await self._write(body, descriptor)
            yield path
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _write(self, body: Stream, descriptor: int) -> None:
        taken = 0
        with os.fdopen(descriptor, "wb") as file:
            while piece := await self._piece(body):
                taken += len(piece)
                if taken > self._limit_bytes:
                    raise UploadTooLarge(self._limit_bytes)
                await asyncio.to_thread(file.write, piece)

    async def _piece(self, body: Stream) -> bytes:
        async with asyncio.timeout(self._piece_s):
            return await body.read(PIECE_BYTES)
