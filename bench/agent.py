"""A scripted agent that speaks ACP: `python bench/agent.py`. It says one sentence, works for a while, and ends its turn."""

import asyncio
from typing import cast
from uuid import uuid4

import acp
from acp.schema import Implementation, InitializeResponse, NewSessionResponse, PromptResponse

SENTENCE = "I look at the failing test first."
TURN_S = 20.0
"""Longer than anybody waits for the sentence; who has heard it ends the session."""


class OneSentence:
    """The agent's side of one connection."""

    def __init__(self) -> None:
        self._client: acp.Client | None = None

    def on_connect(self, conn: acp.Client) -> None:
        self._client = conn

    async def initialize(self, protocol_version: int, **_: object) -> InitializeResponse:
        return InitializeResponse(
            protocol_version=acp.PROTOCOL_VERSION, agent_info=Implementation(name="bench", title="Bench", version="1")
        )

    async def new_session(self, cwd: str, **_: object) -> NewSessionResponse:
        return NewSessionResponse(session_id=uuid4().hex)

    async def prompt(self, session_id: str, prompt: object, **_: object) -> PromptResponse:
        assert self._client is not None
        await self._client.session_update(session_id, acp.update_agent_message_text(SENTENCE))
        await asyncio.sleep(TURN_S)
        return PromptResponse(stop_reason="end_turn")

    async def cancel(self, session_id: str, **_: object) -> None:
        """The turn ends by itself, or with the process."""


if __name__ == "__main__":
    asyncio.run(acp.run_agent(cast("acp.Agent", OneSentence())))
