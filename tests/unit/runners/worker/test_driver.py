"""One agent process over ACP, and everything such a process may do wrong."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from runners import proctree
from runners.worker import driver
from runners.worker.client import Ask, Client
from runners.worker.driver import Agent
from runners.worker.errors import (
    AgentExited,
    AgentMissing,
    AgentRefused,
    AgentSilent,
    AgentSpeaksNoAcp,
    AgentVersionUnknown,
)
from runners.worker.leash import Program
from runners.worker.narration import Narration
from sessions.events import AgentSaid, AgentThought, PlanShown, ToolCalled, UsageReported, WorkerFrame
from sessions.models import Verdict
from tests.eventually import eventually
from tests.stage import AGENT, PATH


@dataclass
class Heard:
    """What the driver hands on."""

    frames: list[WorkerFrame] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)

    def text(self) -> str:
        return "".join(frame.text for frame in self.frames if isinstance(frame, AgentSaid))


async def _ready() -> None:
    return None


@asynccontextmanager
async def running(tmp_path: Path, script: dict[str, Any], heard: Heard) -> AsyncIterator[tuple[Agent, Narration]]:
    (tmp_path / "script.json").write_text(json.dumps(script))
    async with commanded(tmp_path, heard, sys.executable, str(AGENT), str(tmp_path / "script.json")) as agent:
        yield agent


@asynccontextmanager
async def commanded(tmp_path: Path, heard: Heard, *command: str) -> AsyncIterator[tuple[Agent, Narration]]:
    root = tmp_path / "workspace"
    root.mkdir(exist_ok=True)
    narration = Narration(heard.frames.append, root)
    program = Program(
        command=command,
        directory=root,
        environment={"HOME": str(tmp_path), "PATH": PATH},
        mark=f"VIBERATOR_PROGRAM={uuid4()}",
    )
    client = Client(narration, root, heard.asks.append)
    agent = await driver.start(program, client=client, errors=tmp_path / "agent.err", ready=_ready)
    try:
        yield agent, narration
    finally:
        await agent.end(grace_s=0.5)


async def opened(agent: Agent, tmp_path: Path) -> None:
    await agent.greet(limit_s=20)
    await agent.open(saved="", directory=tmp_path / "workspace", tools=None, limit_s=20)


async def test_what_an_agent_tells_arrives_in_its_order(tmp_path: Path) -> None:
    heard = Heard()
    steps: list[dict[str, Any]] = [{"say": f"{n} "} for n in range(300)]
    steps += [
        {"think": "hm"},
        {"plan": [["one", "completed"], ["two", "pending"]]},
        {"tool": {"tool_call_id": "t", "title": "Run", "kind": "execute", "raw_input": {"command": "ls"}}},
        {"tool_update": {"tool_call_id": "t", "status": "completed", "raw_output": "README.md"}},
        {"cost": 0.25},
        {"usage": [10, 20]},
        {"say": "end"},
    ]
    async with running(tmp_path, {"turns": [{"steps": steps}]}, heard) as (agent, narration):
        await opened(agent, tmp_path)
        response = await agent.prompt("go")
        narration.hear_usage(response.usage)
    assert heard.text() == "".join(f"{n} " for n in range(300)) + "end"
    kinds = [type(frame) for frame in heard.frames if not isinstance(frame, AgentSaid)]
    assert kinds == [AgentThought, PlanShown, ToolCalled, ToolCalled, UsageReported, UsageReported]
    called = [frame for frame in heard.frames if isinstance(frame, ToolCalled)][-1]
    assert (called.title, called.input, called.output, called.status) == ("Run", "ls", "README.md", "completed")


async def test_a_missing_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(AgentMissing) as missing:
        async with commanded(tmp_path, Heard(), "/no/such/agent"):
            pass
    assert missing.value.command == "/no/such/agent"


async def test_a_file_that_may_not_be_run_is_a_missing_command(tmp_path: Path) -> None:
    (tmp_path / "agent").write_text("x")
    with pytest.raises(AgentMissing, match="ermission"):
        async with commanded(tmp_path, Heard(), str(tmp_path / "agent")):
            pass


async def test_an_agent_that_exits_at_once_leaves_its_last_words(tmp_path: Path) -> None:
    script = {"start": {"exit": 3, "stderr": "no API key"}}
    async with running(tmp_path, script, Heard()) as (agent, _):
        with pytest.raises(AgentExited) as exited:
            await agent.greet(limit_s=20)
    assert (exited.value.code, exited.value.last_words) == (3, "no API key")


async def test_an_agent_that_hangs_before_its_first_answer_is_given_up(tmp_path: Path) -> None:
    async with running(tmp_path, {"start": {"silent": True}}, Heard()) as (agent, _):
        with pytest.raises(AgentSilent, match="initialize"):
            await agent.greet(limit_s=0.5)


async def test_a_program_that_speaks_no_acp_is_told_by_what_it_wrote(tmp_path: Path) -> None:
    async with commanded(tmp_path, Heard(), "sh", "-c", "echo usage: foo; exit 0") as (agent, _):
        with pytest.raises(AgentSpeaksNoAcp) as spoke:
            await agent.greet(limit_s=20)
    assert spoke.value.sample == "usage: foo"


async def test_a_program_that_babbles_and_stays_is_given_up(tmp_path: Path) -> None:
    async with commanded(tmp_path, Heard(), "sh", "-c", "echo '$ '; sleep 60") as (agent, _):
        with pytest.raises(AgentSpeaksNoAcp):
            await agent.greet(limit_s=0.5)


async def test_lines_that_are_no_messages_are_passed_over(tmp_path: Path) -> None:
    heard = Heard()
    odd = ["42", '"text"', "[1]", "null", "{", "\x00\x01", '{"a":' * 3000, "x" * (33 << 20)]
    script = {
        "start": {"garbage": "npm notice: a new version"},
        "turns": [{"steps": [*({"garbage": line} for line in odd), {"say": "still here"}]}],
    }
    async with running(tmp_path, script, heard) as (agent, _):
        await opened(agent, tmp_path)
        await agent.prompt("go")
    assert heard.text() == "still here"


async def test_updates_of_an_unknown_kind_or_shape_spoil_nothing(tmp_path: Path) -> None:
    heard = Heard()
    steps = [{"raw": {"sessionUpdate": "brand_new"}}, {"raw": {"sessionUpdate": "tool_call"}}, {"say": "on"}]
    async with running(tmp_path, {"turns": [{"steps": steps}]}, heard) as (agent, _):
        await opened(agent, tmp_path)
        await agent.prompt("go")
    assert heard.text() == "on"


async def test_another_version_of_the_protocol_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, {"start": {"protocol": 7}}, Heard()) as (agent, _):
        with pytest.raises(AgentVersionUnknown) as version:
            await agent.greet(limit_s=20)
    assert version.value.theirs == 7


async def test_an_agent_where_nobody_is_logged_in_says_so(tmp_path: Path) -> None:
    async with running(tmp_path, {"start": {"refuse": "run `agent login`"}}, Heard()) as (agent, _):
        with pytest.raises(AgentRefused) as refused:
            await opened(agent, tmp_path)
    assert "run `agent login`" in refused.value.message


async def test_an_agent_that_dies_in_mid_turn_ends_it_with_its_last_words(tmp_path: Path) -> None:
    heard = Heard()
    # What it leaves behind holds its output open, so that the end of its process is the only sign.
    steps: list[dict[str, Any]] = [
        {"say": "I begin."},
        {"stderr": "panic: oh no"},
        {"shell": "sleep 600 &"},
        {"crash": 9},
    ]
    async with running(tmp_path, {"turns": [{"steps": steps}]}, heard) as (agent, _):
        await opened(agent, tmp_path)
        began = time.monotonic()
        with pytest.raises(AgentExited) as exited:
            await agent.prompt("go")
        assert time.monotonic() - began < 5
    assert exited.value.code == 9
    assert exited.value.last_words.endswith("panic: oh no")
    assert heard.text() == "I begin."


async def test_a_cancelled_turn_ends_with_its_reason(tmp_path: Path) -> None:
    heard = Heard()
    async with running(tmp_path, {"turns": [{"steps": [{"say": "…"}, {"sleep": 60}]}]}, heard) as (agent, _):
        await opened(agent, tmp_path)
        turn = asyncio.create_task(agent.prompt("go"))
        await eventually(lambda: bool(heard.frames))
        await agent.cancel()
        assert (await turn).stop_reason == "cancelled"


@pytest.mark.parametrize(
    ("verdict", "offered", "chosen"),
    [
        (Verdict.APPROVE, ["allow_always", "allow_once", "reject_once"], "allow_once"),
        (Verdict.APPROVE, ["allow_always", "reject_once"], "allow_always"),
        (Verdict.APPROVE_ALWAYS, ["allow_once", "allow_always"], "allow_always"),
        (Verdict.REJECT, ["allow_once", "reject_always", "reject_once"], "reject_once"),
        (Verdict.REJECT, ["allow_once"], "cancelled"),
        (None, ["allow_once"], "cancelled"),
    ],
)
async def test_permission_waits_and_is_answered_by_kind(
    tmp_path: Path, verdict: Verdict | None, offered: list[str], chosen: str
) -> None:
    heard = Heard()
    ask = {
        "ask": {"id": "p", "title": "rm -rf build", "kind": "execute", "input": {"command": "rm"}, "options": offered}
    }
    async with running(tmp_path, {"turns": [{"steps": [ask]}]}, heard) as (agent, _):
        await opened(agent, tmp_path)
        turn = asyncio.create_task(agent.prompt("go"))
        await eventually(lambda: bool(heard.asks))
        assert not turn.done()
        assert heard.asks[0].call.event.title == "rm -rf build"
        heard.asks[0].answer.set_result(verdict)
        await turn
    assert json.loads((tmp_path / "found.jsonl").read_text()) == {"permission": chosen}


async def test_only_files_of_the_workspace_are_read_for_the_agent(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "in.txt").write_text("inside")
    (tmp_path / "out.txt").write_text("outside")
    (root / "link").symlink_to(tmp_path / "out.txt")
    os.mkfifo(root / "pipe")
    paths = [root / "in.txt", tmp_path / "out.txt", root / "link", root / "pipe", Path("/proc/self/environ")]
    steps = [*({"read": str(path)} for path in paths), {"write_by_client": str(tmp_path / "new.txt")}]
    async with running(tmp_path, {"turns": [{"steps": steps}]}, Heard()) as (agent, _):
        await opened(agent, tmp_path)
        await agent.prompt("go")
    found = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert found[0] == {"content": "inside"}
    assert [list(line) for line in found[1:]] == [["refused"]] * 4
    assert not (tmp_path / "new.txt").exists()


async def test_a_saved_session_is_loaded_without_its_story_being_told_again(tmp_path: Path) -> None:
    script = {"load": True, "turns": [{"steps": [{"say": "hello"}]}]}
    root = tmp_path / "workspace"
    async with running(tmp_path, script, Heard()) as (agent, _):
        await agent.greet(limit_s=20)
        first = await agent.open(saved="", directory=root, tools=None, limit_s=20)
    heard = Heard()
    async with running(tmp_path, script, heard) as (agent, narration):
        await agent.greet(limit_s=20)
        narration.deaf = True
        again = await agent.open(saved=first.id, directory=root, tools=None, limit_s=20)
        narration.deaf = False
        await agent.prompt("go")
    assert (first.resumed, again.resumed, again.id) == (False, True, first.id)
    assert heard.text() == "hello"


async def test_a_session_that_cannot_be_loaded_is_begun_anew(tmp_path: Path) -> None:
    async with running(tmp_path, {"load": True}, Heard()) as (agent, _):
        await agent.greet(limit_s=20)
        fresh = await agent.open(saved="lost", directory=tmp_path / "workspace", tools=None, limit_s=20)
    assert not fresh.resumed


@pytest.mark.parametrize("unmarked", [False, True])
async def test_nothing_that_the_agent_started_outlives_it(tmp_path: Path, *, unmarked: bool) -> None:
    heard = Heard()
    steps = [{"deaf_to_signals": 1}, {"child": {"unmarked": unmarked}}, {"shell": "sleep 600 & echo"}, {"hang": 1}]
    async with running(tmp_path, {"turns": [{"steps": steps}]}, heard) as (agent, _):
        await opened(agent, tmp_path)
        turn = asyncio.create_task(agent.prompt("go"))
        await eventually(lambda: (tmp_path / "found.jsonl").exists() and len(agent.company()) >= 2)
        company = [process for pid in agent.company() if (process := proctree.find(pid)) is not None]
        await agent.end(grace_s=0.3)
        with pytest.raises(AgentExited):
            await turn
    assert len(company) >= 2
    assert not [process for process in company if proctree.alive(process)]
