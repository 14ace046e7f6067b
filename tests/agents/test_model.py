"""The scripted model server is strict: what its script does not foresee is refused and told."""

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, ClientTimeout

from tests.agents.model import ScriptedModel, scripted_model
from tests.agents.scenes import Call, Refuse, Say, Scene, Stall

SCRIPT = (
    Scene(
        cue="Fix the bill",
        steps=(
            Call(tool="write_document", arguments={"text": "# Plan"}, saying="I write it down."),
            Say(text="That is the plan."),
        ),
    ),
    Scene(cue="Rest", steps=(Stall(text="Well"),)),
    Scene(cue="Fail", steps=(Refuse(status=429, message="slow down"),)),
)
TOOL = {
    "type": "function",
    "function": {"name": "mcp__viberator__write_document", "parameters": {"required": ["text"]}},
}
Body = dict[str, object]


@pytest.fixture
async def model() -> AsyncIterator[ScriptedModel]:
    async with scripted_model(SCRIPT) as server:
        yield server


def request(*messages: tuple[str, str], tools: tuple[object, ...] = (TOOL,)) -> Body:
    said = [{"role": role, "content": words} for role, words in messages]
    return {"model": "scripted", "stream": True, "messages": said, "tools": list(tools)}


async def ask(model: ScriptedModel, body: Body) -> tuple[int, str]:
    async with (
        ClientSession(timeout=ClientTimeout(total=10)) as http,
        http.post(f"{model.url}/chat/completions", json=body) as answer,
    ):
        return answer.status, await answer.text()


def deltas(stream: str) -> list[Body]:
    lines = [line.removeprefix("data: ") for line in stream.splitlines() if line.startswith("data: {")]
    return [choice["delta"] for line in lines for choice in json.loads(line)["choices"]]


async def test_each_request_of_a_turn_gets_the_next_step(model: ScriptedModel) -> None:
    opening = ("user", "Fix the bill"), ("user", "<system-reminder>\nIt is Monday.\n</system-reminder>")

    _, first = await ask(model, request(*opening))
    _, second = await ask(model, request(*opening, ("assistant", "I write it down."), ("tool", "Filed.")))

    call = deltas(first)[-2]["tool_calls"]
    assert call == [
        {
            "index": 0,
            "id": "call_1",
            "type": "function",
            "function": {"name": "mcp__viberator__write_document", "arguments": '{"text": "# Plan"}'},
        }
    ]
    assert "".join(str(delta.get("content", "")) for delta in deltas(second)) == "That is the plan."
    assert [exchange.results for exchange in model.exchanges] == [(), ("Filed.",)]
    assert model.surprises == []


async def test_repeated_request_gets_the_same_answer(model: ScriptedModel) -> None:
    answers = [deltas((await ask(model, request(("user", "Fix the bill"))))[1])[1:-2] for _ in range(2)]
    assert answers[0] == answers[1]


async def test_prompt_put_behind_a_failed_one_is_the_one_that_counts(model: ScriptedModel) -> None:
    status, _ = await ask(model, request(("user", "Fail\n\nFix the bill")))
    assert status == 200


async def test_request_without_tools_is_answered_beside_the_script(model: ScriptedModel) -> None:
    status, _ = await ask(model, request(("user", "A title for: Fix the bill"), tools=()))
    assert (status, model.surprises) == (200, [])


@pytest.mark.parametrize(
    ("body", "surprise"),
    [
        (request(("user", "Dance")), "no scene"),
        (request(("user", "Fix the bill"), ("assistant", "a"), ("assistant", "b")), "is over after 2 steps"),
        (request(("user", "Fix the bill"), tools=({"type": "function", "function": {"name": "Bash"}},)), "not among"),
        (request(("system", "Be nice")), "without a prompt"),
        ({"model": "scripted", "stream": False, "messages": []}, "stream"),
    ],
)
async def test_what_the_script_does_not_foresee_is_refused(model: ScriptedModel, body: Body, surprise: str) -> None:
    status, _ = await ask(model, body)
    assert status == 400
    assert surprise in model.surprises[0]


async def test_refusal_of_the_provider_can_be_scripted(model: ScriptedModel) -> None:
    status, told = await ask(model, request(("user", "Fail")))
    assert (status, json.loads(told)["error"]["message"]) == (429, "slow down")
    assert model.surprises == []


async def test_stalled_answer_stays_open_until_the_agent_hangs_up(model: ScriptedModel) -> None:
    async with (
        ClientSession() as http,
        http.post(f"{model.url}/chat/completions", json=request(("user", "Rest"))) as answer,
    ):
        seen = b""
        while b"Well" not in seen:
            seen += await answer.content.readany()
        assert not answer.content.at_eof()
