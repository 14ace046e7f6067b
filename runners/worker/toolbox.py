"""The worker's end of the agent's tools: a unix socket that takes one call a connection and answers at once."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Literal

import structlog
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

PATH_BYTES = 100
"""A unix socket's path may have 107 bytes on Linux and 103 on macOS (unix(7))."""

LINE_LIMIT_BYTES = 8 << 20
LINE_WITHIN_S = 30.0

log = structlog.get_logger()


class Question(BaseModel):
    question: Annotated[str, Field(min_length=1, max_length=20_000)]
    options: list[Annotated[str, Field(max_length=200)]] = []


class Paper(BaseModel):
    markdown: Annotated[str, Field(min_length=1, max_length=1_000_000)]


class Exhibit(BaseModel):
    path: Annotated[str, Field(min_length=1, max_length=4_000)]


class WorkReport(BaseModel):
    title: Annotated[str, Field(max_length=2_000)]
    summary: Annotated[str, Field(max_length=50_000)] = ""


class AskHuman(BaseModel):
    tool: Literal["ask_human"]
    arguments: Question


class WriteDocument(BaseModel):
    tool: Literal["write_document"]
    arguments: Paper


class AttachFile(BaseModel):
    tool: Literal["attach_file"]
    arguments: Exhibit


class Report(BaseModel):
    tool: Literal["report"]
    arguments: WorkReport


Call = AskHuman | WriteDocument | AttachFile | Report
CALL: TypeAdapter[Call] = TypeAdapter(Annotated[Call, Field(discriminator="tool")])
Answer = Callable[[Call], Awaitable[str]]


@asynccontextmanager
async def open_toolbox(directory: Path, answer: Answer) -> AsyncIterator[Path]:
    """Serve calls until the end of the block; answers where. Only the owner may connect."""
    with _place(directory) as place:
        path = place / "tools.sock"
        path.unlink(missing_ok=True)
        desk = await asyncio.start_unix_server(_Desk(answer).serve, path=str(path), limit=LINE_LIMIT_BYTES)
        path.chmod(0o600)
        try:
            yield path
        finally:
            desk.close()
            path.unlink(missing_ok=True)


class _Desk:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(LINE_WITHIN_S):
                line = await reader.readline()
            words = await self._reply(line)
            writer.write(" ".join(words.split()).encode(errors="replace") + b"\n")
            await writer.drain()
        except (OSError, TimeoutError, ValueError):
            log.info("tools.call_broken")
        finally:
            writer.close()

    async def _reply(self, line: bytes) -> str:
        try:
            call = CALL.validate_json(line)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            return f"This call cannot be read: {'.'.join(map(str, first['loc']))}: {first['msg']}."
        return await self._answer(call)


@contextmanager
def _place(directory: Path) -> Iterator[Path]:
    """The directory, or one with a path that is short enough for a socket."""
    if len(bytes(directory / "tools.sock")) <= PATH_BYTES:
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="viberator-") as short:
        yield Path(short)
