"""A lock on a file, between the tasks of one process and between processes.

It belongs to the open file and not to us, so a child that is given `Lock.descriptor` keeps it for as long as it lives, even
when we are killed.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    descriptor: int


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[Lock]:
    """Hold the lock while the block runs; the file stays, since its removal would let two hold it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _taken(descriptor):  # noqa: ASYNC110 (what another process holds has no event here)
            await asyncio.sleep(POLL_S)
        yield Lock(descriptor=descriptor)
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
