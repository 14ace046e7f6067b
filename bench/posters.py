"""The load of the ingest experiment, in a process of its own: many workers at once, each posting batch after batch.

It is told who posts to which socket by the first line of its input (`Orders`); every further line is a number of batches
that each worker posts now, answered by one line (`Posted`) when all of them are acknowledged.
"""

import asyncio
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel

from runners.wire import Stored

_LINE_LIMIT_BYTES = 1 << 20


class Poster(BaseModel):
    launch: UUID
    token: str


class Orders(BaseModel):
    """`frames` is a batch's frames as JSON, the same for every batch."""

    socket: Path
    posters: list[Poster]
    frames: str
    frames_count: int


class Posted(BaseModel):
    """Seconds from the first call to the last answer, and of each call."""

    took_s: float
    calls_s: list[float]


@dataclass(slots=True)
class Worker:
    """Posts over a connection of its own, which it keeps, and waits for each answer as a worker does.

    It speaks just enough HTTP for that, since what the load costs is taken from whoever is measured.
    """

    orders: Orders
    poster: Poster
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sent: int = 0

    async def post(self, batches: int) -> Sequence[float]:
        """Seconds that each call took."""
        return [await self._post() for _ in range(batches)]

    async def _post(self) -> float:
        body = f'{{"first":{self.sent + 1},"frames":{self.orders.frames}}}'.encode()
        self.sent += self.orders.frames_count
        began = time.perf_counter()
        self.writer.write(self._head(len(body)) + body)
        status, said = await self._answer()
        took = time.perf_counter() - began
        # What is answered otherwise is no load, and what is not stored is no ingest.
        if status != b"200" or Stored.model_validate_json(said).last != self.sent:
            raise RuntimeError(f"{status.decode()} {said.decode()}")
        return took

    def _head(self, length: int) -> bytes:
        return (
            f"POST /worker/v1/launches/{self.poster.launch}/frames HTTP/1.1\r\nHost: bot\r\n"
            f"Authorization: Bearer {self.poster.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n"
        ).encode()

    async def _answer(self) -> tuple[bytes, bytes]:
        """The status and the body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length is not None
        return head.split(b" ", 2)[1], await self.reader.readexactly(int(length[1]))


async def main() -> None:
    lines = asyncio.StreamReader(limit=_LINE_LIMIT_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    orders = Orders.model_validate_json(await lines.readline())
    workers = [Worker(orders, poster, *await asyncio.open_unix_connection(orders.socket)) for poster in orders.posters]
    while line := await lines.readline():
        print((await _post(workers, batches=int(line))).model_dump_json(), flush=True)
    for worker in workers:
        worker.writer.close()


async def _post(workers: Sequence[Worker], *, batches: int) -> Posted:
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        posting = [tasks.create_task(worker.post(batches)) for worker in workers]
    took_s = time.perf_counter() - began
    return Posted(took_s=took_s, calls_s=[took for task in posting for took in task.result()])


if __name__ == "__main__":
    asyncio.run(main())
