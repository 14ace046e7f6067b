"""Lines of an input that is no terminal, read without a thread: one that waits for input could not be ended."""

import asyncio
import os
from typing import Final

_CHUNK: Final = 65_536


class Lines:
    """Lines of a pipe or a file, UTF-8, without their ends. `descriptor` None is an input that was closed."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._left = b""

    async def next(self) -> str | None:
        """The next line; None at the end of the input. What stands behind the last line's end is a line too."""
        while b"\n" not in self._left:
            chunk = await self._read()
            if not chunk:
                break
            self._left += chunk
        line, end, self._left = self._left.partition(b"\n")
        return line.decode(errors="replace").removesuffix("\r") if line or end else None

    async def _read(self) -> bytes:
        if self._descriptor is None:
            return b""
        await _readable(self._descriptor)
        return os.read(self._descriptor, _CHUNK)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except PermissionError:
        # A file is always ready, and epoll does not take one.
        return
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
