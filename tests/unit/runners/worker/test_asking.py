"""What the agent asks for over ACP: what people are asked, what they see of it, and what their answer becomes."""

import json
import os
import signal
from typing import Any

import pytest

from runners.process import Reference
from sessions.events import (
    InputTaken,
    PeopleAwaited,
    PermissionRequested,
    PermissionSettled,
    QuestionFiled,
    ToolCalled,
    TurnEnded,
    TurnStarted,
)
from sessions.models import FailureKind, Limits, Phase, Verdict
from tests.eventually import eventually
from tests.stage import Stage, answer, decision, message, stage, stop

FIX = {"write": ["src/app.py", "answer = 42\n"]}
DONE = {"say": "Done."}
FRUIT = [["allow_once", "Apple"], ["allow_once", "Pear"], ["reject_once", "Skip"]]
QUESTION: dict[str, Any] = {
    "ask": {"id": "q1", "title": "AskUserQuestion", "kind": "other", "words": "Which fruit?", "options": FRUIT}
}


def bash(command: str) -> dict[str, Any]:
    """A call of which only its text tells the input, as some agents have it."""
    content = [{"type": "content", "content": {"type": "text", "text": json.dumps({"command": command})}}]
    return {
        "tool": {"tool_call_id": command, "title": "Bash", "kind": "execute", "status": "pending", "content": content}
    }


def may(command: str, **more: object) -> dict[str, Any]:
    return {"ask": {"id": command, "title": "Bash", "words": f"Requesting approval to run {command}", **more}}


async def is_killed(on: Stage) -> None:
    reference = Reference.read(on.reference)
    assert reference is not None
    os.kill(reference.pid, signal.SIGKILL)
    await on.is_gone()


async def test_people_see_the_command_that_only_the_calls_text_tells() -> None:
    async with stage() as on:
        on.script([bash("make all"), may("make all", then=[FIX])])
        await on.act()
        [asked] = await on.sees(PermissionRequested)
        assert (asked.title, asked.tool, asked.input) == ("Bash", "execute", "make all")
        on.bot.say(decision(1, Verdict.APPROVE, request=asked.request, grant=asked.grant))
        assert (await on.ends()).reason == "finished"


async def test_people_see_all_that_they_permit() -> None:
    command = "\n".join(f"echo {n}" for n in range(3000))
    async with stage() as on:
        on.script([{"ask": {"id": "p", "title": "Run", "kind": "execute", "input": {"command": command}}}])
        await on.act()
        [asked] = await on.sees(PermissionRequested)
        assert asked.input == command


async def test_a_permission_is_good_once_for_the_same_command_and_for_no_other() -> None:
    async with stage(limits=Limits(idle_s=0.5)) as on:
        on.script([bash("make"), may("make")], load=True)
        await on.act()
        [asked] = await on.sees(PermissionRequested)
        assert (await on.ends()).reason == "idle"
        again = [bash("rm -rf x"), may("rm -rf x"), bash("make"), may("make", then=[FIX])]
        on.script({"when": "allowed", "steps": again}, load=True)
        on.bot.say(decision(1, Verdict.APPROVE, request=asked.request, grant=asked.grant))
        await on.act()
        [other] = await on.sees(PermissionRequested)
        assert (other.input, other.grant != asked.grant) == ("rm -rf x", True)
        assert on.bot.of(PermissionSettled) == []
        on.bot.say(decision(2, Verdict.REJECT, request=other.request, grant=other.grant))
        assert (await on.ends()).reason == "finished"
        assert [(s.request, s.outcome, s.by_rule) for s in on.bot.of(PermissionSettled)] == [
            (other.request, "rejected", False),
            (asked.request, "allowed", True),
        ]


async def test_a_permission_for_something_untold_is_good_for_nothing_else() -> None:
    async with stage(limits=Limits(idle_s=0.5)) as on:
        on.script([may("one")], load=True)
        await on.act()
        [asked] = await on.sees(PermissionRequested)
        assert (asked.grant, asked.input) == ("", "Requesting approval to run one")
        await on.ends()
        on.script({"when": "allowed", "steps": [may("two")]}, load=True)
        on.bot.say(decision(1, Verdict.APPROVE, request=asked.request))
        await on.act()
        [other] = await on.sees(PermissionRequested)
        assert other.request != asked.request


async def test_our_own_tools_ask_nobody() -> None:
    async with stage() as on:
        own = {"id": "o", "title": "mcp__viberator__report", "kind": "other", "input": {"title": "x"}}
        on.script([{"ask": {**own, "then": [FIX]}}])
        await on.act()
        assert (await on.ends()).reason == "finished"
        assert on.bot.of(PermissionRequested) == []
        assert on.found("permission") == ["allow_always"]


async def test_a_question_of_the_agents_own_is_answered_by_its_option() -> None:
    async with stage() as on:
        on.script([QUESTION, FIX, DONE])
        await on.act()
        [asked] = await on.sees(QuestionFiled)
        assert (asked.text, asked.options) == ("Which fruit?", ("Apple", "Pear"))
        on.bot.say(answer(1, "pear"))
        assert (await on.ends()).reason == "finished"
        assert on.found("permission") == ["Pear"]
        assert [taken.ordinal for taken in on.bot.of(InputTaken)] == [1]
        assert [turn.cause for turn in on.bot.of(TurnStarted)] == ["task"]
        assert on.bot.of(PermissionRequested) == []


async def test_an_answer_in_other_words_is_the_agents_next_prompt() -> None:
    async with stage() as on:
        on.script([QUESTION, DONE], {"when": "A banana", "steps": [FIX]})
        await on.act()
        await on.sees(QuestionFiled)
        on.bot.say(answer(1, "A banana"))
        assert (await on.ends()).reason == "finished"
        assert on.found("permission") == ["cancelled"]
        assert [turn.cause for turn in on.bot.of(TurnStarted)] == ["task", "answer"]


async def test_of_two_questions_the_one_is_answered_that_offers_the_answer() -> None:
    async with stage() as on:
        first = {"mcp": ["ask_human", {"question": "Zero or an error?", "options": ["Zero", "An error"]}]}
        on.script([first, QUESTION, DONE], {"when": "An error", "steps": [FIX]})
        await on.act()
        await on.sees(QuestionFiled, 2)
        on.bot.say(answer(1, "An error"))
        on.bot.say(answer(2, "Apple"))
        assert (await on.ends()).reason == "finished"
        assert on.found("permission") == ["Apple"]
        assert [turn.cause for turn in on.bot.of(TurnStarted)] == ["task", "answer"]


async def test_a_question_is_waited_for_over_a_sleep_and_asked_once() -> None:
    async with stage(limits=Limits(idle_s=0.5)) as on:
        on.script([QUESTION], load=True)
        await on.act()
        await on.sees(QuestionFiled)
        assert (await on.ends()).reason == "idle"
        on.script({"when": "answers your question:\n\nPear", "steps": [FIX]}, load=True)
        on.bot.say(answer(1, "Pear"))
        await on.act()
        assert (await on.ends()).reason == "finished"
        assert [turn.cause for turn in on.bot.of(TurnStarted)] == ["answer"]


@pytest.mark.parametrize("early", [True, False])
async def test_a_question_that_is_asked_again_after_a_crash_is_put_to_people_once(*, early: bool) -> None:
    async with stage() as on:
        on.script([QUESTION], load=True)
        await on.act()
        await on.sees(QuestionFiled)
        await is_killed(on)
        on.script([{"say": "…"}, {"sleep": 0.5}, QUESTION, FIX, DONE], load=True)
        await on.act()
        on.bot.say(message(1, "Go on, will you?"))
        await on.sees(TurnStarted)
        if not early:
            await eventually(lambda: any(call.status == "pending" for call in on.bot.of(ToolCalled)))
        on.bot.say(answer(2, "Pear"))
        assert (await on.ends()).reason == "finished"
        assert on.bot.of(QuestionFiled) == []
        assert len(on.bot.of(PeopleAwaited)) == (0 if early else 1)
        assert on.found("permission") == ["Pear"]


async def test_a_permission_that_is_asked_for_again_after_a_stop_is_waited_for_again() -> None:
    async with stage() as on:
        on.script([bash("make"), may("make", then=[FIX])], load=True)
        await on.act()
        [asked] = await on.sees(PermissionRequested)
        on.bot.say(stop(1))
        assert (await on.ends()).reason == "stopped"
        on.script({"when": "You were interrupted", "steps": [bash("make"), may("make", then=[FIX])]}, load=True)
        await on.act()
        await on.sees(PeopleAwaited)
        assert on.bot.of(PermissionRequested) == []
        on.bot.say(decision(2, Verdict.APPROVE, request=asked.request, grant=asked.grant))
        assert (await on.ends()).reason == "finished"


@pytest.mark.parametrize("steps", [[QUESTION], [bash("make"), may("make")]])
async def test_a_launch_that_only_waits_for_people_says_so(steps: list[dict[str, Any]]) -> None:
    async with stage(limits=Limits(idle_s=0.5)) as on:
        on.script(steps, load=True)
        await on.act()
        assert (await on.ends()).reason == "idle"
        assert on.bot.of(PeopleAwaited) == []
        await on.act()
        assert (await on.ends()).reason == "idle"
        assert [frame.kind for frame in on.bot.frames if frame.kind != "checkpoint_saved"] == [
            "people_awaited",
            "worker_ended",
        ]


async def test_several_ways_to_permit_a_command_make_no_question_of_it() -> None:
    async with stage() as on:
        options = [["allow_once", "Once"], ["allow_once", "Once, after editing it"], ["reject_once", "No"]]
        on.script([bash("make"), may("make", options=options, then=[FIX])])
        await on.act()
        [asked] = await on.sees(PermissionRequested)
        on.bot.say(decision(1, Verdict.APPROVE, request=asked.request, grant=asked.grant))
        assert (await on.ends()).reason == "finished"
        assert on.found("permission") == ["Once"]


@pytest.mark.parametrize("phase", [Phase.RESEARCH, Phase.EXECUTION])
async def test_a_turn_that_comes_to_nothing_is_a_failure_and_taken_up_again(phase: Phase) -> None:
    async with stage(phase) as on:
        on.script([{"say": " "}])
        await on.act()
        ended = await on.ends()
        assert ended.failure is not None
        assert (ended.reason, ended.failure.kind) == ("failed", FailureKind.AGENT_SILENT)
        assert [turn.stop_reason for turn in on.bot.of(TurnEnded)] == ["silent"]
        on.script({"when": "You were interrupted", "steps": [{"say": "Nothing to do."}]})
        await on.act()
        await on.sees(TurnEnded)
        assert on.bot.of(TurnEnded)[0].stop_reason == "end_turn"


@pytest.mark.parametrize(
    "steps",
    [
        [{"say": "It is right as it is."}],
        [FIX],
        [{"shell": "rm README.md"}],
        [{"mcp": ["report", {"title": "Nothing", "summary": ""}]}],
        [{"tool": {"tool_call_id": "t", "title": "Look"}}],
    ],
)
async def test_words_tool_calls_and_changes_each_make_a_turn(steps: list[dict[str, object]]) -> None:
    async with stage() as on:
        on.script(steps)
        await on.act()
        assert (await on.ends()).reason == "finished"
