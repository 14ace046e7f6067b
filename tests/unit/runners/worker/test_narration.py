from pathlib import Path

from acp.schema import AgentMessageChunk, Cost, TextContentBlock, ToolCallStart, UsageUpdate

from runners.worker.narration import Narration
from sessions.events import AgentSaid, ToolCalled, UsageReported, WorkerFrame


def chunk(text: str, message_id: str | None = None) -> AgentMessageChunk:
    content = TextContentBlock(type="text", text=text)
    return AgentMessageChunk(session_update="agent_message_chunk", content=content, message_id=message_id)


def tool(call: str) -> ToolCallStart:
    return ToolCallStart(session_update="tool_call", tool_call_id=call, title="Run")


def narrate() -> tuple[Narration, list[WorkerFrame]]:
    told: list[WorkerFrame] = []
    return Narration(told.append, Path("/w")), told


def test_text_after_a_tool_call_is_another_message() -> None:
    narration, told = narrate()
    narration.begin_turn(3)
    for update in (chunk("a"), chunk("b"), tool("t"), chunk("c")):
        narration.hear(update)
    assert [(said.message, said.text) for said in told if isinstance(said, AgentSaid)] == [
        ("3.1", "a"),
        ("3.1", "b"),
        ("3.2", "c"),
    ]
    assert narration.said == "c"


def test_the_agents_own_ids_part_messages() -> None:
    narration, told = narrate()
    narration.hear(chunk("a", "x"))
    narration.hear(chunk("b", "y"))
    assert [said.message for said in told if isinstance(said, AgentSaid)] == ["0.1", "0.2"]


def test_a_deaf_narration_tells_nothing() -> None:
    narration, told = narrate()
    narration.deaf = True
    narration.hear(chunk("a"))
    narration.hear(tool("t"))
    assert told == []


def test_money_is_told_as_what_was_added() -> None:
    narration, told = narrate()
    for amount in (0.1, 0.1, 0.4):
        cost = Cost(amount=amount, currency="USD")
        narration.hear(UsageUpdate(session_update="usage_update", used=1, size=2, cost=cost))
    assert [round(used.cost_usd or 0, 2) for used in told if isinstance(used, UsageReported)] == [0.1, 0.3]


def test_open_calls_are_interrupted_once() -> None:
    narration, told = narrate()
    narration.hear(tool("t"))
    narration.interrupt()
    narration.interrupt()
    assert [call.status for call in told if isinstance(call, ToolCalled)] == ["pending", "interrupted"]


def test_calls_of_an_earlier_process_can_be_interrupted() -> None:
    narration, told = narrate()
    narration.adopt([ToolCalled(call="old", title="Run", tool="execute", status="running")])
    narration.interrupt()
    assert [(call.call, call.status) for call in told if isinstance(call, ToolCalled)] == [("old", "interrupted")]


def test_a_call_of_a_new_process_is_another_one_though_its_id_is_used() -> None:
    narration, told = narrate()
    narration.adopt([ToolCalled(call="t", title="Old", tool="execute", status="running", input="rm")])
    narration.interrupt()
    narration.begin_process()
    narration.hear(tool("t"))
    last = told[-1]
    assert isinstance(last, ToolCalled)
    assert (last.title, last.tool, last.status, last.input) == ("Run", "other", "pending", "")
