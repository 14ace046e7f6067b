"""Launches that are cut off in every way there is, and what the next one makes of it."""

import asyncio
import os
import signal
import time

import pytest

from runners import proctree
from runners.process import Reference
from runners.wire import WireResume
from sessions.events import (
    AgentSaid,
    AgentStarted,
    CheckpointSaved,
    DocumentSubmitted,
    InputTaken,
    PermissionRequested,
    PermissionSettled,
    QuestionFiled,
    ToolCalled,
    TurnEnded,
    TurnStarted,
)
from sessions.models import AgentProfile, FailureKind, Limits, Phase, Verdict
from tests.eventually import eventually
from tests.repositories import git
from tests.stage import Stage, answer, decision, message, stage, stop

FIX = {"write": ["src/app.py", "answer = 42\n"]}
ASK = {"ask": {"id": "p1", "title": "Run make", "kind": "execute", "input": {"command": "make"}, "then": [FIX]}}
TOOL = {"tool": {"tool_call_id": "t1", "title": "Run tests", "kind": "execute", "status": "in_progress"}}


def kill(on: Stage, number: signal.Signals) -> None:
    reference = Reference.read(on.reference)
    assert reference is not None
    os.kill(reference.pid, number)


async def test_a_stop_ends_the_turn_and_saves_the_work() -> None:
    async with stage() as on:
        on.script([TOOL, FIX, {"say": "working"}, {"sleep": 600}])
        await on.act()
        await on.sees(AgentSaid)
        began = time.monotonic()
        on.bot.say(stop(1))
        ended = await on.ends()
        assert time.monotonic() - began < 8
        assert (ended.reason, ended.failure) == ("stopped", None)
        assert [frame.ordinal for frame in on.bot.of(InputTaken)] == [1]
        assert on.bot.of(ToolCalled)[-1].status == "interrupted"
        assert on.bot.of(TurnEnded)[-1].stop_reason == "cancelled"
        [saved] = on.bot.of(CheckpointSaved)
        assert git(on.workspace, "show", f"{saved.sha}:src/app.py") == "answer = 42"


async def test_term_ends_the_worker_within_eight_seconds_even_when_the_agent_is_deaf() -> None:
    async with stage() as on:
        on.script([{"deaf_to_signals": 1}, {"child": {}}, {"child": {"unmarked": True}}, {"say": "x"}, {"hang": 1}])
        await on.act()
        await on.sees(AgentSaid)
        began = time.monotonic()
        kill(on, signal.SIGTERM)
        assert (await on.ends()).reason == "terminated"
        assert time.monotonic() - began < 8
        assert '"exit": "done"' in await on.log()
        assert [pid for pid in on.found("child") if proctree.find(pid) is not None] == []


async def test_the_next_launch_loads_the_conversation_and_takes_up_what_was_cut_off() -> None:
    async with stage() as on:
        on.script([{"say": "working"}, {"sleep": 600}], load=True)
        await on.act()
        await on.sees(AgentSaid)
        kill(on, signal.SIGTERM)
        await on.ends()
        on.script({"when": "You were interrupted", "steps": [FIX]}, load=True)
        await on.act()
        assert (await on.ends()).reason == "finished"
        [started] = on.bot.of(AgentStarted)
        assert started.resumed
        assert [(turn.turn, turn.cause) for turn in on.bot.of(TurnStarted)] == [(2, "resumed")]
        first, second = on.prompts()
        assert first in second
        assert "told again" not in "".join(said.text for said in on.bot.of(AgentSaid))


async def test_an_agent_that_cannot_load_is_told_what_was_said_before() -> None:
    async with stage() as on:
        on.script([{"sleep": 600}])
        await on.act()
        await on.sees(TurnStarted)
        kill(on, signal.SIGTERM)
        await on.ends()
        on.script([FIX])
        resume = WireResume(transcript="## Turn 1\n\nI found the cause.")
        on.bot.bootstrap = on.bot.bootstrap.model_copy(update={"resume": resume})
        await on.act()
        assert (await on.ends()).reason == "finished"
        assert not on.bot.of(AgentStarted)[0].resumed
        told = on.prompts()[-1]
        assert "I found the cause." in told
        assert told.count("# What to do now: make the change") == 1
        assert told.index("I found the cause.") < told.index("You were interrupted")


async def test_a_killed_worker_takes_the_agent_with_it_and_loses_nothing_that_was_said() -> None:
    async with stage() as on:
        on.script([TOOL, {"say": "working"}, {"child": {}}, {"sleep": 600}], load=True)
        await on.act()
        on.bot.say(message(1, "be quick"))
        await on.sees(AgentSaid)
        await eventually(lambda: bool(on.found("child")))
        kill(on, signal.SIGKILL)
        await on.is_gone()
        on.script({"when": "be quick", "steps": [FIX]}, {"steps": [{"say": "on it"}]}, load=True)
        await on.act()
        assert (await on.ends()).reason == "finished"
        await eventually(lambda: not [pid for pid in on.found("child") if _runs(pid)])
        assert [(call.call, call.status) for call in on.bot.of(ToolCalled)] == [("t1", "interrupted")]
        assert [turn.cause for turn in on.bot.of(TurnStarted)] == ["resumed", "messages"]
        assert "be quick" in on.prompts()[-1]


async def test_a_message_that_was_about_to_be_told_is_told_by_the_next_launch() -> None:
    async with stage() as on:
        on.script([{"say": "working"}, {"sleep": 0.5}], {"when": "be quick", "steps": [{"sleep": 600}]}, load=True)
        await on.act()
        await on.sees(AgentSaid)
        on.bot.say(message(1, "be quick"))
        await on.sees(TurnStarted, 2)
        kill(on, signal.SIGKILL)
        await on.is_gone()
        on.script({"when": "be quick", "steps": [FIX]}, load=True)
        await on.act()
        assert (await on.ends()).reason == "finished"
        assert "Lee writes:\n\nbe quick" in on.prompts()[-1]
        assert on.bot.of(InputTaken) == []


async def test_a_waiting_session_goes_on_waiting_without_an_agent_or_a_second_card() -> None:
    async with stage(Phase.RESEARCH) as on:
        on.script([{"write": [".viberator/research.md", "# Found"]}])
        await on.act()
        await on.sees(DocumentSubmitted)
        kill(on, signal.SIGKILL)
        await on.is_gone()
        on.script({"when": "And Mars?", "steps": [{"write": [".viberator/research.md", "# More"]}]})
        await on.act()
        # The bot makes nothing of a document that it has already.
        assert (await on.sees(DocumentSubmitted))[0].markdown == "# Found"
        assert on.bot.of(AgentStarted) == []
        on.bot.say(message(1, "And Mars?"))
        assert (await on.sees(DocumentSubmitted, 2))[1].markdown == "# More"


async def test_an_open_question_is_answered_in_the_next_launch() -> None:
    async with stage() as on:
        on.script([{"write": [".viberator/question.md", "Zero?"]}], load=True)
        await on.act()
        await on.sees(QuestionFiled)
        await on.sees(TurnEnded)
        kill(on, signal.SIGKILL)
        await on.is_gone()
        on.bot.say(answer(1, "Zero"))
        on.script({"when": "Zero", "steps": [FIX]}, load=True)
        await on.act()
        assert (await on.ends()).reason == "finished"
        assert on.bot.of(QuestionFiled) == []
        assert [turn.cause for turn in on.bot.of(TurnStarted)] == ["answer"]


@pytest.mark.parametrize(
    ("verdict", "outcome", "told"),
    [(Verdict.APPROVE, "allowed", "allow_once"), (Verdict.REJECT, "rejected", "reject_once")],
)
async def test_a_decision_reaches_the_agent_that_waits_for_it(verdict: Verdict, outcome: str, told: str) -> None:
    async with stage() as on:
        on.script([ASK])
        await on.act()
        [asked] = await on.sees(PermissionRequested)
        assert (asked.title, asked.tool, asked.input) == ("Run make", "execute", "make")
        assert [option.kind for option in asked.options] == ["allow_once", "allow_always", "reject_once"]
        on.bot.say(decision(1, verdict, request=asked.request, grant=asked.grant))
        ended = await on.ends()
        assert ended.nothing_to_change is (outcome == "rejected")
        assert [(s.request, s.outcome, s.by_rule) for s in on.bot.of(PermissionSettled)] == [
            (asked.request, outcome, False)
        ]
        assert on.found("permission") == [told]


async def test_a_decision_after_the_launch_is_good_for_one_repeat_of_the_same() -> None:
    async with stage() as on:
        on.script([ASK], load=True)
        await on.act()
        [asked] = await on.sees(PermissionRequested)
        kill(on, signal.SIGTERM)
        await on.ends()
        assert on.bot.of(PermissionSettled) == []
        other = {"ask": {**ASK["ask"], "id": "p2", "input": {"command": "rm"}, "then": []}}
        on.script({"when": "Dana allowed it", "steps": [ASK, other]}, load=True)
        on.bot.say(decision(1, Verdict.APPROVE, request=asked.request, grant=asked.grant))
        await on.act()
        [again] = await on.sees(PermissionRequested)
        assert again.input == "rm"
        assert [(s.request, s.by_rule) for s in on.bot.of(PermissionSettled)] == [(asked.request, True)]
        assert [turn.cause for turn in on.bot.of(TurnStarted)] == ["decision"]
        assert on.found("permission")[-1] == "allow_once"


@pytest.mark.parametrize("pause_s", [0.0, 0.5])
async def test_a_permission_nobody_has_decided_is_waited_for_and_asked_once(pause_s: float) -> None:
    async with stage() as on:
        on.script([ASK], load=True)
        await on.act()
        [asked] = await on.sees(PermissionRequested)
        kill(on, signal.SIGKILL)
        await on.is_gone()
        # The decision comes once before the agent has asked again, and once after that.
        on.script([{"sleep": pause_s}, ASK], load=True)
        await on.act()
        on.bot.say(message(1, "Go on, will you?"))
        await on.sees(TurnStarted)
        await asyncio.sleep(0.5 - pause_s)
        on.bot.say(decision(2, Verdict.APPROVE, request=asked.request, grant=asked.grant))
        assert (await on.ends()).reason == "finished"
        assert on.bot.of(PermissionRequested) == []
        assert [(s.request, s.outcome) for s in on.bot.of(PermissionSettled)] == [(asked.request, "allowed")]


@pytest.mark.parametrize("steps", [[{"write": [".viberator/question.md", "Zero?"]}], [ASK]])
async def test_a_worker_that_waits_too_long_for_people_sleeps(steps: list[dict[str, object]]) -> None:
    async with stage(limits=Limits(idle_s=1.0)) as on:
        on.script(steps)
        await on.act()
        ended = await on.ends()
        assert (ended.reason, ended.failure) == ("idle", None)


async def test_a_turn_that_takes_too_long_is_cancelled() -> None:
    async with stage(limits=Limits(turn_s=1.0)) as on:
        on.script([{"shell": "sleep 600 &"}, {"sleep": 600}])
        await on.act()
        ended = await on.ends()
        assert ended.failure is not None
        assert ended.failure.kind is FailureKind.TIME_LIMIT
        assert on.bot.of(TurnEnded)[-1].stop_reason == "time_limit"


async def test_an_agent_that_dies_in_mid_turn_ends_it_with_its_last_words() -> None:
    async with stage() as on:
        on.script([TOOL, FIX, {"stderr": "panic: oh no"}, {"crash": 7}])
        await on.act()
        ended = await on.ends()
        assert ended.failure is not None
        assert (ended.failure.kind, ended.failure.detail) == (FailureKind.AGENT_CRASHED, "The agent ended with code 7.")
        assert ended.failure.last_words.endswith("panic: oh no")
        assert on.bot.of(ToolCalled)[-1].status == "interrupted"
        assert (on.bot.of(TurnEnded)[-1].stop_reason, len(on.bot.of(CheckpointSaved))) == ("died", 1)


@pytest.mark.parametrize(
    ("command", "kind", "words"),
    [
        (("/no/such/agent", "--acp"), FailureKind.AGENT_MISSING, "/no/such/agent"),
        (("sh", "-c", "echo no key >&2; exit 2"), FailureKind.AGENT_CRASHED, "code 2"),
        (("sleep", "600"), FailureKind.AGENT_SILENT, "did not answer initialize within 1 s"),
        (("sh", "-c", "echo Hello!; exec sleep 600"), FailureKind.AGENT_PROTOCOL, "it wrote: Hello!"),
    ],
)
async def test_an_agent_that_cannot_be_used_is_told_within_seconds(
    command: tuple[str, ...], kind: FailureKind, words: str
) -> None:
    agent = AgentProfile(name="odd", command=command)
    async with stage(limits=Limits(start_s=1.0), agent=agent) as on:
        await on.act()
        ended = await on.ends()
        assert (ended.reason, ended.failure.kind if ended.failure else None) == ("failed", kind)
        assert ended.failure is not None
        assert words in ended.failure.detail


async def test_a_broken_template_is_a_matter_of_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    own = tmp_path_factory.mktemp("prompts")
    (own / "execution.md.j2").write_text("{{ nothing }}")
    async with stage(templates_dir=str(own)) as on:
        await on.act()
        ended = await on.ends()
        assert ended.failure is not None
        assert ended.failure.kind is FailureKind.SETTINGS
        assert "execution.md.j2" in ended.failure.detail


async def test_a_mirror_that_is_none_is_told() -> None:
    async with stage(mirror="/no/such/mirror") as on:
        await on.act()
        ended = await on.ends()
        assert ended.failure is not None
        assert ended.failure.kind is FailureKind.REPOSITORY


async def test_a_fenced_worker_stops_at_once_and_keeps_its_work() -> None:
    async with stage() as on:
        on.script([FIX, {"child": {}}, {"say": "working"}, {"sleep": 600}])
        await on.act()
        await on.sees(AgentSaid)
        on.bot.fenced = True
        on.bot.stir()
        await on.is_gone(within_s=10)
        assert '"exit": "fenced"' in await on.log()
        assert git(on.workspace, "show", "refs/viberator/checkpoint:src/app.py") == "answer = 42"
        assert [pid for pid in on.found("child") if proctree.find(pid) is not None] == []


async def test_what_an_unreachable_bot_did_not_hear_it_hears_from_the_next_launch_once() -> None:
    async with stage(limits=Limits(unreachable_s=1.0)) as on:
        on.script([{"say": "one "}, {"sleep": 1}, {"say": "two "}, {"sleep": 600}], load=True)
        await on.act()
        await on.sees(AgentSaid)
        await on.bot.stop()
        await on.is_gone(within_s=15)
        assert '"exit": "unreachable"' in await on.log()
        await on.bot.start()
        on.script({"when": "You were interrupted", "steps": [{"say": "three"}]}, load=True)
        await on.act()
        await on.ends()
        told = [frame for frame in [*on.bot.earlier, *on.bot.frames] if isinstance(frame, AgentSaid)]
        assert "".join(said.text for said in told) == "one two three"
        kinds = [frame.kind for frame in on.bot.frames]
        assert kinds.index("turn_ended") < kinds.index("turn_started")


async def test_answers_that_are_lost_repeat_nothing() -> None:
    async with stage() as on:
        on.bot.lost_answers = 3
        on.script([*({"say": f"{n} "} for n in range(50)), FIX])
        await on.act()
        assert (await on.ends()).reason == "finished"
        assert "".join(said.text for said in on.bot.of(AgentSaid)) == "".join(f"{n} " for n in range(50))
        assert sum(isinstance(frame, TurnStarted) for frame in on.bot.frames) == 1


def _runs(pid: int) -> bool:
    """A dead process that nobody has reaped yet does not run."""
    process = proctree.find(pid)
    return process is not None and not process.zombie
