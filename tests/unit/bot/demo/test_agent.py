"""The scripted agent, as a process that speaks ACP, told what the worker's own templates say."""

import asyncio
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import acp
import pytest

from bot.demo import casting, sample
from bot.demo.story import REFUSE, ZERO
from runners.worker.prompts import Name, Paper, Prompts, Task
from runners.worker.questions import read_question
from sessions.models import Phase
from tests.repositories import git
from tests.unit.bot.demo.actors import Actor, Audience, acting


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return sample.make(tmp_path / "sample").checkout


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def filled(phase: Phase, name: Name, documents: tuple[Paper, ...] = (), **values: object) -> str:
    """The prompt as the worker renders it."""
    task = Task(
        key="4f2aa",
        title=sample.TITLE,
        description=sample.DESCRIPTION,
        requester="Dana",
        project=sample.PROJECT,
        branch="viberator/4f2aa",
        base="main",
        phase=phase,
        instructions="",
        test_command=sample.TEST_COMMAND,
        documents=documents,
        files=(),
    )
    return Prompts(task, None).fill(name, {"files": (), **values})


RESEARCH = filled(Phase.RESEARCH, "research")
PLANNING = filled(Phase.PLANNING, "planning")
EXECUTION = filled(Phase.EXECUTION, "execution")


def answer(text: str) -> str:
    return filled(Phase.PLANNING, "answer", author="Dana", text=text)


def resumed(prompt: str) -> str:
    return filled(Phase.EXECUTION, "resumed", prompt=prompt)


def note(workspace: Path, name: str) -> str:
    return (workspace / ".viberator" / name).read_text()


async def turn(workspace: Path, home: Path, audience: Audience, *prompts: str) -> list[str]:
    """The reasons for which the turns of one new session ended."""
    async with acting(workspace, home, audience) as actor:
        await actor.open()
        return [await actor.prompt(prompt) for prompt in prompts]


async def test_it_says_that_it_is_a_script_and_can_go_on_with_a_session(workspace: Path, home: Path) -> None:
    async with acting(workspace, home, Audience()) as actor:
        hello = await actor.connection.initialize(protocol_version=acp.PROTOCOL_VERSION)
    assert hello.agent_info.title == casting.TITLE == "Scripted demo agent (no model)"
    assert hello.agent_capabilities.load_session


async def test_research_reads_and_writes_the_document_and_changes_nothing(workspace: Path, home: Path) -> None:
    audience = Audience()
    assert await turn(workspace, home, audience, RESEARCH) == ["end_turn"]
    assert "TypeError" in note(workspace, "research.md")
    calls = audience.calls().values()
    assert [call["kind"] for call in calls] == ["read", "read", "read", "edit"]
    assert {call["status"] for call in calls} == {"completed"}
    assert audience.texts("agent_thought_chunk")
    assert [entry["status"] for entry in audience.told[1]["entries"]] == ["in_progress", "pending", "pending"]
    assert git(workspace, "status", "--porcelain") == "?? .viberator/"
    assert not audience.asked


async def test_planning_asks_one_question_and_plans_by_the_answer(workspace: Path, home: Path) -> None:
    audience = Audience()
    async with acting(workspace, home, audience) as actor:
        await actor.open()
        assert await actor.prompt(PLANNING) == "end_turn"
        assert read_question(note(workspace, "question.md"))[1] == (ZERO, REFUSE)
        assert not (workspace / ".viberator/planning.md").exists()
        (workspace / ".viberator/question.md").unlink()
        assert await actor.prompt(answer(ZERO)) == "end_turn"
    assert "counts as zero" in note(workspace, "planning.md")
    assert not (workspace / ".viberator/question.md").exists()


async def test_execution_asks_once_sees_red_edits_and_sees_green(workspace: Path, home: Path) -> None:
    audience = Audience()
    assert await turn(workspace, home, audience, EXECUTION) == ["end_turn"]
    assert [asked["kind"] for asked in audience.asked] == ["execute"]
    calls = audience.calls()
    assert (calls["execution.red"]["status"], calls["execution.green"]["status"]) == ("failed", "completed")
    assert "3 passed, 1 failed" in calls["execution.red"]["content"][0]["content"]["text"]
    assert "4 passed, 0 failed" in calls["execution.green"]["content"][0]["content"]["text"]
    assert calls["execution.fix"]["content"][0]["type"] == "diff"
    assert git(workspace, "diff", "--name-only").splitlines() == ["CHANGELOG.md", "widgets/billing.py"]
    told = "before: red (4 tests: 3 passed, 1 failed). And now: green (4 tests: 4 passed, 0 failed)."
    assert told in audience.texts()[-1]


async def test_an_answer_that_refuses_makes_another_plan_and_another_change(workspace: Path, home: Path) -> None:
    await turn(workspace, home, Audience(), PLANNING, answer(REFUSE))
    plan = note(workspace, "planning.md")
    assert "**refused**" in plan
    approved = (Paper(phase=Phase.PLANNING, revision=1, author="agent", markdown=plan),)
    audience = Audience()
    await turn(workspace, home, audience, filled(Phase.EXECUTION, "execution", approved))
    assert audience.calls()["execution.green"]["status"] == "completed"
    assert "raise ValueError" in (workspace / "widgets/billing.py").read_text()
    assert "tests/test_billing.py" in git(workspace, "diff", "--name-only")


async def test_a_refused_permission_is_respected_and_told(workspace: Path, home: Path) -> None:
    audience = Audience(verdict="reject_once")
    assert await turn(workspace, home, audience, EXECUTION) == ["end_turn"]
    assert "execution.green" not in audience.calls()
    assert audience.calls()["execution.red"]["status"] == "failed"
    assert "may not run the tests" in audience.texts()[0]
    assert "I have not run the tests" in audience.texts()[-1]
    assert "or 0" in (workspace / "widgets/billing.py").read_text()


@pytest.mark.parametrize(("phase", "first"), [(Phase.RESEARCH, RESEARCH), (Phase.PLANNING, PLANNING)])
async def test_requested_changes_become_a_revision_with_the_comment_in_it(
    workspace: Path, home: Path, phase: Phase, first: str
) -> None:
    prompts = [first, *([answer(ZERO)] if phase is Phase.PLANNING else [])]
    changes = [filled(phase, "changes", author="Dana", text=f"What about {what}?\nSay it.") for what in ("tax", "VAT")]
    await turn(workspace, home, Audience(), *prompts, changes[0])
    before = note(workspace, f"{phase}.md")
    assert "> What about tax?\n> Say it." in before
    await turn(workspace, home, Audience(), *prompts, *changes)
    after = note(workspace, f"{phase}.md")
    assert "> What about tax?" in after
    assert "> What about VAT?" in after


async def test_a_reminder_makes_it_write_the_document(workspace: Path, home: Path) -> None:
    await turn(workspace, home, Audience(), PLANNING, filled(Phase.PLANNING, "reminder", revising=False))
    assert note(workspace, "planning.md")


@pytest.mark.parametrize("prompt", ["hello", "", filled(Phase.EXECUTION, "message", author="Dana", text="And tax?")])
async def test_anything_else_is_answered_honestly(workspace: Path, home: Path, prompt: str) -> None:
    audience = Audience()
    assert await turn(workspace, home, audience, prompt) == ["end_turn"]
    assert "I am a script" in audience.texts()[-1]


async def test_it_tells_its_story_in_any_repository(tmp_path: Path, home: Path) -> None:
    """With another repository there is nothing to read or edit, which is told as failed calls."""
    (tmp_path / "other").mkdir()
    audience = Audience()
    reasons = await turn(tmp_path / "other", home, audience, RESEARCH, PLANNING, answer("what?"), EXECUTION)
    assert reasons == ["end_turn"] * 4
    assert audience.calls()["execution.fix"]["status"] == "failed"


# ── cancelled and killed ────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_turn_can_be_cancelled_at_any_time_and_gone_on_with(workspace: Path, home: Path) -> None:
    audience = Audience()
    async with acting(workspace, home, audience, pace_s=0.02) as actor:
        await actor.open()
        reasons = [await cancelled_after(actor, EXECUTION, updates) for updates in (1, 3, 6)]
        assert set(reasons) == {"cancelled"}
        assert await actor.prompt(resumed(EXECUTION)) == "end_turn"
    assert audience.calls()["execution.green"]["status"] == "completed"


async def cancelled_after(actor: Actor, prompt: str, updates: int) -> str:
    heard, enough = itertools.count(1), asyncio.Event()
    actor.audience.on_update = lambda: enough.set() if next(heard) >= updates else None
    async with asyncio.TaskGroup() as group:
        running = group.create_task(actor.prompt(resumed(prompt) if updates > 1 else prompt))
        await enough.wait()
        await actor.connection.cancel(session_id=actor.session)
    return running.result()


async def test_a_permission_that_is_cancelled_ends_the_turn_and_is_asked_again(workspace: Path, home: Path) -> None:
    audience = Audience(verdict="cancelled")
    async with acting(workspace, home, audience) as actor:
        await actor.open()
        assert await actor.prompt(EXECUTION) == "cancelled"
        audience.verdict = "allow_once"
        decision = filled(Phase.EXECUTION, "decision", author="Dana", text="", title="Run the tests", allowed=True)
        assert await actor.prompt(decision) == "end_turn"
    assert audience.asked[0] == audience.asked[1]
    assert audience.calls()["execution.green"]["status"] == "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an execution comes to when nobody disturbs it."""

    shown: tuple[list[object], str]
    diff: str


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Told:
    audience, folder = Audience(), tmp_path_factory.mktemp("undisturbed")
    workspace = sample.make(folder / "sample").checkout
    asyncio.run(turn(workspace, folder, audience, EXECUTION))
    return Told(shown=shown(audience, workspace), diff=git(workspace, "diff"))


@pytest.mark.parametrize("updates", [1, 3, 4, 7, 10, 13])
async def test_killed_in_the_middle_it_goes_on_and_tells_the_same(
    undisturbed: Told, workspace: Path, home: Path, updates: int
) -> None:
    first, second = Audience(), Audience()
    session = await killed_after(workspace, home, first, updates)
    async with acting(workspace, home, second) as actor:
        await actor.open(session)
        assert await actor.prompt(resumed(EXECUTION)) == "end_turn"

    together = Audience(told=first.told + second.told)
    assert shown(together, workspace) == undisturbed.shown
    assert git(workspace, "diff") == undisturbed.diff


async def killed_after(workspace: Path, home: Path, audience: Audience, updates: int) -> str:
    """The session of an agent that is killed as soon as so many updates were heard."""
    heard, enough = itertools.count(1), asyncio.Event()
    audience.on_update = lambda: enough.set() if next(heard) >= updates else None
    async with acting(workspace, home, audience, pace_s=0.005) as actor:
        session = await actor.open()
        running = asyncio.create_task(actor.prompt(EXECUTION))
        await enough.wait()
        actor.kill()
        await asyncio.gather(running, return_exceptions=True)
    return session


def shown(audience: Audience, workspace: Path) -> tuple[list[object], str]:
    """Each call as it ended, in order, and the last words, without the place where it all was."""
    calls = [re.sub(re.escape(str(workspace)), "", repr(sorted(call.items()))) for call in audience.calls().values()]
    return list(calls), audience.texts()[-1]


async def test_killed_after_its_last_words_it_says_them_again(workspace: Path, home: Path) -> None:
    audience = Audience()
    async with acting(workspace, home, audience) as actor:
        session = await actor.open()
        await actor.prompt(RESEARCH)
        actor.kill()
    again = Audience()
    async with acting(workspace, home, again) as actor:
        await actor.open(session)
        await actor.prompt(resumed(RESEARCH))
    assert again.texts() == audience.texts()[-1:]


async def test_a_prompt_it_never_heard_is_begun_when_it_is_told_again(workspace: Path, home: Path) -> None:
    """The answer was about to be given when everything was killed."""
    async with acting(workspace, home, Audience()) as actor:
        session = await actor.open()
        await actor.prompt(PLANNING)
    async with acting(workspace, home, Audience()) as actor:
        await actor.open(session)
        await actor.prompt(resumed(answer(ZERO)))
    assert "counts as zero" in note(workspace, "planning.md")


async def test_a_second_comment_it_never_heard_is_not_taken_for_the_first(workspace: Path, home: Path) -> None:
    changes = [filled(Phase.RESEARCH, "changes", author="Dana", text=f"Say {what}.") for what in ("more", "less")]
    assert await turn(workspace, home, Audience(), RESEARCH, changes[0], resumed(changes[1])) == ["end_turn"] * 3
    assert "> Say less." in note(workspace, "research.md")


async def test_a_message_beside_an_interrupted_turn_does_not_end_the_work(workspace: Path, home: Path) -> None:
    audience = Audience(verdict="cancelled")
    message = filled(Phase.EXECUTION, "message", author="Dana", text="And hurry.")
    async with acting(workspace, home, audience) as actor:
        await actor.open()
        await actor.prompt(EXECUTION)
        audience.verdict = "allow_once"
        assert await actor.prompt(f"{resumed(EXECUTION)}\n\n---\n\n{message}") == "end_turn"
    assert audience.calls()["execution.green"]["status"] == "completed"


async def test_an_edit_that_was_made_already_is_told_in_the_same_way(workspace: Path, home: Path) -> None:
    first, second = Audience(), Audience()
    await turn(workspace, home, first, EXECUTION)
    made = git(workspace, "diff")
    await turn(workspace, home, second, EXECUTION)
    assert git(workspace, "diff") == made
    assert second.calls()["execution.fix"] == first.calls()["execution.fix"]


async def test_a_session_it_does_not_know_is_refused(workspace: Path, home: Path) -> None:
    async with acting(workspace, home, Audience()) as actor:
        with pytest.raises(acp.RequestError):
            await actor.open("unknown")


async def test_what_the_repository_calls_bot_is_not_imported(workspace: Path, home: Path) -> None:
    (workspace / "bot").mkdir()
    (workspace / "bot/__init__.py").write_text("raise SystemExit('imported from the workspace')\n")
    assert await turn(workspace, home, Audience(), "hello") == ["end_turn"]
