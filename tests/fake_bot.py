"""The bot as a worker sees it: the worker protocol over a unix socket, with all that arrives kept for looking at."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp.web import Application, AppRunner, Request, Response, UnixSite

from runners.wire import (
    FRAME,
    Refusal,
    Stored,
    WireBootstrap,
    WireFrames,
    WireInput,
    WireInputs,
    WirePublish,
    WirePublished,
)
from sessions.events import WorkerFrame
from sessions.models import Diffstat, Publication

TOKEN = "tok-" + "x" * 40


@dataclass
class FakeBot:
    """One session. `frames` are those of the launch under way; `over`, `fenced` and `lost_answers` are what may befall it."""

    socket: Path
    bootstrap: WireBootstrap
    frames: list[WorkerFrame] = field(default_factory=list)
    inputs: list[WireInput] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    published: list[WirePublish] = field(default_factory=list)
    refusal: Refusal | None = None
    over: bool = False
    fenced: bool = False
    lost_answers: int = 0
    batches: list[tuple[int, int]] = field(default_factory=list)
    earlier: list[WorkerFrame] = field(default_factory=list)
    _runner: AppRunner | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        app = Application(client_max_size=64 << 20)
        at = "/worker/v1/launches/{launch}"
        app.router.add_get(f"{at}/bootstrap", self._bootstrap)
        app.router.add_post(f"{at}/frames", self._frames)
        app.router.add_get(f"{at}/inputs", self._inputs)
        app.router.add_put(f"{at}/blobs/{{name}}", self._put_blob)
        app.router.add_get(f"{at}/blobs/{{name:.*}}", self._get_blob)
        app.router.add_post(f"{at}/publish", self._publish)
        self._runner = AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        self.socket.unlink(missing_ok=True)
        await UnixSite(self._runner, str(self.socket)).start()
        self.socket.chmod(0o666)

    async def stop(self) -> None:
        runner, self._runner = self._runner, None
        self.stir()
        if runner is not None:
            await runner.cleanup()
            self.socket.unlink(missing_ok=True)

    def begin_launch(self) -> None:
        """A launch counts its frames from 1."""
        self.earlier += self.frames
        self.frames = []
        self.fenced = self.over = False

    def say(self, said: WireInput) -> None:
        self.inputs.append(said)
        self.stir()

    def stir(self) -> None:
        self._changed.set()

    def end(self) -> None:
        self.over = True
        self.stir()

    def of(self, kind: type[Any]) -> list[Any]:
        return [frame for frame in self.frames if isinstance(frame, kind)]

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Response(status=401)
        return Response(status=409) if self.fenced else None

    async def _bootstrap(self, request: Request) -> Response:
        return self._refused(request) or _json(self.bootstrap.model_dump_json())

    async def _frames(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        sent = WireFrames.model_validate_json(await request.read())
        last = len(self.frames)
        if sent.first > last + 1:
            return _json(Stored(last=last).model_dump_json(), status=416)
        self.batches.append((sent.first, len(sent.frames)))
        self.frames += [FRAME.validate_python(frame) for frame in sent.frames[last - sent.first + 1 :]]
        if self.lost_answers:
            self.lost_answers -= 1
            assert request.transport is not None
            request.transport.abort()
        return _json(Stored(last=len(self.frames)).model_dump_json())

    async def _inputs(self, request: Request) -> Response:
        after, wait_s = int(request.query["after"]), float(request.query["wait"])
        try:
            async with asyncio.timeout(wait_s or None):
                while not (found := self._new(after)) and not self.over and not self.fenced and wait_s and self._runner:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            found = []
        return self._refused(request) or _json(WireInputs(inputs=found, over=self.over).model_dump_json())

    def _new(self, after: int) -> list[WireInput]:
        from_frames = {
            getattr(frame, "ordinal", 0) for frame in [*self.earlier, *self.frames] if frame.kind == "input_taken"
        }
        return [said for said in self.inputs if said.ordinal > after and said.ordinal not in from_frames]

    async def _put_blob(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        self.blobs[request.match_info["name"]] = await request.read()
        return Response(status=204)

    async def _get_blob(self, request: Request) -> Response:
        blob = self.blobs.get(request.match_info["name"])
        return Response(status=404) if blob is None else Response(body=blob)

    async def _publish(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        asked = WirePublish.model_validate_json(await request.read())
        if self.refusal is not None:
            return _json(self.refusal.model_dump_json(), status=422)
        self.published.append(asked)
        publication = Publication(
            branch=asked.branch,
            base=asked.base,
            head=asked.head,
            diffstat=Diffstat(files=1, added=1, removed=0),
            compare="",
        )
        return _json(WirePublished(publication=publication).model_dump_json())


@asynccontextmanager
async def serving(bot: FakeBot) -> AsyncIterator[FakeBot]:
    await bot.start()
    try:
        yield bot
    finally:
        await bot.stop()


def _json(text: str, status: int = 200) -> Response:
    return Response(text=text, status=status, content_type="application/json")
