"""Waiting for something to become true, with a bound and without luck."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(holds: Callable[[], bool], *, within_s: float = 10.0) -> None:
    """Return as soon as it holds; `TimeoutError` when it does not in time."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 (what is waited for is outside of this program, and has no event)
            await asyncio.sleep(0.01)


async def eventually_so(holds: Callable[[], Awaitable[bool]], *, within_s: float = 10.0) -> None:
    """The same for what has to be asked over a connection."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.01)
