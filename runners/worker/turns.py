"""Turns: the agent is started when it is first needed, is given a prompt, and is watched until it ends its turn."""

import asyncio
import time
from pathlib import Path
from typing import Literal

import acp

from runners.worker import files
from runners.worker.asks import Asks
from runners.worker.client import Client
from runners.worker.context import Context
from runners.worker.driver import Agent, Conversation, Greeting, start, tool_server
from runners.worker.errors import AgentExited, AgentRefused, AgentSaidNothing, TurnTooLong, WorkerError
from runners.worker.leash import Program
from runners.worker.narration import Narration
from runners.worker.prompts import Prompts
from sessions.events import AgentStarted, ToolCalled, TurnEnded, TurnStarted, WorkerFrame

Cause = Literal["task", "resumed", "answer", "decision", "messages", "changes", "repair", "reminder"]

LONGEST_TICK_S = 5.0
CUT_OFF = frozenset({"died", "refused", "time_limit", "silent"})
"""How a turn ends that the agent did not end, or that came to nothing; the next launch takes it up again."""


class PeopleAway(Exception):
    """The agent has waited for a decision as long as it may keep a process alive for that."""


class Turns:
    """The turns of one launch. `tools` is the socket where the agent's tools call us."""

    def __init__(self, context: Context, asks: Asks, prompts: Prompts, tools: Path) -> None:
        self._context = context
        self._asks = asks
        self._prompts = prompts
        self._tools = tools
        self._narration = Narration(self._tell, context.place.workspace, cost_usd=context.saved.cost_usd)
        self._agent: Agent | None = None
        self._under_way = False
        self._began_at = 0.0
        self._used_tools = False
        self._starts = 0

    def used_tools(self) -> None:
        """The agent has used one of the tools that it has from us."""
        self._used_tools = True

    async def take(self, cause: Cause, text: str) -> None:
        """One turn from prompt to end; raises `WorkerError` when the agent fails, `PeopleAway` when nobody decides."""
        agent, conversation = await self._ready()
        self._begin(cause, text)
        before = agent.company()
        try:
            response = await self._watch(agent, self._whole(cause, text, conversation))
        except TurnTooLong:
            await agent.cancel()
            await agent.end_company(before)
            self._end("time_limit")
            raise
        except WorkerError as error:
            self._end(*_cut_off_by(error))
            raise
        self._narration.hear_usage(response.usage)
        if await self._came_to_nothing():
            self._end("silent")
            raise AgentSaidNothing(response.stop_reason, agent.last_words())
        self._end(response.stop_reason)

    async def close(self, *, cancel_within_s: float) -> None:
        """End the turn that runs and the agent's process, with all that it has started; again changes nothing."""
        agent, self._agent = self._agent, None
        if agent is None:
            return
        await agent.cancel(limit_s=cancel_within_s)
        await agent.end()
        # Only now is all heard that the agent has told: a slow one may have finished a step after it was cancelled.
        if self._under_way:
            self._narration.interrupt()
            self._context.tell(TurnEnded(turn=self._context.saved.turn, stop_reason="cancelled"))
            self._under_way = False

    def interrupt_old_calls(self) -> None:
        """Show as interrupted what an earlier launch has left open: no agent tells the end of it."""
        self._narration.adopt(self._context.saved.open_calls)
        self._narration.interrupt()
        self._context.saved.open_calls = []

    async def _came_to_nothing(self) -> bool:
        """Whether the turn has left neither words nor deeds; some agents end one so when their model fails."""
        if not self._narration.silent or self._used_tools:
            return False
        return not await asyncio.to_thread(files.changed_since, self._context.place.workspace, self._began_at)

    async def _ready(self) -> tuple[Agent, Conversation]:
        """The agent with its conversation open; one whose process has ended since its last turn is started again."""
        if self._agent is not None and self._agent.running:
            return self._agent, Conversation(id=self._context.saved.agent_session, resumed=True)
        if self._agent is not None:
            await self._agent.end()
        brief, place, saved = self._context.brief, self._context.place, self._context.saved
        self._agent = await self._start()
        greeting = await self._agent.greet(limit_s=brief.limits.start_s)
        self._narration.deaf = True
        conversation = await self._agent.open(
            saved=saved.agent_session,
            directory=place.workspace,
            tools=tool_server(self._tools),
            limit_s=brief.limits.start_s,
        )
        self._narration.deaf = False
        saved.agent_session = conversation.id
        self._context.keep()
        self._context.tell(self._started(greeting, conversation))
        return self._agent, conversation

    async def _start(self) -> Agent:
        context, profile = self._context, self._context.brief.agent
        self._starts += 1
        program = Program(
            command=profile.command,
            directory=context.place.workspace,
            environment={
                **context.environment,
                **context.author().environment(),
                **dict(profile.environment),
            },
            mark=context.mark(f"agent.{self._starts}"),
        )
        self._narration.begin_process()
        client = Client(self._narration, context.place.workspace, self._asks.ask)
        return await start(program, client=client, errors=context.place.state / "agent.err", ready=context.outbox.ready)

    def _started(self, greeting: Greeting, conversation: Conversation) -> AgentStarted:
        profile = self._context.brief.agent
        return AgentStarted(
            agent=profile.title or greeting.name or profile.name,
            version=greeting.version,
            agent_session=conversation.id,
            resumed=conversation.resumed,
        )

    def _begin(self, cause: Cause, text: str) -> None:
        saved = self._context.saved
        saved.turn += 1
        # What was cut off is what counts when the next turn is to take it up again.
        saved.stage, saved.prompt = "turn", saved.prompt if cause == "resumed" else text
        self._narration.begin_turn(saved.turn)
        self._under_way, self._used_tools, self._began_at = True, False, time.time()
        self._context.keep()
        self._context.tell(TurnStarted(turn=saved.turn, cause=cause))

    def _end(self, stop_reason: str, words: str = "") -> None:
        saved = self._context.saved
        self._asks.withdraw()
        self._narration.interrupt()
        self._under_way = False
        saved.said, saved.cost_usd, saved.open_calls = self._narration.said, self._narration.cost_usd, []
        if stop_reason in CUT_OFF:
            # Who tries again wants the agent to go on, and not to wait for a decision about what it was at.
            saved.release()
        else:
            saved.stage, saved.prompt, words = "settle", "", saved.words
        self._context.keep()
        self._context.tell(TurnEnded(turn=saved.turn, stop_reason=stop_reason, words=words))

    def _whole(self, cause: Cause, text: str, conversation: Conversation) -> str:
        """The prompt, with what the agent knew before it where it has lost that."""
        if conversation.resumed or cause == "task":
            return text
        brief = self._context.brief
        transcript = brief.resume.transcript
        past = [self._prompts.fill("replay", {"transcript": transcript})] if transcript else []
        task = self._prompts.fill(brief.phase.value)
        return "\n\n".join([*past, *([] if task in text else [task]), text])

    async def _watch(self, agent: Agent, text: str) -> acp.PromptResponse:
        """The end of the turn. The time in which the agent waits for a person counts apart from the time it works."""
        limits = self._context.brief.limits
        tick = min(LONGEST_TICK_S, limits.turn_s / 4, limits.idle_s / 4)
        worked_s = waited_s = 0.0
        turn = asyncio.create_task(agent.prompt(text), name="worker.turn")
        try:
            while True:
                began = time.monotonic()
                done, _ = await asyncio.wait({turn}, timeout=tick)
                if done:
                    return turn.result()
                passed = time.monotonic() - began
                worked_s, waited_s = (worked_s, waited_s + passed) if self._asks.waiting else (worked_s + passed, 0.0)
                if waited_s > limits.idle_s:
                    raise PeopleAway
                if worked_s > limits.turn_s:
                    raise TurnTooLong(limits.turn_s)
        finally:
            turn.cancel()

    def _tell(self, frame: WorkerFrame) -> None:
        self._context.tell(frame)
        saved = self._context.saved
        if isinstance(frame, ToolCalled):
            before = [call.call for call in saved.open_calls]
            saved.open_calls = list(self._narration.open_calls())
            if before != [call.call for call in saved.open_calls]:
                self._context.keep()


def _cut_off_by(error: WorkerError) -> tuple[str, str]:
    """The turn's stop reason, and the last words on it."""
    match error:
        case AgentExited(last_words=words):
            return "died", words
        case AgentRefused(message=message):
            return "refused", message
        case _:
            return "died", ""
