"""The load of the ingest experiment, in a process of its own: many workers at once, each posting batch after batch.

It is told who posts to which socket by the first line of its input (`Orders`); every further line is a number of batches
that each worker posts now, answered by one line (`Posted`) when all of them are acknowledged.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from aiohttp import ClientSession, UnixConnector
from pydantic import BaseModel

from runners.wire import Stored


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
    """Posts over a connection of its own, which it keeps, and waits for each answer as a worker does."""

    http: ClientSession
    orders: Orders
    poster: Poster
    sent: int = 0

    async def post(self, batches: int) -> Sequence[float]:
        """Seconds that each call took."""
        return [await self._post() for _ in range(batches)]

    async def _post(self) -> float:
        body = f'{{"first":{self.sent + 1},"frames":{self.orders.frames}}}'.encode()
        self.sent += self.orders.frames_count
        began = time.perf_counter()
        async with self.http.post(
            f"http://bot/worker/v1/launches/{self.poster.launch}/frames",
            data=body,
            headers={"Authorization": f"Bearer {self.poster.token}", "Content-Type": "application/json"},
        ) as answer:
            said = await answer.read()
        took = time.perf_counter() - began
        # What is answered otherwise is no load, and what is not stored is no ingest.
        if answer.status != 200 or Stored.model_validate_json(said).last != self.sent:
            raise RuntimeError(f"{answer.status} {said.decode()}")
        return took


async def main() -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    orders = Orders.model_validate_json(await lines.readline())
    connector = UnixConnector(path=str(orders.socket), limit=len(orders.posters))
    async with ClientSession(connector=connector) as http:
        workers = [Worker(http, orders, poster) for poster in orders.posters]
        while line := await lines.readline():
            print((await _post(workers, batches=int(line))).model_dump_json(), flush=True)


async def _post(workers: Sequence[Worker], *, batches: int) -> Posted:
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        posting = [tasks.create_task(worker.post(batches)) for worker in workers]
    took_s = time.perf_counter() - began
    return Posted(took_s=took_s, calls_s=[took for task in posting for took in task.result()])


if __name__ == "__main__":
    asyncio.run(main())
