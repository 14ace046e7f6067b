"""An ACP agent that does what a script says: `python scripted.py SCRIPT.json`. Every odd thing an agent may do is a step.

The script: `{"start": {…}, "load": true, "turns": [{"when": "text in the prompt", "steps": [{"say": "hello"}, …]}, …]}`. A
prompt takes the first turn whose `when` it contains; a turn is taken once, unless it says `"again": true`. What the agent was
told is in `prompts.jsonl` in its HOME, and what it found out in `found.jsonl`.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import acp
from acp.schema import (
    AgentCapabilities,
    AgentMessageChunk,
    AgentPlanUpdate,
    Cost,
    Implementation,
    InitializeResponse,
    LoadSessionResponse,
    McpServerStdio,
    NewSessionResponse,
    PermissionOption,
    PlanEntry,
    PromptResponse,
    TextContentBlock,
    ToolCallProgress,
    ToolCallStart,
    ToolCallUpdate,
    Usage,
    UsageUpdate,
)

Step = dict[str, Any]
HOME = Path.home()


class Cancelled(Exception):
    """The client has cancelled the turn."""


def note(name: str, **facts: object) -> None:
    with (HOME / name).open("a") as file:
        file.write(json.dumps(facts) + "\n")


class Scripted:
    def __init__(self, script: dict[str, Any]) -> None:
        self._script = script
        self._turns: list[dict[str, Any]] = list(script.get("turns", []))
        self._cancelled = asyncio.Event()
        self._servers: list[McpServerStdio] = []
        self._client: Any = None
        self._cwd = Path()
        self._session = ""

    def on_connect(self, conn: acp.Client) -> None:
        self._client = conn

    async def initialize(self, protocol_version: int, **_: object) -> InitializeResponse:
        start = self._script.get("start", {})
        if start.get("silent"):
            await asyncio.Event().wait()
        return InitializeResponse(
            protocol_version=start.get("protocol", protocol_version),
            agent_capabilities=AgentCapabilities(load_session=bool(self._script.get("load"))),
            agent_info=Implementation(name="scripted", title="Scripted agent", version="1.0"),
        )

    async def new_session(
        self, cwd: str, mcp_servers: list[McpServerStdio] | None = None, **_: object
    ) -> NewSessionResponse:
        if refusal := self._script.get("start", {}).get("refuse"):
            raise acp.RequestError(-32000, "Authentication required", {"details": refusal})
        self._open(f"s{os.getpid()}", cwd, mcp_servers)
        (HOME / f"{self._session}.session").write_text("{}")
        return NewSessionResponse(session_id=self._session)

    async def load_session(
        self, cwd: str, session_id: str, mcp_servers: list[McpServerStdio] | None = None, **_: object
    ) -> LoadSessionResponse:
        if not (HOME / f"{session_id}.session").exists():
            raise acp.RequestError.resource_not_found(session_id)
        self._open(session_id, cwd, mcp_servers)
        note("found.jsonl", loaded=session_id)
        await self._say("(told again from an earlier turn)")
        return LoadSessionResponse()

    def _open(self, session: str, cwd: str, servers: list[McpServerStdio] | None) -> None:
        self._session, self._cwd, self._servers = session, Path(cwd), servers or []

    async def cancel(self, session_id: str, **_: object) -> None:
        self._cancelled.set()

    async def prompt(self, session_id: str, prompt: list[TextContentBlock], **_: object) -> PromptResponse:
        text = "".join(block.text for block in prompt)
        note("prompts.jsonl", session=session_id, text=text)
        self._cancelled.clear()
        stop_reason: Any = "end_turn"
        usage = None
        for step in self._steps(text):
            if "stop" in step:
                stop_reason = step["stop"]
            elif "usage" in step:
                given, taken = step["usage"]
                usage = Usage(total_tokens=given + taken, input_tokens=given, output_tokens=taken)
            else:
                try:
                    await self._do(step)
                except Cancelled:
                    return PromptResponse(stop_reason="cancelled")
        return PromptResponse(stop_reason=stop_reason, usage=usage)

    def _steps(self, text: str) -> list[Step]:
        for turn in self._turns:
            if turn.get("when", "") in text:
                if not turn.get("again"):
                    self._turns.remove(turn)
                return list(turn["steps"])
        return [{"say": "There is nothing in my script for this."}]

    async def _do(self, step: Step) -> None:
        for name, value in step.items():
            act: Callable[[Any], Awaitable[None]] = getattr(self, f"_{name}")
            await act(value)

    async def _update(self, update: object) -> None:
        await self._client.session_update(session_id=self._session, update=update)

    async def _say(self, text: str) -> None:
        content = TextContentBlock(type="text", text=text)
        await self._update(AgentMessageChunk(session_update="agent_message_chunk", content=content))

    async def _raw(self, update: object) -> None:
        """An update as it stands, valid or not."""
        await self._client._conn.send_notification("session/update", {"sessionId": self._session, "update": update})

    async def _think(self, text: str) -> None:
        await self._update(acp.update_agent_thought_text(text))

    async def _plan(self, entries: list[list[str]]) -> None:
        made = [PlanEntry(content=c, priority="medium", status=cast("Any", s)) for c, s in entries]
        await self._update(AgentPlanUpdate(session_update="plan", entries=made))

    async def _tool(self, fields: dict[str, Any]) -> None:
        await self._update(ToolCallStart(session_update="tool_call", **fields))

    async def _tool_update(self, fields: dict[str, Any]) -> None:
        await self._update(ToolCallProgress(session_update="tool_call_update", **fields))

    async def _cost(self, amount: float) -> None:
        cost = Cost(amount=amount, currency="USD")
        await self._update(UsageUpdate(session_update="usage_update", used=10, size=100, cost=cost))

    async def _ask(self, asked: dict[str, Any]) -> None:
        """Ask for permission; an option is a kind, or a kind and its name. `words` is what the request says itself."""
        offered = asked.get("options", ["allow_once", "allow_always", "reject_once"])
        named: list[tuple[Any, str]] = [(option, option) if isinstance(option, str) else option for option in offered]
        options = [PermissionOption(option_id=f"id-{n}", name=name, kind=kind) for n, (kind, name) in enumerate(named)]
        call = ToolCallUpdate(
            tool_call_id=asked["id"],
            title=asked.get("title"),
            kind=asked.get("kind"),
            raw_input=asked.get("input"),
            content=[acp.tool_content(acp.text_block(asked["words"]))] if "words" in asked else None,
        )
        answer = await self._client.request_permission(session_id=self._session, tool_call=call, options=options)
        outcome = answer.outcome
        chosen = next((o.name for o in options if o.option_id == getattr(outcome, "option_id", "")), "cancelled")
        note("found.jsonl", permission=chosen)
        if chosen == "cancelled" and self._cancelled.is_set():
            raise Cancelled
        if chosen.startswith("allow"):
            for step in asked.get("then", []):
                await self._do(step)

    async def _write(self, file: list[str]) -> None:
        path = self._cwd / file[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file[1])

    async def _shell(self, command: str) -> None:
        done = await asyncio.create_subprocess_shell(command, cwd=self._cwd, stdin=subprocess.DEVNULL)
        note("found.jsonl", shell=command, code=await done.wait())

    async def _python(self, code: str) -> None:
        """Run Python in a process of its own and note what it prints."""
        done = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        output, _ = await done.communicate()
        note("found.jsonl", output=output.decode(errors="replace"))

    async def _read(self, path: str) -> None:
        try:
            answer = await self._client.read_text_file(session_id=self._session, path=path)
            note("found.jsonl", content=answer.content)
        except acp.RequestError as error:
            note("found.jsonl", refused=str(error))

    async def _write_by_client(self, path: str) -> None:
        await self._client.write_text_file(session_id=self._session, path=path, content="by the client")

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._cancelled.wait()
        except TimeoutError:
            return
        raise Cancelled

    async def _hang(self, _: object) -> None:
        """Not even a cancel helps."""
        await asyncio.Event().wait()

    async def _deaf_to_signals(self, _: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    async def _crash(self, code: int) -> None:
        os._exit(code)

    async def _stderr(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)  # noqa: T201

    async def _garbage(self, text: str) -> None:
        left = text.encode(errors="surrogatepass") + b"\n"
        while left:
            try:
                left = left[os.write(1, left) :]
            except BlockingIOError:
                await asyncio.sleep(0.001)

    async def _child(self, options: dict[str, Any]) -> None:
        """Leave a process behind: in a session of its own, and without our marks in its environment if so wished."""
        environment: dict[str, str] | None = {} if options.get("unmarked") else None
        command = ["sleep", "600"]
        child = subprocess.Popen(command, start_new_session=True, env=environment, stdout=subprocess.DEVNULL)  # noqa: ASYNC220
        note("found.jsonl", child=child.pid)

    async def _mcp(self, call: list[Any]) -> None:
        """Use a tool of the server that we were given, from a process of its own: few agents need what that imports."""
        server = self._servers[0]
        values = (server.command, json.dumps(server.args), call[0], json.dumps(call[1]))
        script = str(Path(__file__).with_name("tool_call.py"))
        done = await asyncio.create_subprocess_exec(sys.executable, script, *values, stdout=subprocess.PIPE)
        output, _ = await done.communicate()
        note("found.jsonl", tool=call[0], answer=output.decode().strip())


async def main() -> None:
    script = json.loads(Path(sys.argv[1]).read_text())  # noqa: ASYNC240
    start = script.get("start", {})
    if "stderr" in start:
        print(start["stderr"], file=sys.stderr, flush=True)  # noqa: T201
    if "garbage" in start:
        print(start["garbage"], flush=True)  # noqa: T201
    if "exit" in start:
        sys.exit(start["exit"])
    if start.get("deaf"):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(600):
                await asyncio.Event().wait()
    await acp.run_agent(cast("acp.Agent", Scripted(script)))


if __name__ == "__main__":
    asyncio.run(main())
