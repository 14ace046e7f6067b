"""A model server that plays a script, for real agents in tests: OpenAI's chat completions, streamed, on loopback.

The script is a list of scenes. The scene whose cue stands last in the latest prompt is played, one step for each
request the agent makes while it works on that prompt; a scene with an empty cue fits what no other does. Last, since
agents put a prompt that failed before the next one. Which step is due is read from the conversation that the agent
sends along, so a request that is repeated gets the same answer, and an agent that was killed goes on where it was.
Whatever the script does not foresee is refused and kept in `surprises`, which a test asserts to be empty at its end.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, assert_never

from aiohttp.web import Application, AppRunner, Request, Response, StreamResponse, TCPSite, json_response
from pydantic import BaseModel, Field, ValidationError

from tests.agents.scenes import Call, Refuse, Say, Scene, Stall, Step

# ── What the agent sends ─────────────────────────────────────────────────────────────────────────────────────────────


class _Part(BaseModel):
    type: str
    text: str = ""


class _Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Part] | None = None

    def words(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class _Function(BaseModel):
    name: str
    parameters: dict[str, object] = Field(default_factory=dict)


class _Tool(BaseModel):
    type: Literal["function"]
    function: _Function


class _ChatRequest(BaseModel):
    model: str
    stream: Literal[True]
    messages: list[_Message]
    tools: list[_Tool] = Field(default_factory=list)


# ── What came and what went ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer: the prompt at work, what its tools have returned so far, the names offered."""

    prompt: str
    results: tuple[str, ...]
    offered: tuple[str, ...]
    answer: Step


class Unforeseen(Exception):
    """The agent asked for something that the script has no answer to."""


@dataclass(kw_only=True)
class ScriptedModel:
    """`url` is the base address that the agent is given; it ends in `/v1`."""

    script: Sequence[Scene]
    url: str = ""
    exchanges: list[Exchange] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)

    def answer(self, request: _ChatRequest) -> Step:
        """Decide and write down the answer; raises `Unforeseen`."""
        prompt, later = _at_work(request.messages)
        offered = {tool.function.name: tool.function for tool in request.tools}
        # Agents ask for titles and summaries of what was said, with no tools; the script is not about these.
        step = _fitted(self._due(prompt, later), offered) if offered else Say(text="Scripted work")
        results = tuple(message.words() for message in later if message.role == "tool")
        self.exchanges.append(Exchange(prompt=prompt, results=results, offered=tuple(sorted(offered)), answer=step))
        return step

    def _due(self, prompt: str, later: Sequence[_Message]) -> Step:
        fitting = [scene for scene in self.script if scene.cue in prompt]
        if not fitting:
            raise Unforeseen(f"no scene for the prompt {prompt[:2000]!r}")
        scene = max(fitting, key=lambda scene: prompt.rfind(scene.cue) if scene.cue else -1)
        played = sum(message.role == "assistant" for message in later)
        if played >= len(scene.steps):
            raise Unforeseen(f"the scene {scene.cue!r} is over after {played} steps; last came {later[-1].words()!r}")
        return scene.steps[played]


def _at_work(messages: Sequence[_Message]) -> tuple[str, Sequence[_Message]]:
    """The latest prompt, and the messages since. What agents slip in as reminders is no prompt."""
    for index in reversed(range(len(messages))):
        words = messages[index].words()
        if messages[index].role == "user" and not words.lstrip().startswith("<system-reminder>"):
            return words, messages[index + 1 :]
    raise Unforeseen("a conversation without a prompt")


def _fitted(step: Step, offered: Mapping[str, _Function]) -> Step:
    """The step with its tool under the name by which this agent offers it."""
    match step:
        case Call():
            ending = re.compile(rf"(?:^|[^A-Za-z0-9]){re.escape(step.tool)}$")
            names = [step.tool] if step.tool in offered else [name for name in offered if ending.search(name)]
            if len(names) != 1:
                raise Unforeseen(f"the tool {step.tool!r} is not among {sorted(offered)}")
            required = offered[names[0]].parameters.get("required", [])
            missing = set(required if isinstance(required, list) else []) - set(step.arguments)
            if missing:
                raise Unforeseen(f"the tool {names[0]!r} also needs {sorted(missing)}")
            return Call(tool=names[0], arguments=step.arguments, saying=step.saying)
        case Say() | Stall() | Refuse():
            return step
        case _:
            assert_never(step)


# ── The wire ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_USAGE = {"prompt_tokens": 100, "completion_tokens": 25, "total_tokens": 125}


def _deltas(step: Say | Call | Stall, call_id: str) -> list[dict[str, object]]:
    """The increments of the answer's only choice."""
    words = step.saying if isinstance(step, Call) else step.text
    deltas: list[dict[str, object]] = [{"role": "assistant", "content": ""}]
    # In pieces, as a model would, so that who reads must join them.
    deltas += [{"content": words[start : start + 12]} for start in range(0, len(words), 12)]
    if isinstance(step, Call):
        function = {"name": step.tool, "arguments": json.dumps(dict(step.arguments))}
        deltas.append({"tool_calls": [{"index": 0, "id": call_id, "type": "function", "function": function}]})
    return deltas


async def _stream(request: Request, step: Say | Call | Stall, number: int) -> StreamResponse:
    response = StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)

    async def send(choices: list[dict[str, object]], **more: object) -> None:
        envelope = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": 0, "model": "scripted"}
        chunk = {**envelope, "choices": choices, **more}
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())

    for delta in _deltas(step, f"call_{number}"):
        await send([{"index": 0, "delta": delta, "finish_reason": None}])
    if isinstance(step, Stall):
        # Cancelled by the server when the agent closes the connection.
        await asyncio.Event().wait()
    reason = "tool_calls" if isinstance(step, Call) else "stop"
    await send([{"index": 0, "delta": {}, "finish_reason": reason}])
    await send([], usage=_USAGE)
    await response.write(b"data: [DONE]\n\n")
    return response


def _error(status: int, message: str) -> Response:
    return json_response({"error": {"message": message, "type": "scripted"}}, status=status)


async def _respond(model: ScriptedModel, request: Request) -> StreamResponse:
    try:
        step = model.answer(_ChatRequest.model_validate_json(await request.read()))
    except (Unforeseen, ValidationError) as unforeseen:
        model.surprises.append(str(unforeseen))
        return _error(400, str(unforeseen))
    match step:
        case Refuse():
            return _error(step.status, step.message)
        case Say() | Call() | Stall():
            return await _stream(request, step, len(model.exchanges))
        case _:
            assert_never(step)


@asynccontextmanager
async def scripted_model(script: Sequence[Scene]) -> AsyncIterator[ScriptedModel]:
    """Serve the script on a free port of 127.0.0.1 until the block ends."""
    model = ScriptedModel(script=script)

    async def complete(request: Request) -> StreamResponse:
        return await _respond(model, request)

    async def unknown(request: Request) -> StreamResponse:
        model.surprises.append(f"{request.method} {request.path_qs}")
        return _error(404, "not scripted")

    app = Application(client_max_size=64 << 20)
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_route("*", "/{rest:.*}", unknown)
    runner = AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        model.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield model
    finally:
        await runner.cleanup()
