"""One worker at a time in a session's directory, by a lock that the system takes away with its holder."""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from runners.worker.errors import WorkspaceTaken

PATIENCE_S = 12.0
"""A worker that was told to end is gone by then."""


@asynccontextmanager
async def holding(path: Path, *, patience_s: float = PATIENCE_S) -> AsyncIterator[None]:
    """Hold the lock file until the end of the block; raises `WorkspaceTaken` when another keeps it for so long."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + patience_s
        while not _lock(handle):
            if time.monotonic() >= deadline:
                raise WorkspaceTaken
            await asyncio.sleep(0.05)
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
