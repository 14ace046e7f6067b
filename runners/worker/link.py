"""The worker's side of the protocol in runners.wire: one connection to the bot over its unix socket.

A call that the bot cannot answer now is repeated until it has failed to answer for `patience_s` seconds.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aiohttp import ClientConnectionError, ClientPayloadError, ClientSession, ClientTimeout, UnixConnector

from runners.wire import (
    Refusal,
    Stored,
    WireBootstrap,
    WireFrames,
    WireInputs,
    WirePublish,
    WirePublished,
)
from runners.worker.errors import BotUnreachable, CallRefused, Fenced
from runners.worker.outbox import Batch
from sessions.models import FailureKind, Publication

POLL_S = 25.0
CALL_S = 30.0
PUBLISH_S = 600.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0

FENCED = frozenset({401, 404, 409})
LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: bytes
    retry_after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The bot will not publish the branch."""

    kind: FailureKind
    detail: str


class Link:
    """Calls to the bot. `patience_s` may be shortened while a call waits: near the end nobody has time."""

    def __init__(self, http: ClientSession, launch: str, patience_s: float) -> None:
        self._http = http
        self._path = f"http://bot/worker/v1/launches/{launch}"
        self._silent_since: float | None = None
        self.patience_s = patience_s

    async def bootstrap(self) -> WireBootstrap:
        """What the session is about."""
        answer = await self._call("GET", "bootstrap")
        return WireBootstrap.model_validate_json(self._body(answer, "bootstrap"))

    async def post(self, batch: Batch) -> Stored:
        """Send a batch; the answer is where the bot stands, which after a gap is before the batch's first frame."""
        body = WireFrames(first=batch.first, frames=list(batch.frames)).model_dump_json().encode()
        answer = await self._call("POST", "frames", data=body)
        if answer.status != 416:
            self._body(answer, "frames")
        return Stored.model_validate_json(answer.body)

    async def inputs(self, *, after: int, wait_s: float) -> WireInputs:
        """What people have said with a higher ordinal, waiting up to `wait_s` seconds for something."""
        query = {"after": str(after), "wait": str(wait_s)}
        answer = await self._call("GET", "inputs", query=query, limit_s=wait_s + CALL_S)
        return WireInputs.model_validate_json(self._body(answer, "inputs"))

    async def put_blob(self, name: str, content: bytes) -> None:
        answer = await self._call("PUT", f"blobs/{name}", data=content, limit_s=PUBLISH_S)
        self._body(answer, "blobs")

    async def get_blob(self, name: str) -> bytes:
        """The content; raises `CallRefused` where there is none."""
        return self._body(await self._call("GET", f"blobs/{name}", limit_s=PUBLISH_S), "blobs")

    async def publish(self, request: WirePublish) -> Publication | Refused:
        """Ask the bot to push the bundle; asking again for the same head changes nothing."""
        answer = await self._call("POST", "publish", data=request.model_dump_json().encode(), limit_s=PUBLISH_S)
        if answer.status == 422:
            refusal = Refusal.model_validate_json(answer.body)
            return Refused(kind=refusal.kind, detail=refusal.detail)
        return WirePublished.model_validate_json(self._body(answer, "publish")).publication

    async def _call(
        self,
        method: Literal["GET", "POST", "PUT"],
        name: str,
        *,
        query: Mapping[str, str] | None = None,
        data: bytes | None = None,
        limit_s: float = CALL_S,
    ) -> Answer:
        pause_s = FIRST_PAUSE_S
        while True:
            answer = await self._try(method, name, query, data, limit_s)
            self._note(answer)
            if answer is not None and answer.status in FENCED:
                raise Fenced
            if answer is not None and answer.status not in LATER:
                return answer
            if self._silent_since is not None and time.monotonic() - self._silent_since > self.patience_s:
                raise BotUnreachable(self.patience_s)
            await asyncio.sleep(max(pause_s, min(answer.retry_after_s, 30.0) if answer else 0.0))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _try(
        self, method: str, name: str, query: Mapping[str, str] | None, data: bytes | None, limit_s: float
    ) -> Answer | None:
        """One attempt; None when the bot could not be reached."""
        headers = {"Content-Type": "application/json"} if method == "POST" else {}
        time_limit = ClientTimeout(total=limit_s)
        try:
            async with self._http.request(
                method, f"{self._path}/{name}", params=query, data=data, headers=headers, timeout=time_limit
            ) as response:
                body = await response.read()
        except (ClientConnectionError, ClientPayloadError, TimeoutError, OSError):
            return None
        return Answer(status=response.status, body=body, retry_after_s=_seconds(response.headers.get("Retry-After")))

    def _note(self, answer: Answer | None) -> None:
        if answer is not None and (answer.status not in LATER or answer.status == 429):
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = time.monotonic()

    def _body(self, answer: Answer, call: str) -> bytes:
        if answer.status >= 300:
            raise CallRefused(call, answer.status, answer.body.decode(errors="replace")[:300])
        return answer.body


@asynccontextmanager
async def connect(socket: Path, *, launch: str, token: str, patience_s: float) -> AsyncIterator[Link]:
    """A link to the bot, closed at the end of the block."""
    headers = {"Authorization": f"Bearer {token}"}
    async with ClientSession(connector=UnixConnector(str(socket)), headers=headers) as http:
        yield Link(http, launch, patience_s)


def _seconds(value: str | None) -> float:
    try:
        return max(0.0, float(value or 0))
    except ValueError:
        return 0.0
