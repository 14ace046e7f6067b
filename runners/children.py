"""Programs that are heard to their end, and that do not outlive whoever listens."""

import asyncio
import signal
from asyncio.subprocess import Process

from runners.proctree import signal_group


async def hear_out(child: Process, *, limit_s: float, given: bytes | None = None) -> tuple[bytes, bytes]:
    """What a child writes, to its output and besides, after reading `given`; raises `TimeoutError` after `limit_s` seconds.

    The child leads a session of its own. Where the limit or the caller ends first, all of its process group is killed.
    """
    try:
        async with asyncio.timeout(limit_s):
            return await child.communicate(given)
    finally:
        if child.returncode is None:
            signal_group(child.pid, signal.SIGKILL)
            await child.wait()
