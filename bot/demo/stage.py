"""Taking the scripted agent's steps: what it tells over ACP, and what it really does in the workspace."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar, assert_never

import acp
from acp.helpers import SessionUpdate
from acp.schema import AgentPlanUpdate, PermissionOption, ToolCallLocation, ToolCallStatus, ToolCallUpdate, ToolKind

from bot.demo.memory import Memory
from bot.demo.steps import AskPermission, Edit, Plan, Read, Run, Say, Step, Think, Write

T = TypeVar("T")

RUN_S = 60.0
NEWLINE = "\n"
OPTIONS = [
    PermissionOption(option_id="yes", name="Yes, run them", kind="allow_once"),
    PermissionOption(option_id="always", name="Yes, and do not ask again", kind="allow_always"),
    PermissionOption(option_id="no", name="No, go on without", kind="reject_once"),
]


class Cancelled(Exception):
    """The turn was cancelled before the step was done."""


class Stage:
    """One turn of one session. `pace_s` is how long a step takes at least, so that people can watch."""

    def __init__(self, client: acp.Client, session: str, directory: Path, pace_s: float) -> None:
        self._client = client
        self._session = session
        self._directory = directory
        self._pace_s = pace_s
        self._cancelled = asyncio.Event()

    def cancel(self) -> None:
        self._cancelled.set()

    async def take(self, step: Step, memory: Memory) -> Memory:
        """Take one step; answers what is known after it. Raises `Cancelled`."""
        await self._pause()
        match step:
            case Think(text=text):
                await self._tell(acp.update_agent_thought_text(text))
            case Say(text=text):
                await self._tell(acp.update_agent_message_text(text))
            case Plan():
                await self._tell(_plan(step))
            case Read():
                await self._read(step)
            case Write():
                await self._write(step)
            case Edit():
                await self._edit(step)
            case Run():
                return memory.model_copy(update={"runs": {**memory.runs, step.call: await self._run(step)}})
            case AskPermission():
                return memory.model_copy(update={"allowed": await self._ask(step)})
            case _:
                assert_never(step)
        return memory

    async def _read(self, step: Read) -> None:
        path = self._directory / step.path
        await self._start(step.call, f"Read {step.path}", kind="read", paths=[path], given={"path": step.path})
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as problem:
            await self._end(step.call, problem.strerror or "", failed=True)
        else:
            await self._end(step.call, text)

    async def _write(self, step: Write) -> None:
        path = self._directory / step.path
        await self._start(step.call, f"Write {step.path}", kind="edit", paths=[path], given={"path": step.path})
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text, encoding="utf-8")
        await self._end(step.call, f"{len(step.text.splitlines())} lines")

    async def _edit(self, step: Edit) -> None:
        path = self._directory / step.path
        await self._start(step.call, f"Edit {step.path}", kind="edit", paths=[path], given={"path": step.path})
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        before = text.replace(step.new, step.old, 1)
        if step.old not in before:
            await self._end(step.call, "The lines to change are not there.", failed=True)
            return
        after = before.replace(step.old, step.new, 1)
        path.write_text(after, encoding="utf-8")
        diff = acp.tool_diff_content(str(path), after, before)
        await self._tell(acp.update_tool_call(step.call, status="completed", content=[diff]))

    async def _run(self, step: Run) -> str:
        """How it went, in a line."""
        await self._start(step.call, step.title, kind="execute", given={"command": " ".join(step.command)})
        code, output = await self._command(step.command)
        counts = output.rpartition(NEWLINE)[2]
        await self._end(step.call, output, failed=code != 0, title=f"{step.title}: {counts}")
        return f"{'red' if code else 'green'} ({counts})"

    async def _command(self, command: tuple[str, ...]) -> tuple[int, str]:
        """Exit code and output; the command and all it has started are ended when the turn is cancelled."""
        program = sys.executable if command[0] == "python3" else command[0]
        child = await asyncio.create_subprocess_exec(
            program, "-B", *command[1:],
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(RUN_S):
                output = await self._unless_cancelled(child.communicate())
        except TimeoutError:
            return 124, f"Ended after {RUN_S:.0f} s."
        finally:
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)
                await child.wait()
        return child.returncode or 0, output[0].decode(errors="replace").strip()

    async def _ask(self, step: AskPermission) -> bool:
        call = ToolCallUpdate(
            tool_call_id=step.call,
            title=step.title,
            kind="execute",
            status="pending",
            raw_input={"command": " ".join(step.command)},
        )
        asked = self._client.request_permission(session_id=self._session, tool_call=call, options=OPTIONS)
        outcome = (await self._unless_cancelled(asked)).outcome
        if outcome.outcome == "cancelled":
            raise Cancelled
        allowed = outcome.option_id in {"yes", "always"}
        if not allowed:
            await self._end(step.call, "Not allowed.", failed=True)
        return allowed

    async def _start(
        self, call: str, title: str, *, kind: ToolKind, given: dict[str, str], paths: Sequence[Path] = ()
    ) -> None:
        places = [ToolCallLocation(path=str(path)) for path in paths]
        await self._tell(
            acp.start_tool_call(call, title, kind=kind, status="in_progress", locations=places, raw_input=given)
        )
        await self._pause()

    async def _end(self, call: str, output: str, *, failed: bool = False, title: str | None = None) -> None:
        """The call is over; `title` is a new one where the outcome says more."""
        status: ToolCallStatus = "failed" if failed else "completed"
        content = [acp.tool_content(acp.text_block(output))]
        await self._tell(acp.update_tool_call(call, title=title, status=status, content=content))

    async def _tell(self, update: SessionUpdate) -> None:
        await self._client.session_update(session_id=self._session, update=update)

    async def _unless_cancelled(self, waiting: Coroutine[Any, Any, T]) -> T:
        """What is waited for; raises `Cancelled` as soon as the turn is."""
        task = asyncio.create_task(waiting, name="demo.step")
        stop = asyncio.create_task(self._cancelled.wait(), name="demo.cancelled")
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Cancelled
            return task.result()
        finally:
            task.cancel()
            stop.cancel()
            await asyncio.gather(task, stop, return_exceptions=True)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._pace_s):
                await self._cancelled.wait()
        except TimeoutError:
            return
        raise Cancelled


def _plan(plan: Plan) -> AgentPlanUpdate:
    return acp.update_plan(
        acp.plan_entry(entry, status="completed" if at < plan.done else "in_progress" if at == plan.done else "pending")
        for at, entry in enumerate(plan.entries)
    )
