import asyncio
from pathlib import Path

import pytest

from runners.wire import BATCH_BYTES
from runners.worker.outbox import WAITING_CHARS, Outbox, unsent
from sessions.events import (
    AgentSaid,
    PermissionRequested,
    QuestionFiled,
    ToolCalled,
    TurnEnded,
    TurnStarted,
    WorkerEnded,
)

LAUNCH = "launch-1"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "unsent.jsonl"


def said(text: str, message: str = "1.1") -> AgentSaid:
    return AgentSaid(message=message, text=text)


def call(name: str, status: str) -> ToolCalled:
    return ToolCalled(call=name, title="Run", tool="execute", status="running" if status == "running" else "completed")


def payloads(outbox: Outbox) -> list[dict[str, object]]:
    batch = outbox.take()
    return list(batch.frames) if batch is not None else []


def test_text_that_waits_is_merged_and_nothing_overtakes_it(journal: Path) -> None:
    outbox = Outbox(LAUNCH, journal)
    for frame in (said("a"), said("b"), TurnEnded(turn=1, stop_reason="end_turn"), said("c", "2.1")):
        outbox.put(frame)
    assert [(p["kind"], p.get("text")) for p in payloads(outbox)] == [
        ("agent_said", "ab"),
        ("turn_ended", None),
        ("agent_said", "c"),
    ]


def test_a_call_that_waits_is_replaced_by_its_newer_state(journal: Path) -> None:
    outbox = Outbox(LAUNCH, journal)
    for frame in (call("a", "running"), call("b", "running"), call("a", "completed")):
        outbox.put(frame)
    assert [(p["call"], p["status"]) for p in payloads(outbox)] == [("a", "completed"), ("b", "running")]


def test_a_call_never_moves_before_what_was_told_between(journal: Path) -> None:
    outbox = Outbox(LAUNCH, journal)
    for frame in (call("a", "running"), said("x"), call("a", "completed")):
        outbox.put(frame)
    assert [p["kind"] for p in payloads(outbox)] == ["tool_called", "agent_said", "tool_called"]


def test_a_batch_is_the_same_until_it_is_acknowledged(journal: Path) -> None:
    outbox = Outbox(LAUNCH, journal)
    outbox.put(said("a"))
    first = outbox.take()
    outbox.put(said("b"))
    assert outbox.take() == first
    outbox.acknowledge(1)
    second = outbox.take()
    assert second is not None
    assert (second.first, second.frames[0]["text"]) == (2, "b")


def test_a_batch_that_was_stored_in_part_is_sent_from_there(journal: Path) -> None:
    outbox = Outbox(LAUNCH, journal)
    for turn in (1, 2, 3):
        outbox.put(TurnStarted(turn=turn, cause="task"))
    outbox.take()
    outbox.acknowledge(2)
    left = outbox.take()
    assert left is not None
    assert (left.first, left.last) == (3, 3)


def test_after_a_gap_the_batch_follows_on_what_the_bot_has(journal: Path) -> None:
    outbox = Outbox(LAUNCH, journal)
    outbox.put(said("a"))
    outbox.take()
    outbox.acknowledge(1)
    outbox.put(said("b"))
    outbox.take()
    outbox.renumber(0)
    batch = outbox.take()
    assert batch is not None
    assert batch.first == 1


def test_batches_stay_below_the_limit(journal: Path) -> None:
    outbox = Outbox(LAUNCH, journal)
    for n in range(40):
        outbox.put(said("x" * 100_000, f"1.{n}"))
    count = 0
    while (batch := outbox.take()) is not None:
        assert sum(len(str(frame)) for frame in batch.frames) <= BATCH_BYTES
        count += len(batch.frames)
        outbox.acknowledge(batch.last)
    assert count == 40


async def test_who_reads_from_the_agent_is_held_back_while_too_much_waits(journal: Path) -> None:
    outbox = Outbox(LAUNCH, journal)
    for n in range(100):
        outbox.put(said("x" * (WAITING_CHARS // 50), f"1.{n}"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await outbox.ready()
    outbox.take()
    await outbox.ready()


async def test_settled_means_that_all_is_acknowledged(journal: Path) -> None:
    outbox = Outbox(LAUNCH, journal)
    outbox.put(said("a"))
    batch = outbox.take()
    assert batch is not None
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await outbox.settled()
    outbox.acknowledge(batch.last)
    await outbox.settled()
    assert unsent(journal, launch=LAUNCH, stored=0) == ()


def test_what_was_not_sent_is_left_for_the_next_launch_but_for_the_end(journal: Path) -> None:
    outbox = Outbox(LAUNCH, journal)
    outbox.put(TurnStarted(turn=1, cause="task"))
    outbox.take()
    outbox.acknowledge(1)
    for frame in (said("a"), TurnEnded(turn=1, stop_reason="cancelled"), WorkerEnded(reason="terminated")):
        outbox.put(frame)
    outbox.keep()
    left = unsent(journal, launch=LAUNCH, stored=1)
    assert [frame.kind for frame in left] == ["agent_said", "turn_ended"]


def test_what_was_stored_without_our_knowing_is_not_sent_again(journal: Path) -> None:
    outbox = Outbox(LAUNCH, journal)
    outbox.put(said("a"))
    outbox.put(TurnEnded(turn=1, stop_reason="end_turn"))
    outbox.take()
    assert [frame.kind for frame in unsent(journal, launch=LAUNCH, stored=1)] == ["turn_ended"]
    assert unsent(journal, launch=LAUNCH, stored=2) == ()
    assert unsent(journal, launch="another", stored=0) == ()


def test_what_people_are_asked_is_in_the_journal_at_once(journal: Path) -> None:
    outbox = Outbox(LAUNCH, journal)
    outbox.put(said("a"))
    asked = PermissionRequested(request="r", call="c", title="t", tool="execute", input="i", grant="g", options=())
    outbox.put(asked)
    outbox.put(QuestionFiled(text="?"))
    assert unsent(journal, launch=LAUNCH, stored=0)[1:] == (asked, QuestionFiled(text="?"))


def test_a_torn_journal_is_no_journal(journal: Path) -> None:
    journal.write_text('{"launch": "launch-1", "fir')
    assert unsent(journal, launch=LAUNCH, stored=0) == ()
