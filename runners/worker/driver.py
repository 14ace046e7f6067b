"""One agent process, driven over the Agent Client Protocol: start, greet, open a session, take turns, end.

Whatever the agent does wrong becomes one of the errors named Agent… within seconds of its becoming certain.
"""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import acp
from acp.schema import (
    AcpMcpServer,
    ClientCapabilities,
    EnvVariable,
    FileSystemCapabilities,
    HttpMcpServer,
    Implementation,
    InitializeResponse,
    McpServerStdio,
    PromptResponse,
    SseMcpServer,
)

from runners.worker.cleaning import beginning, end, storable
from runners.worker.client import Client
from runners.worker.errors import (
    AgentExited,
    AgentRefused,
    AgentSilent,
    AgentSpeaksNoAcp,
    AgentVersionUnknown,
)
from runners.worker.leash import Leash, Program, hold
from runners.worker.pipe import LINE_LIMIT_BYTES, AgentPipe

T = TypeVar("T")
Server = HttpMcpServer | SseMcpServer | AcpMcpServer | McpServerStdio

LAST_WORDS_CHARS = 2_000
BABBLE_GRACE_S = 10.0
"""An agent that has written something that is no ACP gets this long to say something that is."""

DRAIN_S = 0.5
CANCEL_S = 5.0
"""Measured: every agent answers a cancelled turn within 0.4 s."""

END_GRACE_S = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """Who the agent says it is."""

    name: str
    version: str
    can_load: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The agent's own id of the session that is open; `resumed` when it goes on with an earlier one."""

    id: str
    resumed: bool


class Agent:
    """A running agent. One turn at a time: a second prompt while one runs means something else to every agent."""

    def __init__(self, leash: Leash, pipe: AgentPipe, client: Client, errors: Path) -> None:
        self._leash = leash
        self._pipe = pipe
        self._client = client
        self._errors = errors
        self._acp = acp.connect_to_agent(cast("acp.Client", client), pipe)
        self._exit = asyncio.create_task(leash.exited(), name="agent.exit")
        self._turn: asyncio.Task[PromptResponse] | None = None
        self._session = ""
        self._can_load = False

    @property
    def running(self) -> bool:
        return not self._exit.done()

    async def greet(self, *, limit_s: float) -> Greeting:
        """Agree on the protocol's version; the first thing that an agent must answer."""
        hello = await self._ask(self._initialize(), waiting_for="initialize", limit_s=limit_s)
        if hello.protocol_version != acp.PROTOCOL_VERSION:
            raise AgentVersionUnknown(hello.protocol_version, acp.PROTOCOL_VERSION)
        abilities, info = hello.agent_capabilities, hello.agent_info
        self._can_load = bool(abilities and abilities.load_session)
        return Greeting(
            name=storable(info.title or info.name) if info else "",
            version=storable(info.version) if info else "",
            can_load=self._can_load,
        )

    async def open(self, *, saved: str, directory: Path, tools: McpServerStdio | None, limit_s: float) -> Conversation:
        """Go on with the saved session where the agent can, else begin a new one."""
        servers: list[Server] = [tools] if tools is not None else []
        if saved and self._can_load and await self._load(saved, directory, servers, limit_s):
            self._session = saved
            return Conversation(id=saved, resumed=True)
        request = self._acp.new_session(cwd=str(directory), mcp_servers=servers)
        answer = await self._ask(request, waiting_for="session/new", limit_s=limit_s)
        self._session = answer.session_id
        return Conversation(id=answer.session_id, resumed=False)

    async def prompt(self, text: str) -> PromptResponse:
        """Give the agent its turn and wait until it ends it, however long that takes; cancelling us leaves it running."""
        request = self._acp.prompt(session_id=self._session, prompt=[acp.text_block(text)])
        self._turn = asyncio.create_task(
            self._ask(request, waiting_for="session/prompt", limit_s=None), name="agent.turn"
        )
        return await asyncio.shield(self._turn)

    async def cancel(self, *, limit_s: float = CANCEL_S) -> None:
        """End the turn that runs; returns when the agent has answered, or has not within the limit."""
        if self._turn is None or self._turn.done():
            return
        self._client.cancel_asks()
        try:
            await self._acp.cancel(session_id=self._session)
        except ConnectionError:
            return
        await asyncio.wait({self._turn}, timeout=limit_s)

    def company(self) -> frozenset[int]:
        """The processes that the agent has started and that still run."""
        return frozenset(process.pid for process in self._leash.company())

    async def end_company(self, spared: frozenset[int]) -> None:
        """End the agent's processes but those spared: some agents leave a shell command alive after a cancel."""
        await self._leash.end_company(frozenset(p for p in self._leash.company() if p.pid in spared))

    async def end(self, *, grace_s: float = END_GRACE_S) -> None:
        """End the process with all that it has started; doing it again changes nothing."""
        self._client.cancel_asks()
        await self._leash.end(grace_s=grace_s if self.running else 0.0)
        if self._turn is not None:
            # Whoever waits for the turn hears why it has no end.
            await asyncio.wait({self._turn}, timeout=2 * DRAIN_S)
        await self._acp.close()
        await _settle(self._turn, self._exit)

    def last_words(self) -> str:
        """The tail of what the agent wrote to its error output, or else the first line that was no ACP."""
        try:
            with self._errors.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - 4 * LAST_WORDS_CHARS))
                words = file.read().decode(errors="replace").strip()
        except OSError:
            words = ""
        return end(words, LAST_WORDS_CHARS) or beginning(self._pipe.sample, LAST_WORDS_CHARS)

    async def _initialize(self) -> InitializeResponse:
        return await self._acp.initialize(
            protocol_version=acp.PROTOCOL_VERSION,
            client_capabilities=ClientCapabilities(
                fs=FileSystemCapabilities(read_text_file=False, write_text_file=False), terminal=False
            ),
            client_info=Implementation(name="viberator", title="Viberator", version="1"),
        )

    async def _load(self, saved: str, directory: Path, servers: list[Server], limit_s: float) -> bool:
        request = self._acp.load_session(cwd=str(directory), session_id=saved, mcp_servers=servers)
        try:
            await self._ask(request, waiting_for="session/load", limit_s=limit_s)
        except AgentRefused:
            return False
        return True

    async def _ask(self, request: Coroutine[Any, Any, T], *, waiting_for: str, limit_s: float | None) -> T:
        """The answer to a request, or why there will be none."""
        answer = asyncio.create_task(request, name=f"agent.{waiting_for}")
        babble = asyncio.create_task(self._babbles(), name="agent.babble")
        try:
            await asyncio.wait({answer, babble, self._exit}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if self._exit.done() and not answer.done():
                # The answer may still be in the pipe.
                await asyncio.wait({answer}, timeout=DRAIN_S)
            if answer.done():
                return await self._read(answer, waiting_for)
            raise self._why_silent(waiting_for, limit_s or 0.0)
        finally:
            await _settle(answer, babble)

    async def _read(self, answer: "asyncio.Task[T]", waiting_for: str) -> T:
        try:
            return answer.result()
        except acp.RequestError as error:
            message = beginning(f"{error} {_detail(error)}".strip(), LAST_WORDS_CHARS)
            raise AgentRefused(waiting_for, error.code, message, self.last_words()) from error
        except ConnectionError as error:
            # It closed its output; a process that outlives that is of no use.
            await asyncio.wait({self._exit}, timeout=DRAIN_S)
            raise self._why_gone() from error
        except ValueError as error:
            raise AgentSpeaksNoAcp(f"an answer to {waiting_for} of the wrong shape", self.last_words()) from error

    def _why_silent(self, waiting_for: str, limit_s: float) -> Exception:
        if self._exit.done():
            return self._why_gone()
        if self._pipe.sample and not self._pipe.heard:
            return AgentSpeaksNoAcp(beginning(self._pipe.sample, 300), self.last_words())
        return AgentSilent(waiting_for, limit_s, self.last_words())

    def _why_gone(self) -> Exception:
        code = self._exit.result() if self._exit.done() else None
        if code == 0 and self._pipe.sample and not self._pipe.heard:
            return AgentSpeaksNoAcp(beginning(self._pipe.sample, 300), self.last_words())
        return AgentExited(code, self.last_words())

    async def _babbles(self) -> None:
        await self._pipe.babble.wait()
        await asyncio.sleep(BABBLE_GRACE_S)
        if self._pipe.heard:
            await asyncio.Event().wait()


async def start(program: Program, *, client: Client, errors: Path, ready: Callable[[], Awaitable[None]]) -> Agent:
    """Start the agent's process; its error output replaces what is in `errors`. Raises `AgentMissing`."""
    with errors.open("wb") as file:
        leash = await hold(program, output=file, errors=file, talk=True, limit=LINE_LIMIT_BYTES)
    return Agent(leash, _pipe_of(leash.child, ready), client, errors)


def tool_server(socket: Path) -> McpServerStdio:
    """Our own tools, as an MCP server that the agent starts.

    `-I` keeps Python from looking for modules in the workspace, where the agent could have put some of the same name.
    """
    arguments = ["-I", "-m", "runners.worker.tools", str(socket)]
    return McpServerStdio(
        name="viberator", command=sys.executable, args=arguments, env=[EnvVariable(name="PYTHONUTF8", value="1")]
    )


def _pipe_of(child: Process, ready: Callable[[], Awaitable[None]]) -> AgentPipe:
    assert child.stdout is not None
    assert child.stdin is not None
    return AgentPipe(child.stdout, child.stdin, ready)


def _detail(error: acp.RequestError) -> str:
    match error.data:
        case {"details": str(details)} | {"message": str(details)} | str(details):
            return details
        case _:
            return ""


async def _settle(*tasks: "asyncio.Task[Any] | None") -> None:
    """Cancel what still runs and collect every outcome, so that none is reported as forgotten."""
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
