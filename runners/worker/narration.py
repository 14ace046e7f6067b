"""What the agent tells over ACP, as the worker's frames.

Called from within the SDK's notification tasks and never awaits, so that what it hands on keeps the agent's order.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import assert_never

from acp.schema import (
    AgentMessageChunk,
    AgentPlanContentUpdate,
    AgentPlanRemovedUpdate,
    AgentPlanUpdate,
    AgentThoughtChunk,
    AvailableCommandsUpdate,
    ConfigOptionUpdate,
    CurrentModeUpdate,
    PlanUpdateItems,
    SessionInfoUpdate,
    TextContentBlock,
    ToolCallProgress,
    ToolCallStart,
    Usage,
    UsageUpdate,
    UserMessageChunk,
)
from acp.schema import PlanEntry as AcpPlanEntry

from runners.worker import toolcalls
from runners.worker.cleaning import one_line, storable
from runners.worker.toolcalls import ToolCall
from sessions.events import AgentSaid, AgentThought, PlanEntry, PlanShown, ToolCalled, UsageReported, WorkerFrame

Update = (
    UserMessageChunk
    | AgentMessageChunk
    | AgentThoughtChunk
    | ToolCallStart
    | ToolCallProgress
    | AgentPlanUpdate
    | AgentPlanContentUpdate
    | AgentPlanRemovedUpdate
    | AvailableCommandsUpdate
    | CurrentModeUpdate
    | ConfigOptionUpdate
    | SessionInfoUpdate
    | UsageUpdate
)

PLAN_ENTRIES = 50
KEPT_CHARS = 200_000
KEPT_CALLS = 500


class Narration:
    """The story of one agent process. `said` is its newest message of this turn; `cost_usd` what it has cost so far.

    `silent` while it has neither said a word in this turn nor called a tool.

    While `deaf`, what it tells is not handed on: an agent that loads a session tells the old story again.
    """

    def __init__(self, put: Callable[[WorkerFrame], None], root: Path, *, cost_usd: float = 0.0) -> None:
        self._put = put
        self._root = root
        self._calls: dict[str, ToolCall] = {}
        self._open: dict[str, None] = {}
        self._closed: dict[str, None] = {}
        self._turn = 0
        self._message = 0
        self._their_id: str | None = None
        self._talking = False
        self.said = ""
        self.silent = True
        self.cost_usd = cost_usd
        self.deaf = False

    def begin_turn(self, turn: int) -> None:
        """What is said from now on belongs to this turn."""
        self._turn, self._message, self._talking, self.said = turn, 0, False, ""
        self.silent = True

    def hear(self, update: Update) -> None:
        """Take one update of the agent."""
        if self.deaf:
            return
        match update:
            case AgentMessageChunk(content=TextContentBlock(text=text), message_id=message_id):
                self._say(text, message_id)
            case AgentThoughtChunk(content=TextContentBlock(text=text)):
                self._show(AgentThought(text=storable(text)))
            case ToolCallStart() | ToolCallProgress():
                self.hear_call(update)
            case AgentPlanUpdate(entries=entries) | AgentPlanContentUpdate(plan=PlanUpdateItems(entries=entries)):
                self._show(PlanShown(entries=tuple(_entry(entry) for entry in entries[:PLAN_ENTRIES])))
            case UsageUpdate():
                self._count_cost(update)
            case AgentMessageChunk() | AgentThoughtChunk() | UserMessageChunk() | AgentPlanContentUpdate():
                return
            case AgentPlanRemovedUpdate() | AvailableCommandsUpdate() | CurrentModeUpdate():
                return
            case ConfigOptionUpdate() | SessionInfoUpdate():
                return
            case _:
                assert_never(update)

    def hear_call(self, report: toolcalls.Report) -> ToolCall:
        """Take what is told of one tool call; answers all that is known of it."""
        known = self._calls.get(report.tool_call_id)
        call = toolcalls.fold(known, report, root=self._root)
        self.silent = False
        self._know(call)
        if known is None or call.event != known.event:
            self._show(call.event)
        return call

    def hear_usage(self, usage: Usage | None) -> None:
        """Take the tokens that one turn has used."""
        if usage is not None:
            self._put(UsageReported(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens))

    def adopt(self, calls: Iterable[ToolCalled]) -> None:
        """Take over calls that an earlier process has begun."""
        for call in calls:
            self._know(ToolCall(event=call))

    def begin_process(self) -> None:
        """What is told from now on comes from another process of the agent; its ids of calls may be used ones."""
        self._calls.clear()
        self._open.clear()
        self._closed.clear()

    def open_calls(self) -> tuple[ToolCalled, ...]:
        """The calls that have neither completed nor failed."""
        return tuple(self._calls[key].event for key in self._open)

    def interrupt(self) -> None:
        """Show every open call as interrupted: nobody will end it any more."""
        for key in list(self._open):
            call = toolcalls.interrupted(self._calls[key])
            self._know(call)
            self._put(call.event)

    def _know(self, call: ToolCall) -> None:
        key = call.event.call
        self._calls[key] = call
        if call.open:
            self._open[key] = None
            return
        self._calls[key] = toolcalls.closed(call)
        self._open.pop(key, None)
        self._closed[key] = None
        # An agent may tell more of a call that has ended, but not of one that ended long ago.
        if len(self._closed) > KEPT_CALLS:
            oldest = next(iter(self._closed))
            del self._closed[oldest]
            self._calls.pop(oldest, None)

    def _say(self, text: str, their_id: str | None) -> None:
        if not self._talking or their_id != self._their_id:
            self._message += 1
            self._talking, self._their_id, self.said = True, their_id, ""
        text = storable(text)
        self.silent = self.silent and not text.strip()
        self.said = (self.said + text)[-KEPT_CHARS:]
        self._put(AgentSaid(message=f"{self._turn}.{self._message}", text=text))

    def _show(self, event: AgentThought | ToolCalled | PlanShown) -> None:
        # Whatever comes between two pieces of text makes them two messages.
        self._talking = False
        self._put(event)

    def _count_cost(self, update: UsageUpdate) -> None:
        cost = update.cost
        if cost is None or cost.currency.upper() != "USD" or cost.amount <= self.cost_usd:
            return
        self._put(UsageReported(cost_usd=cost.amount - self.cost_usd))
        self.cost_usd = cost.amount


def _entry(entry: AcpPlanEntry) -> PlanEntry:
    return PlanEntry(text=one_line(entry.content, 300), status=entry.status)
