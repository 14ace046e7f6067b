"""A client for the scripted agent: hears everything, decides as it is told, and can be left behind."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import acp
from acp.schema import (
    AllowedOutcome,
    DeniedOutcome,
    PermissionOption,
    RequestPermissionResponse,
    ToolCallUpdate,
)

from bot.demo import casting


@dataclass
class Audience:
    """What the agent told, in order, as JSON; `verdict` is the kind of option to choose, None waits for ever."""

    verdict: str | None = "allow_once"
    told: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    on_update: Callable[[], None] = lambda: None

    async def session_update(self, session_id: str, update: Any, **_: object) -> None:  # noqa: ANN401 (the SDK's union)
        self.told.append(update.model_dump(mode="json", by_alias=True, exclude_none=True))
        self.on_update()

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption], **_: object
    ) -> RequestPermissionResponse:
        self.asked.append(tool_call.model_dump(mode="json", by_alias=True, exclude_none=True))
        self.on_update()
        if self.verdict is None:
            await asyncio.Event().wait()
        if self.verdict == "cancelled":
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        chosen = next(option for option in options if option.kind == self.verdict)
        return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=chosen.option_id))

    def texts(self, kind: str = "agent_message_chunk") -> list[str]:
        return [update["content"]["text"] for update in self.told if update["sessionUpdate"] == kind]

    def calls(self) -> dict[str, dict[str, Any]]:
        """Each tool call as its updates leave it, in the order in which they began."""
        calls: dict[str, dict[str, Any]] = {}
        for update in self.told:
            if update["sessionUpdate"].startswith("tool_call"):
                calls.setdefault(update["toolCallId"], {}).update(update)
        return calls


@dataclass
class Actor:
    """A running agent. `home` is where it remembers."""

    connection: Any
    pid: int
    audience: Audience
    directory: Path
    session: str = ""

    async def open(self, session: str = "") -> str:
        if session:
            await self.connection.load_session(cwd=str(self.directory), session_id=session, mcp_servers=[])
        else:
            answer = await self.connection.new_session(cwd=str(self.directory), mcp_servers=[])
            session = answer.session_id
        self.session = session
        return session

    async def prompt(self, text: str) -> str:
        """The reason for which the turn ended."""
        async with asyncio.timeout(30):
            answer = await self.connection.prompt(session_id=self.session, prompt=[acp.text_block(text)])
        return str(answer.stop_reason)

    def kill(self) -> None:
        os.killpg(self.pid, signal.SIGKILL)


@asynccontextmanager
async def acting(directory: Path, home: Path, audience: Audience, *, pace_s: float = 0.0) -> AsyncIterator[Actor]:
    """The agent as the worker starts it: a process in the workspace, with a home of its own."""
    environment = {"HOME": str(home), "PATH": os.defpath}
    async with acp.spawn_agent_process(
        audience,  # type: ignore[arg-type]
        "setsid",
        *casting.command(pace_s=pace_s),
        env=environment,
        cwd=str(directory),
        transport_kwargs={"stderr": sys.stderr, "limit": 1 << 24, "shutdown_timeout": 2.0},
    ) as (connection, process):
        await connection.initialize(protocol_version=acp.PROTOCOL_VERSION)
        yield Actor(connection, process.pid, audience, directory)
