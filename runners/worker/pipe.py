"""The agent's standard streams as messages: the SDK's `Transport`, with what the SDK's own lacks.

A line that is no JSON object is counted and kept as a sample instead of ending the connection, a line beyond the limit is
passed over, invalid UTF-8 is read with replacements, and nothing is read while `ready` says that there is no room for it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

LINE_LIMIT_BYTES = 32 << 20
SAMPLE_CHARS = 300


class AgentPipe:
    """Messages to and from one agent. `sample` is the beginning of the first line that was none."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ready: Callable[[], Awaitable[None]]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._ready = ready
        self._sending = asyncio.Lock()
        self.sample = ""
        self.heard = False
        self.babble = asyncio.Event()

    async def receive(self) -> dict[str, Any] | None:
        """The next message, or None when the agent has closed its output."""
        while True:
            await self._ready()
            line = await self._line()
            if line is None:
                return None
            message = _read_message(line)
            if message is not None:
                self.heard = True
                return message
            self._note(line)

    async def send(self, message: dict[str, Any]) -> None:
        """Write one message; `ConnectionError` when the agent no longer reads."""
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        async with self._sending:
            self._writer.write(data)
            await self._writer.drain()

    async def close(self) -> None:
        """Close the agent's input, which asks it to leave."""
        self._writer.close()

    async def _line(self) -> bytes | None:
        """The next line without its end; empty for one that was too long; None at the end of the stream."""
        try:
            return await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as end:
            return end.partial or None
        except asyncio.LimitOverrunError as overrun:
            await self._pass_over(overrun.consumed)
            return b"a line that is too long"

    async def _pass_over(self, consumed: int) -> None:
        while True:
            await self._reader.readexactly(consumed)
            try:
                await self._reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as overrun:
                consumed = overrun.consumed
            except asyncio.IncompleteReadError:
                return
            else:
                return

    def _note(self, line: bytes) -> None:
        text = line[: SAMPLE_CHARS * 4].decode(errors="replace").strip()
        if text and not self.sample:
            self.sample = text[:SAMPLE_CHARS]
            self.babble.set()


def _read_message(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
