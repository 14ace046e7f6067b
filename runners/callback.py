"""The server side of the worker protocol of `runners.wire`: aiohttp over a unix socket.

    server = CallbackServer(desk, blobs, mirrors, spool=data_dir / "spool")
    await server.start(socket_path)
    …
    await server.close()

Names of blobs are each session's own (`blob_name`); besides those, a worker may read what is stored under its ticket's id.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from aiohttp.typedefs import Handler
from aiohttp.web import (
    Application,
    AppRunner,
    FileResponse,
    Request,
    Response,
    SockSite,
    StreamResponse,
    get,
    post,
    put,
)

from runners.answers import json_answer, translate
from runners.bootstrap import to_wire, wire_input
from runners.errors import CallUnreadable
from runners.frames import read_batch
from runners.sockets import Listening, listen, remove
from runners.uploads import Spool
from runners.wire import BATCH_BYTES, Refusal, Stored, WireInputs, WirePublish, WirePublished
from sessions.errors import LaunchUnknown
from sessions.models import FailureKind, LaunchId, SessionId
from sessions.ports import Blobs, Bootstrap, Inbound, LaunchContext, Mirrors, RepositoryUnusable, WorkerDesk

log = structlog.get_logger()

BODY_BYTES: Final = 2 * BATCH_BYTES
NAME_CHARS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackLimits:
    """What one call may ask of us, in bytes and seconds; `body_s` is for a body to arrive, a blob's for each piece."""

    blob_bytes: int = 1 << 30
    wait_s: float = 50.0
    body_s: float = 30.0
    close_s: float = 10.0


def blob_name(session: SessionId, name: str) -> str:
    """The name in the store of what a worker of the session calls `name`."""
    return f"{session}/{name}"


class CallbackServer:
    """Serves `desk` to workers. `spool` is a directory of our own on the file system of the blobs, for uploads."""

    def __init__(
        self,
        desk: WorkerDesk,
        blobs: Blobs,
        mirrors: Mirrors,
        *,
        spool: Path,
        limits: CallbackLimits = CallbackLimits(),
    ) -> None:
        self._desk = desk
        self._blobs = blobs
        self._mirrors = mirrors
        self._spool = Spool(spool, limit_bytes=limits.blob_bytes, piece_s=limits.body_s)
        self._limits = limits
        self._polls: set[asyncio.Timeout] = set()
        self._listening: Listening | None = None
        self._runner: AppRunner | None = None
        self._closing = False

    async def start(self, socket_path: Path, *, mode: int = 0o600) -> None:
        """Listen on the socket, replacing a stale one; raises `SocketUnusable`."""
        await asyncio.to_thread(self._spool.clear)
        listening = await asyncio.to_thread(listen, socket_path, mode=mode)
        self._listening = listening
        # Bodies come as they are: what says it is compressed is refused as unreadable and can blow up nothing.
        self._runner = AppRunner(
            self._application(), access_log=None, auto_decompress=False, shutdown_timeout=self._limits.close_s
        )
        await self._runner.setup()
        await SockSite(self._runner, listening.socket).start()
        log.info("callback.listening", socket=str(socket_path))

    async def close(self) -> None:
        """End the long polls, answer what is under way, and remove the socket."""
        self._closing = True
        for poll in self._polls:
            poll.reschedule(0)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._listening is not None:
            await asyncio.to_thread(remove, self._listening)
            self._listening = None

    def _application(self) -> Application:
        application = Application(middlewares=[translate], client_max_size=BODY_BYTES)
        launch = "/worker/v1/launches/{launch}"
        application.add_routes(
            [
                get(f"{launch}/bootstrap", self._known(self._bootstrap, self._desk.authenticate)),
                post(f"{launch}/frames", self._known(self._frames, self._desk.recognise)),
                get(f"{launch}/inputs", self._known(self._inputs, self._desk.recognise)),
                put(f"{launch}/blobs/{{name:.+}}", self._known(self._put_blob, self._desk.authenticate)),
                get(f"{launch}/blobs/{{name:.+}}", self._known(self._get_blob, self._desk.authenticate)),
                post(f"{launch}/publish", self._known(self._publish, self._desk.authenticate)),
            ]
        )
        return application

    def _known(
        self,
        answer: Callable[[LaunchContext, Request], Awaitable[StreamResponse]],
        identify: Callable[[LaunchId, str], Awaitable[LaunchContext]],
    ) -> Handler:
        """The handler, called with who is calling, once that is known."""

        async def handler(request: Request) -> StreamResponse:
            return await answer(await identify(*_caller(request)), request)

        return handler

    async def _bootstrap(self, context: LaunchContext, _request: Request) -> Response:
        bootstrap = await self._desk.bootstrap(context)
        repository = bootstrap.project.repository
        mirror = await self._mirrors.find(repository) or await self._mirrors.refresh(repository)
        return json_answer(to_wire(bootstrap, mirror=mirror, base_commit=await self._beginning(bootstrap)))

    async def _beginning(self, bootstrap: Bootstrap) -> str:
        """The commit of the branch where work begins, or of the base where that branch is gone from the remote."""
        repository = bootstrap.project.repository
        if bootstrap.start not in ("", bootstrap.base):
            try:
                return await self._mirrors.resolve(repository, bootstrap.start)
            except RepositoryUnusable:
                log.info("bootstrap.start_is_gone", branch=bootstrap.start)
        return await self._mirrors.resolve(repository, bootstrap.base)

    async def _frames(self, context: LaunchContext, request: Request) -> Response:
        first, frames = read_batch(await self._body(request))
        return json_answer(Stored(last=await self._desk.take(context, first=first, frames=frames)))

    async def _inputs(self, context: LaunchContext, request: Request) -> Response:
        after, wait_s = _number(request, "after"), _number(request, "wait")
        inbound = await self._wait(context, after=int(after), time_limit_s=min(wait_s, self._limits.wait_s))
        inputs = [wire_input(held) for held in inbound.inputs]
        return json_answer(WireInputs(inputs=inputs, over=inbound.over))

    async def _wait(self, context: LaunchContext, *, after: int, time_limit_s: float) -> Inbound:
        """What the desk answers, or nothing when we are closing: the worker asks whoever comes after us."""
        try:
            async with asyncio.timeout(0 if self._closing else None) as poll:
                self._polls.add(poll)
                try:
                    return await self._desk.inputs(context, after=after, time_limit_s=time_limit_s)
                finally:
                    self._polls.discard(poll)
        except TimeoutError:
            return Inbound(inputs=(), over=False)

    async def _put_blob(self, context: LaunchContext, request: Request) -> Response:
        name = _blob_path(request)
        async with self._spool.receive(request.content, announced=request.content_length) as received:
            await self._blobs.put(blob_name(context.session, name), received)
        return Response(status=204)

    async def _get_blob(self, context: LaunchContext, request: Request) -> StreamResponse:
        name = _blob_path(request)
        shared = name.startswith(f"{context.ticket}/")
        path = await self._blobs.path(name if shared else blob_name(context.session, name))
        return Response(status=404, text="no such blob") if path is None else FileResponse(path)

    async def _publish(self, context: LaunchContext, request: Request) -> Response:
        asked = WirePublish.model_validate_json(await self._body(request))
        bundle = await self._blobs.path(blob_name(context.session, asked.bundle))
        if bundle is None:
            return json_answer(Refusal(kind=FailureKind.INTERNAL, detail="The bundle was not uploaded."), status=422)
        publication = await self._desk.publish(
            context, bundle=bundle, branch=asked.branch, base=asked.base, head=asked.head
        )
        return json_answer(WirePublished(publication=publication))

    async def _body(self, request: Request) -> bytes:
        async with asyncio.timeout(self._limits.body_s):
            return await request.read()


def _caller(request: Request) -> tuple[LaunchId, str]:
    """The launch that is called for and the token that came with the call; raises `LaunchUnknown` without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        launch = LaunchId(UUID(request.match_info["launch"]))
    except ValueError:
        raise LaunchUnknown from None
    if scheme.lower() != "bearer" or not token:
        raise LaunchUnknown
    return launch, token.strip()


def _number(request: Request, name: str) -> float:
    """A number of the query that is not below nought; 0 where there is none."""
    try:
        number = float(request.query.get(name, "0"))
    except ValueError:
        number = math.nan
    if not 0 <= number < 1 << 31:
        raise CallUnreadable(name)
    return number


def _blob_path(request: Request) -> str:
    name = request.match_info["name"]
    if len(name) > NAME_CHARS or not name.isprintable():
        raise CallUnreadable("name")
    return name
