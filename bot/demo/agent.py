"""The scripted agent of `viberator demo`, run as `python -m bot.demo.agent`: real ACP, no model.

It reads, asks, runs tests and edits files for real, and decides nothing. What it has done is kept in its home after every
step, so that one that was killed goes on with the step it was in.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast
from uuid import uuid4

import acp
from acp.schema import (
    AgentCapabilities,
    Implementation,
    InitializeResponse,
    LoadSessionResponse,
    NewSessionResponse,
    PromptResponse,
    TextContentBlock,
)

from bot.demo.casting import PACE_S, TITLE
from bot.demo.memory import Memories, Memory
from bot.demo.stage import Cancelled, Stage
from bot.demo.story import hear, next_step


class ScriptedAgent:
    """The agent's side of one connection."""

    def __init__(self, memories: Memories, pace_s: float) -> None:
        self._memories = memories
        self._pace_s = pace_s
        self._client: acp.Client | None = None
        self._stages: dict[str, Stage] = {}

    def on_connect(self, conn: acp.Client) -> None:
        self._client = conn

    async def initialize(self, protocol_version: int, **_: object) -> InitializeResponse:
        return InitializeResponse(
            protocol_version=acp.PROTOCOL_VERSION,
            agent_capabilities=AgentCapabilities(load_session=True),
            agent_info=Implementation(name="viberator-demo", title=TITLE, version="1"),
        )

    async def new_session(self, cwd: str, **_: object) -> NewSessionResponse:
        session = uuid4().hex
        self._memories.write(session, Memory(directory=cwd))
        return NewSessionResponse(session_id=session)

    async def load_session(self, cwd: str, session_id: str, **_: object) -> LoadSessionResponse:
        memory = self._memories.read(session_id)
        if memory is None:
            raise acp.RequestError.resource_not_found(session_id)
        self._memories.write(session_id, memory.model_copy(update={"directory": cwd}))
        return LoadSessionResponse()

    async def prompt(self, session_id: str, prompt: Sequence[object], **_: object) -> PromptResponse:
        """Take the steps that the prompt asks for, one after the other, until its turn ends or is cancelled."""
        memory = self._memories.read(session_id)
        if memory is None or self._client is None:
            raise acp.RequestError.resource_not_found(session_id)
        text = "\n".join(block.text for block in prompt if isinstance(block, TextContentBlock)).strip()
        memory = self._keep(session_id, hear(memory, text))
        stage = Stage(self._client, session_id, Path(memory.directory), self._pace_s)
        self._stages[session_id] = stage
        try:
            while (step := next_step(memory)) is not None:
                after = await stage.take(step, memory)
                memory = self._keep(session_id, after.model_copy(update={"step": after.step + 1}))
        except Cancelled:
            return PromptResponse(stop_reason="cancelled")
        return PromptResponse(stop_reason="end_turn")

    async def cancel(self, session_id: str, **_: object) -> None:
        if stage := self._stages.get(session_id):
            stage.cancel()

    def _keep(self, session: str, memory: Memory) -> Memory:
        self._memories.write(session, memory)
        return memory


def main() -> None:
    """Speak ACP on the standard streams until they close."""
    pace_s = float(sys.argv[1]) if len(sys.argv) > 1 else PACE_S
    agent = ScriptedAgent(Memories(Path.home() / ".viberator-demo"), pace_s)
    asyncio.run(acp.run_agent(cast("acp.Agent", agent)))


if __name__ == "__main__":
    main()
