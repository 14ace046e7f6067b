"""What each phase ends with, as the bot hears it from a real worker with a scripted agent."""

import pytest

from runners.wire import Refusal
from sessions.events import (
    AgentSaid,
    ChangesCommitted,
    DocumentSubmitted,
    FileAttached,
    InputTaken,
    QuestionFiled,
    TestsRun,
    TurnEnded,
    TurnStarted,
)
from sessions.models import FailureKind, Limits, Phase, Verdict
from tests.repositories import git
from tests.stage import Stage, answer, decision, message, stage

FIX = {"write": ["src/app.py", "answer = 42\n"]}


def causes(on: Stage) -> list[str]:
    return [frame.cause for frame in on.bot.of(TurnStarted)]


async def test_an_execution_ends_with_a_bundle_of_the_requesters_commit() -> None:
    async with stage() as on:
        on.script([{"say": "I change it."}, FIX])
        await on.act()
        ended = await on.ends()
        assert (ended.reason, ended.failure, ended.nothing_to_change) == ("finished", None, False)
        assert "I change it." in "".join(said.text for said in on.bot.of(AgentSaid))
        assert "{{ not_a_template }}" in on.prompts()[0]
        [asked] = on.bot.published
        [committed] = on.bot.of(ChangesCommitted)
        assert (asked.branch, asked.base, asked.head) == ("viberator/4f2ab-fix-the-answer", "main", committed.sha)
        (on.root / "bundle").write_bytes(on.bot.blobs[asked.bundle])
        bare = f"--git-dir={on.bot.bootstrap.mirror}"
        git(on.root, bare, "fetch", "-q", str(on.root / "bundle"), f"{asked.branch}:out")
        assert git(on.root, bare, "show", "out:src/app.py") == "answer = 42"
        assert (
            git(on.root, bare, "log", "-1", "--format=%an <%ae>|%s", "out") == "Dana <dana@example.org>|Fix the answer"
        )


async def test_an_execution_without_a_change_publishes_nothing() -> None:
    async with stage(test_command="false") as on:
        on.script([{"say": "It is right as it is."}])
        await on.act()
        ended = await on.ends()
        assert (ended.reason, ended.nothing_to_change, ended.words) == ("finished", True, "It is right as it is.")
        assert on.bot.published == []
        assert on.bot.of(TestsRun) == []


async def test_red_tests_are_repaired_before_publishing() -> None:
    async with stage(test_command="echo checking; grep -q 42 src/app.py") as on:
        on.script([{"write": ["src/app.py", "answer = 43\n"]}], {"when": "The tests fail", "steps": [FIX]})
        await on.act()
        assert (await on.ends()).reason == "finished"
        assert [(run.attempt, run.passed, run.exit_code) for run in on.bot.of(TestsRun)] == [
            (0, False, 1),
            (1, True, 0),
        ]
        assert causes(on) == ["task", "repair"]
        assert "checking" in on.prompts()[1]
        assert len(on.bot.published) == 1


async def test_tests_that_stay_red_end_without_publishing_and_a_retry_gets_all_repairs() -> None:
    async with stage(limits=Limits(repairs=1), test_command="exit 3") as on:
        on.script([FIX], {"when": "The tests fail", "steps": [{"say": "Hm."}], "again": True})
        await on.act()
        ended = await on.ends()
        assert ended.reason == "failed"
        assert ended.failure is not None
        assert ended.failure.kind is FailureKind.TESTS_RED
        assert [run.attempt for run in on.bot.of(TestsRun)] == [0, 1]
        assert on.bot.published == []
        await on.act()
        await on.ends()
        assert causes(on) == ["repair"]


async def test_tests_that_take_too_long_are_ended_with_all_they_started() -> None:
    async with stage(limits=Limits(repairs=0, test_s=0.5), test_command="setsid sleep 600 & sleep 600") as on:
        on.script([FIX])
        await on.act()
        ended = await on.ends()
        assert ended.failure is not None
        assert ended.failure.kind is FailureKind.TESTS_RED
        assert "took too long" in on.bot.of(TestsRun)[0].output


async def test_a_refused_publication_is_told_and_the_next_launch_publishes_without_an_agent() -> None:
    async with stage() as on:
        on.script([FIX])
        on.bot.refusal = Refusal(kind=FailureKind.HOST_REFUSED, detail="The remote said no.")
        await on.act()
        ended = await on.ends()
        assert ended.failure is not None
        assert (ended.failure.kind, ended.failure.detail) == (FailureKind.HOST_REFUSED, "The remote said no.")
        on.bot.refusal = None
        await on.act()
        assert (await on.ends()).reason == "finished"
        assert on.bot.of(TurnStarted) == []
        assert len(on.bot.published) == 1


@pytest.mark.parametrize("phase", [Phase.RESEARCH, Phase.PLANNING])
async def test_a_phase_ends_with_the_document_in_its_file(phase: Phase) -> None:
    async with stage(phase) as on:
        on.script([{"write": [f".viberator/{phase}.md", "# Found\n\nIt is 41.\n"]}])
        await on.act()
        [submitted] = await on.sees(DocumentSubmitted)
        assert (submitted.phase, submitted.markdown) == (phase, "# Found\n\nIt is 41.")
        on.bot.say(decision(1, Verdict.APPROVE))
        on.bot.end()
        assert (await on.ends()).reason == "finished"


async def test_tools_write_documents_ask_and_show_files() -> None:
    async with stage(Phase.RESEARCH) as on:
        on.script(
            [
                {"mcp": ["ask_human", {"question": "Zero or an error?", "options": ["Zero", "An error"]}]},
                {"mcp": ["write_document", {"markdown": "# Found"}]},
                {"mcp": ["attach_file", {"path": "README.md"}]},
                {"mcp": ["attach_file", {"path": "/etc/passwd"}]},
            ],
            {"when": "An error", "steps": [{"say": "Good."}]},
        )
        await on.act()
        [asked] = await on.sees(QuestionFiled)
        assert (asked.text, asked.options) == ("Zero or an error?", ("Zero", "An error"))
        await on.sees(TurnEnded)
        assert on.bot.of(DocumentSubmitted) == []
        on.bot.say(answer(1, "An error"))
        [submitted] = await on.sees(DocumentSubmitted)
        assert submitted.markdown == "# Found"
        assert causes(on) == ["task", "answer"]
        [shown] = on.bot.of(FileAttached)
        assert (shown.name, on.bot.blobs[shown.blob]) == ("README.md", b"# widgets\n")
        assert "End your turn now" in on.found("answer")[0]


async def test_the_agents_report_is_the_commits_message() -> None:
    async with stage() as on:
        report = {"title": "Return 42", "summary": "It was off by one."}
        on.script([FIX, {"mcp": ["report", report]}])
        await on.act()
        assert (await on.ends()).words == "It was off by one."
        # It is told before the branch is published, so that the card on that need not change afterwards.
        assert [turn.words for turn in on.bot.of(TurnEnded)] == ["It was off by one."]
        message_ = git(on.workspace, "log", "-1", "--format=%B")
        assert message_.startswith("Return 42\n\nIt was off by one.\n")


async def test_an_agent_that_forgets_its_document_is_reminded_once_and_then_quoted() -> None:
    async with stage(Phase.RESEARCH) as on:
        on.script([{"say": "Hm."}], {"when": "not written", "steps": [{"say": "The answer is 41."}]})
        await on.act()
        [submitted] = await on.sees(DocumentSubmitted)
        assert causes(on) == ["task", "reminder"]
        assert "wrote no document" in submitted.markdown
        assert submitted.markdown.endswith("The answer is 41.")


async def test_requested_changes_make_the_next_revision() -> None:
    async with stage(Phase.PLANNING) as on:
        on.script(
            [{"write": [".viberator/planning.md", "# Plan"]}],
            {"when": "asks for changes", "steps": [{"write": [".viberator/planning.md", "# Better plan"]}]},
        )
        await on.act()
        await on.sees(DocumentSubmitted)
        on.bot.say(decision(1, Verdict.REQUEST_CHANGES, text="Shorter, please."))
        submitted = await on.sees(DocumentSubmitted, 2)
        assert [document.markdown for document in submitted] == ["# Plan", "# Better plan"]
        assert "Shorter, please." in on.prompts()[1]
        assert [taken.ordinal for taken in on.bot.of(InputTaken)] == [1]


async def test_a_message_about_a_document_is_answered_without_a_new_revision() -> None:
    async with stage(Phase.PLANNING) as on:
        on.script([{"write": [".viberator/planning.md", "# Plan"]}], {"when": "Why", "steps": [{"say": "Because."}]})
        await on.act()
        await on.sees(DocumentSubmitted)
        on.bot.say(message(1, "Why so?"))
        await on.sees(TurnEnded, 2)
        assert causes(on) == ["task", "messages"]
        assert len(on.bot.of(DocumentSubmitted)) == 1


async def test_a_question_in_a_file_waits_for_its_answer() -> None:
    async with stage() as on:
        on.script(
            [{"write": [".viberator/question.md", "Zero, or an error?"]}],
            {"when": "answers your question:\n\nZero", "steps": [FIX]},
        )
        await on.act()
        [asked] = await on.sees(QuestionFiled)
        assert asked.text == "Zero, or an error?"
        await on.sees(TurnEnded)
        on.bot.say(answer(1, "Zero"))
        assert (await on.ends()).reason == "finished"
        assert causes(on) == ["task", "answer"]
        assert not (on.workspace / ".viberator/question.md").exists()


async def test_messages_wait_for_the_turns_end_and_come_as_one_prompt_in_order() -> None:
    async with stage() as on:
        on.script([{"say": "working"}, {"sleep": 1}], {"when": "and docs", "steps": [FIX]})
        await on.act()
        await on.sees(AgentSaid)
        on.bot.say(message(1, "and tests", "Lee"))
        on.bot.say(message(2, "withdrawn later", "Max"))
        on.bot.say(message(3, "and docs", "Kim"))
        on.bot.inputs.pop(1)
        assert (await on.ends()).reason == "finished"
        assert causes(on) == ["task", "messages"]
        told = on.prompts()[1]
        assert told.index("Lee writes:\n\nand tests") < told.index("Kim writes:\n\nand docs")
        assert "withdrawn" not in told
        assert [taken.ordinal for taken in on.bot.of(InputTaken)] == [1, 3]
