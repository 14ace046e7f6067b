"""A real coding agent (Kimi Code) at work through `viberator chat`, with a model that plays a script.

Nothing of the agent is imitated: it reads, edits, runs commands, asks permission and uses our tools as it does with any model.
"""

import asyncio
import os
import re
import shlex
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.agents.kimi import kimi_command
from tests.agents.model import ScriptedModel, scripted_model
from tests.agents.scenes import Call, Refuse, Say, Scene, Stall, Step
from tests.eventually import eventually
from tests.parts import AGENT_VARIABLE
from tests.programs import Ended, Program, assert_in_order

pytestmark = [pytest.mark.needs("agent"), pytest.mark.timeout(180)]

REQUEST = "Fix the total of a bill"
TESTS = "python3 -m unittest"
AUTHOR = "Maya Lindt <maya@example.org>"
FILES = {
    "billing.py": "def total(prices):\n    return sum(prices) + 1\n",
    "test_billing.py": (
        "import unittest\n\nfrom billing import total\n\n\n"
        "class Billing(unittest.TestCase):\n"
        "    def test_total(self):\n        self.assertEqual(total([1, 2]), 3)\n"
    ),
}

RESEARCH = "# What to do now: research"
PLANNING = "# What to do now: plan"
EXECUTION = "# What to do now: make the change"
ANSWERED = "answers your question"
DECIDED = "you will not be asked a second time"
INTERRUPTED = "Look at what is done already, and go on from there."

LOOK = Call(tool="Read", arguments={"path": "billing.py"}, saying="I look at the code first.")
RUN = Call(tool="Bash", arguments={"command": TESTS}, saying="Let me see the tests.")
FIX = Call(
    tool="Edit",
    arguments={"path": "billing.py", "old_string": "sum(prices) + 1", "new_string": "sum(prices)"},
    saying="It adds one too many.",
)
REPORT = Call(
    tool="report",
    arguments={"title": "Add up a bill without one too many", "summary": "`total` added one to every sum."},
)
END = Say(text="The total is right now.")
MESSAGE = "Add up a bill without one too many\n\n`total` added one to every sum.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A person at a repository with a bare remote, and the agent at hand."""

    program: Program
    model: ScriptedModel
    agent: str

    @property
    def remote(self) -> Path:
        return self.program.folder / "billing.git"

    def words(self, *more: str) -> tuple[str, ...]:
        return ("chat", "--repo", str(self.remote), "--agent-command", self.agent, "--test-command", TESTS, *more)

    async def chats(self, *words: str, lines: Sequence[str] = ()) -> Ended:
        """A chat with these lines piped in, to its end."""
        typed = "".join(f"{line}\n" for line in lines)
        return await asyncio.to_thread(self.program.run, *words, lines=typed)

    async def is_killed(self, *words: str, lines: Sequence[str], when: Callable[[str], bool]) -> str:
        """A chat whose process is killed as soon as what it has written so far fulfils `when`; the ticket's key."""
        told = self.program.folder / "killed.out"
        # Its input stays open, so that it does not leave when it waits for the person.
        reader, writer = os.pipe()
        try:
            os.write(writer, "".join(f"{line}\n" for line in lines).encode())
            with told.open("wb") as output:
                bot = subprocess.Popen(  # noqa: ASYNC220 (begun in a moment, and never waited for while it runs)
                    self.program.command(*words),
                    stdin=reader,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.program.folder,
                    env=self.program.environment,
                )
            try:
                await eventually(lambda: when(told.read_text()), within_s=30)
            finally:
                bot.send_signal(signal.SIGKILL)
                bot.wait()
        finally:
            os.close(reader)
            os.close(writer)
        return key_of(told.read_text())

    def git(self, *words: str) -> str:
        return self.program.git(self.remote, *words)

    def branches(self) -> list[str]:
        return self.git("branch", "--list", "viberator/*", "--format=%(refname:short)").split()

    def company(self) -> list[str]:
        """The processes of agents that still run."""
        found: list[str] = []
        for process in psutil.process_iter():
            try:
                if str(self.program.folder) in process.environ().get("KIMI_CODE_HOME", ""):
                    found.append(process.name())
            except psutil.Error:
                continue
        return found

    def results(self) -> list[str]:
        """What the agent's tools have answered, in order, over all its turns."""
        return [exchange.results[-1] for exchange in self.model.exchanges if exchange.results and exchange.offered]


@asynccontextmanager
async def desk(program: Program, *script: Scene) -> AsyncIterator[Desk]:
    """Nothing that the script does not foresee happens until the end of the block, and nothing is left running after it."""
    directory = Path(os.environ[AGENT_VARIABLE])  # noqa: TID251 (the part of tests/parts.py that the test needs)
    source = program.repository("billing")
    for name, text in FILES.items():
        (source / name).write_text(text)
    program.git(source, "add", ".")
    program.git(source, "commit", "--quiet", "--message", "Bill")
    program.git(program.folder, "clone", "--quiet", "--bare", str(source), "billing.git")
    name, email = AUTHOR.rstrip(">").split(" <")
    program.git(program.folder / "billing.git", "config", "user.name", name)
    program.git(program.folder / "billing.git", "config", "user.email", email)
    async with scripted_model(script) as model:
        agent = shlex.join(kimi_command(directory, program.folder / "home", model.url))
        made = Desk(program=program, model=model, agent=agent)
        yield made
        assert model.surprises == []
        await eventually(lambda: made.company() == [])


def key_of(told: str) -> str:
    found = re.search(r"viberator/([2-9a-z]{5})-", told)
    assert found, told
    return found[1]


def assert_pushed(at: Desk, told: Ended) -> None:
    """The branch is on the remote, in one commit that a person could have made."""
    assert told.code == 0, told
    branch = f"viberator/{key_of(told.out)}-fix-the-total-of-a-bill"
    assert_in_order(told.out, "✅", f"Branch {branch} pushed", "total added one to every sum.", "is over)")
    assert at.branches() == [branch]
    assert at.git("log", "--format=%an <%ae>", f"main..{branch}") == AUTHOR
    message = at.git("log", "-1", "--format=%B", branch)
    assert message.startswith(MESSAGE)
    assert EXECUTION not in message
    assert at.git("diff", "--name-only", f"main...{branch}") == "billing.py"
    assert "return sum(prices)\n" in at.git("show", f"{branch}:billing.py") + "\n"


async def test_a_real_agent_changes_a_repository_and_asks_before_it_runs_a_command(served_program: Program) -> None:
    async with desk(served_program, Scene(cue=EXECUTION, steps=(LOOK, RUN, FIX, REPORT, END))) as at:
        told = await at.chats(*at.words("--phase", "execution"), lines=[REQUEST, "1"])
        assert_pushed(at, told)
        asked = f"may the agent do this? Bash · {TESTS} [Allow once] [Always allow] [Reject]"
        assert_in_order(told.out, REQUEST, "✋", asked, "presses [Allow once]", f"✓ {TESTS}, before publishing", "✅")
        # Its own run was red, and nothing but the command was asked about.
        assert "FAILED (failures=1)" in at.results()[1]
        assert told.out.count("presses") == told.out.count("may the agent") == 1
        steps: list[Step] = [exchange.answer for exchange in at.model.exchanges if exchange.offered]
        assert [step.tool.rpartition("__")[2] for step in steps if isinstance(step, Call)] == [
            "Read",
            "Bash",
            "Edit",
            "report",
        ]


async def test_a_real_agent_goes_through_all_phases_with_our_tools_and_with_its_own_question(
    served_program: Program,
) -> None:
    choices = [{"label": "Zero", "description": "as now"}, {"label": "An error", "description": "stricter"}]
    question = {"question": "What is an empty bill?", "header": "Empty", "options": choices}
    script = (
        Scene(
            cue=RESEARCH,
            steps=(
                LOOK,
                Call(tool="AskUserQuestion", arguments={"questions": [question]}),
                Call(tool="write_document", arguments={"markdown": "# Why the total is wrong\n\nIt adds one.\n"}),
                Say(text="That is what I found."),
            ),
        ),
        Scene(
            cue=PLANNING,
            steps=(
                Call(tool="ask_human", arguments={"question": "Add a test?", "options": ["Yes", "No"]}),
                Say(text="I wait for your answer."),
            ),
        ),
        Scene(
            cue=ANSWERED,
            steps=(
                Call(tool="write_document", arguments={"markdown": "# Add up right\n\nTake the one away.\n"}),
                Say(text="That is the plan."),
            ),
        ),
        Scene(cue=EXECUTION, steps=(FIX, REPORT, END)),
    )
    async with desk(served_program, *script) as at:
        told = await at.chats(*at.words(), lines=[REQUEST, "2", "1", "2", "1"])
        assert_pushed(at, told)
        assert_in_order(
            told.out,
            "What is an empty bill? [Zero] [An error]",
            "presses [An error]",
            "research v1",
            "presses [Approve & plan]",
            "Add a test? [Yes] [No]",
            "presses [No]",
            "plan v1",
            "presses [Approve & run]",
            "✅",
        )
        assert "may the agent" not in told.out
        assert any("An error" in result for result in at.results())
        last = at.model.exchanges[-1].prompt
        assert_in_order(last, "# Why the total is wrong", "# Add up right", EXECUTION)
        assert any(f"{ANSWERED}:\n\nNo" in exchange.prompt for exchange in at.model.exchanges)


async def test_a_real_agent_does_without_what_it_was_refused(served_program: Program) -> None:
    mark = served_program.folder / "ran.txt"
    run = Call(tool="Bash", arguments={"command": f"touch {mark}"})
    leave = Say(text="Then I leave it as it is.")
    async with desk(served_program, Scene(cue=EXECUTION, steps=(run, leave))) as at:
        told = await at.chats(*at.words("--phase", "execution"), lines=[REQUEST, "Reject"])
        assert told.code == 0
        assert_in_order(told.out, f"touch {mark}", "presses [Reject]", "Then I leave it as it is.", "is over)")
        assert "rejected" in at.results()[0]
        assert not mark.exists()
        assert at.branches() == []


async def test_a_real_agent_goes_on_where_a_killed_bot_had_left_it(served_program: Program) -> None:
    script = (
        Scene(cue=EXECUTION, steps=(LOOK, Stall(text="Let me think"))),
        Scene(cue=INTERRUPTED, steps=(FIX, REPORT, END)),
    )
    async with desk(served_program, *script) as at:
        words = at.words("--phase", "execution")
        key = await at.is_killed(
            *words,
            lines=[REQUEST],
            when=lambda _: any(isinstance(exchange.answer, Stall) for exchange in at.model.exchanges),
        )
        assert at.branches() == []
        await eventually(lambda: at.company() == [])
        told = await at.chats("chat", "--resume", key)
        assert_pushed(at, told)
        assert told.out.count("🛠") == 1


async def test_a_permission_outlives_the_bot_that_asked_for_it(served_program: Program) -> None:
    script = (
        Scene(cue=EXECUTION, steps=(LOOK, RUN, END)),
        Scene(cue=DECIDED, steps=(RUN, FIX, REPORT, END)),
    )
    async with desk(served_program, *script) as at:
        words = at.words("--phase", "execution")
        key = await at.is_killed(*words, lines=[REQUEST], when=lambda told: "may the agent" in told)
        told = await at.chats("chat", "--resume", key, lines=["1"])
        assert_pushed(at, told)
        # The decision is good for the repeat of the very same command: it is not asked about again.
        assert told.out.count("presses [Allow once]") == told.out.count("may the agent") == 1
        assert "FAILED (failures=1)" in at.results()[-3]


async def test_a_model_that_fails_in_silence_is_told_and_can_be_tried_again(served_program: Program) -> None:
    script = (
        Scene(cue=EXECUTION, steps=(Refuse(status=500, message="out of order"),)),
        Scene(cue=INTERRUPTED, steps=(FIX, REPORT, END)),
    )
    async with desk(served_program, *script) as at:
        told = await at.chats(*at.words("--phase", "execution"), lines=[REQUEST, "Retry"])
        assert_in_order(told.out, "gave no answer", "[Retry]", "presses [Retry]", "✅")
        assert_pushed(at, told)
