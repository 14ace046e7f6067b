"""What every runner promises, held by a real worker with a scripted agent."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from runners import proctree
from runners.process import ProcessRunner, Reference
from runners.worker.order import WORKER_LOG
from sessions.errors import RunnerUnavailable
from sessions.events import AgentSaid, TurnStarted, WorkerEnded
from sessions.models import LaunchId, SessionId
from sessions.ports import LaunchOrder
from tests.eventually import eventually
from tests.fake_bot import TOKEN
from tests.stage import PATH, WITHIN_S, Stage, stage

LEAVES_CHILDREN: list[dict[str, Any]] = [
    {"child": {}},
    {"child": {"unmarked": True}},
    {"shell": "sleep 600 &"},
    {"say": "x"},
    {"hang": 1},
]

BOT = """
import asyncio, sys
from pathlib import Path
from typing import Any
from uuid import UUID
from runners.process import ProcessRunner
from sessions.ports import LaunchOrder
async def main():
    launch, session, token, socket, directory = sys.argv[1:]
    order = LaunchOrder(launch=UUID(launch), session=UUID(session), token=token, socket=Path(socket), directory=Path(directory), mirror=Path("/"))
    print(await ProcessRunner({"PATH": "/usr/bin:/bin"}).launch(order), flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def children(on: Stage) -> list[int]:
    return [pid for pid in on.found("child") if (p := proctree.find(pid)) is not None and not p.zombie]


def started(*command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def worker(reference: str) -> Reference:
    found = Reference.read(reference)
    assert found is not None
    return found


async def test_a_worker_runs_until_its_end_which_is_told_once() -> None:
    async with stage() as on:
        on.script([{"say": "hello"}])
        await on.act()
        assert await on.runner.running(on.reference)
        await on.sees(WorkerEnded)
        assert await on.runner.wait_any(time_limit_s=20) == [on.reference]
        assert not await on.runner.running(on.reference)
        assert await on.runner.wait_any(time_limit_s=0.01) == []
        assert '"exit": "done"' in await on.runner.last_words(on.reference)


async def test_a_launch_is_started_once() -> None:
    async with stage() as on:
        on.script([{"sleep": 600}])
        order = LaunchOrder(
            launch=on.launch,
            session=on.session,
            token=TOKEN,
            socket=on.bot.socket,
            directory=on.directory,
            mirror=Path(on.bot.bootstrap.mirror),
        )
        on.reference = await on.runner.launch(order)
        assert await on.runner.launch(order) == on.reference


async def test_a_stop_ends_the_worker_and_all_its_descendants_within_its_time() -> None:
    async with stage() as on:
        on.script(LEAVES_CHILDREN)
        await on.act()
        await on.sees(AgentSaid)
        assert len(children(on)) == 2
        began = time.monotonic()
        await on.runner.stop(on.reference)
        assert time.monotonic() - began < 10
        assert not await on.runner.running(on.reference)
        assert children(on) == []
        assert on.bot.of(WorkerEnded)[-1].reason == "terminated"
        await on.runner.stop(on.reference)


async def test_a_worker_that_does_not_obey_is_killed_with_all_its_descendants() -> None:
    async with stage() as on:
        on.script(LEAVES_CHILDREN)
        await on.act()
        await on.sees(AgentSaid)
        os.kill(worker(on.reference).pid, signal.SIGSTOP)
        await on.runner.stop(on.reference, grace_s=0.3)
        assert not await on.runner.running(on.reference)
        assert children(on) == []
        assert not proctree.marked(f"VIBERATOR_LAUNCH={on.launch}")


async def test_another_process_with_the_same_number_is_not_the_worker() -> None:
    runner, other = ProcessRunner({"PATH": PATH}), started("sleep", "600")
    try:
        process = proctree.find(other.pid)
        assert process is not None
        ours = Reference(pid=other.pid, started=process.started - 1, boot="", launch=str(uuid4()))
        same = str(replace(ours, started=process.started, boot="another"))
        for reference in (str(ours), same, "container-4711"):
            assert not await runner.running(reference)
            await runner.stop(reference, grace_s=0.1)
        assert other.poll() is None
    finally:
        other.kill()
        other.communicate()


async def test_what_an_earlier_worker_of_the_session_left_is_ended_by_the_next_launch() -> None:
    async with stage() as on:
        on.script([{"child": {}}, {"say": "x"}, {"sleep": 600}])
        await on.act()
        await on.sees(AgentSaid)
        [left] = children(on)
        os.kill(worker(on.reference).pid, signal.SIGKILL)
        await on.is_gone()
        on.script([{"sleep": 600}])
        await on.act()
        await on.sees(TurnStarted)
        assert left not in children(on)


async def test_workers_and_agents_die_with_the_bot() -> None:
    async with stage() as on:
        on.script(LEAVES_CHILDREN)
        arguments = (str(on.launch), str(on.session), TOKEN, str(on.bot.socket), str(on.directory))
        bot = started(sys.executable, "-c", BOT, *arguments)
        assert bot.stdout is not None
        reference = (await asyncio.to_thread(bot.stdout.readline)).strip()
        await on.sees(AgentSaid)
        assert await on.runner.running(reference)
        bot.kill()
        bot.communicate()
        await eventually(lambda: worker(reference).find() is None, within_s=10)
        assert children(on) == []
        assert on.bot.of(WorkerEnded)[-1].reason == "terminated"


async def test_a_worker_that_cannot_be_started_is_told() -> None:
    runner = ProcessRunner({"PATH": PATH})
    order = LaunchOrder(
        launch=LaunchId(uuid4()),
        session=SessionId(uuid4()),
        token=TOKEN,
        socket=Path("/nowhere"),
        directory=Path("/dev/null/sessions"),
        mirror=Path("/"),
    )
    with pytest.raises(RunnerUnavailable, match="Not a directory"):
        await runner.launch(order)


async def test_a_launch_takes_the_worker_that_is_ready_and_another_gets_ready() -> None:
    async with stage() as on:
        on.runner = ProcessRunner({"PATH": PATH}, ready=1)
        assert await on.runner.wait_any(time_limit_s=0.05) == []
        [recruit] = on.runner._recruits
        on.script([{"say": "hello"}])
        await on.act()
        assert worker(on.reference).pid == recruit.child.pid
        await on.ends()
        await eventually(lambda: len(on.runner._recruits) == 1)


async def test_a_worker_that_died_while_it_was_ready_is_replaced() -> None:
    async with stage() as on:
        on.runner = ProcessRunner({"PATH": PATH}, ready=1)
        await on.runner.wait_any(time_limit_s=0.05)
        recruit = on.runner._recruits[0]
        recruit.child.kill()
        recruit.child.wait()
        on.script([{"say": "hello"}])
        await on.act()
        assert (await on.ends()).reason == "finished"


async def test_the_end_of_a_worker_whose_words_cannot_be_kept_is_told_all_the_same(tmp_path: Path) -> None:
    # The loader complains of this before the worker has a log.
    runner = ProcessRunner({"PATH": PATH, "LD_PRELOAD": "/nowhere.so"}, ready=0)
    order = LaunchOrder(
        launch=LaunchId(uuid4()),
        session=SessionId(uuid4()),
        token=TOKEN,
        socket=tmp_path / "s",
        directory=tmp_path,
        mirror=tmp_path,
    )
    reference = await runner.launch(order)
    log = tmp_path / "state" / WORKER_LOG
    log.unlink()
    log.mkdir()
    os.kill(worker(reference).pid, signal.SIGKILL)
    assert await runner.wait_any(time_limit_s=WITHIN_S) == [reference]
    assert await runner.last_words(reference) == ""
