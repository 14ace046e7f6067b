"""Delivery over the real stores: crashes, two processes, and a ticket in two threads' worth of history."""

import asyncio
from collections import deque

import pytest

from conversations.ports import ThreadWork
from conversations.progress import VERSION
from conversations.rendering import Links, view
from sessions.events import AgentSaid, ToolCalled, TurnEnded, TurnStarted
from sessions.models import Verdict
from tests.bureau import Bureau
from tests.eventually import eventually_so
from tests.fakes_outlet import EDITABLE, Crash, JournalOutlet
from tests.room import Room
from tests.stories import told


async def test_story_is_told_once_and_in_order(bureau: Bureau) -> None:
    room = Room.open(bureau)
    await story(room)
    assert room.outlet.posts == ["root", "progress/1", "approval/1"]
    await shows_its_history(room)


@pytest.mark.parametrize("fault", ["crash_before", "crash_after", "unclear_after"])
@pytest.mark.parametrize("calls", range(7))
async def test_process_that_dies_in_a_call_repeats_nothing(bureau: Bureau, fault: str, calls: int) -> None:
    room = Room.open(bureau, JournalOutlet(key=bureau.installation.outlet, capabilities=EDITABLE))
    room.outlet.faults = deque([*["none"] * calls, fault])  # type: ignore[list-item] # (parametrize gives strings)
    await story(room)
    assert room.outlet.posts == ["root", "progress/1", "approval/1"]
    await shows_its_history(room)


async def test_cursor_and_snapshot_move_together(bureau: Bureau) -> None:
    room = Room.open(bureau)
    await story(room)
    work = await work_of(room)
    assert work.thread.delivered_event == work.thread.wanted_event
    assert work.snapshot is not None
    assert (work.snapshot.version, work.snapshot.position) == (VERSION, work.thread.delivered_event)
    assert work.events == []


async def test_snapshot_of_another_version_is_made_anew(bureau: Bureau) -> None:
    room = Room.open(bureau)
    await story(room)
    async with bureau.database.app(bureau.workspace) as connection:
        await connection.execute("UPDATE threads SET snapshot_version = $1, snapshot = '{}'", VERSION + 1)
    await room.say("one more thing")
    assert room.outlet.posts == ["root", "progress/1", "approval/1", "progress/2"]
    await shows_its_history(room)


async def test_two_processes_say_everything_once(bureau: Bureau) -> None:
    room = Room.open(bureau)
    running = [asyncio.create_task(room.courier.run()) for _ in range(2)]
    await room.intake_only("fix it")
    claim = await bureau.claim()
    for number in range(10):
        await bureau.report(claim, step(number))
    await bureau.document(claim)
    await eventually_so(lambda: delivered(room))
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    assert room.outlet.posts == ["root", "progress/1", "approval/1"]
    await shows_its_history(room)


async def test_thread_in_which_nothing_happens_costs_one_scan(bureau: Bureau) -> None:
    room = Room.open(bureau)
    await story(room)
    calls = room.outlet.calls
    await room.catch_up()
    assert room.outlet.calls == calls
    assert await room.threads.dirty(outlets=[room.outlet.key], limit=1) == []


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def story(room: Room) -> None:
    """A request, some work, a plan that is approved; the bot dies and starts again as the faults have it."""
    await room.intake_only("fix it")
    await through(room)
    claim = await room.bureau.claim()
    said = AgentSaid(message="m1", text="Let me look.")
    await room.bureau.report(claim, TurnStarted(turn=1, cause="task"), said, step(1))
    await through(room)
    approval = await room.bureau.document(claim)
    await room.bureau.report(claim, TurnEnded(turn=1, stop_reason="end_turn"))
    await through(room)
    await room.bureau.decide(approval, Verdict.APPROVE)
    await through(room)


async def through(room: Room) -> None:
    """Deliver, however often the process dies on the way."""
    for _ in range(10):
        try:
            await room.catch_up()
        except Crash:
            continue
        if await delivered(room):
            return
        room.bureau.clock.move(60)
    raise AssertionError("it never comes to an end")


async def delivered(room: Room) -> bool:
    return not await room.threads.dirty(outlets=[room.outlet.key], limit=1)


async def work_of(room: Room) -> ThreadWork:
    (row,) = await room.bureau.rows("threads")
    return await room.threads.load(row["id"])


async def shows_its_history(room: Room) -> None:
    """Slot by slot, as if it had been drawn in one go."""
    standing = await room.standing()
    history = await room.bureau.service.history(room.bureau.workspace, standing.ticket.id)
    for card in view(told(list(history)), capabilities=EDITABLE, links=Links()):
        assert room.card(card.slot) == card.message


def step(number: int) -> ToolCalled:
    return ToolCalled(call=f"c{number}", title=f"Read part {number}", tool="read", status="completed")
