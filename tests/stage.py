"""A stage for workers: a bot that is none, a repository, an agent with a script, and real worker processes on it."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from runners.process import ProcessRunner
from runners.wire import WireBootstrap, WireInput, WireResume
from sessions.events import AgentStarted, WorkerEnded
from sessions.models import AgentProfile, InputKind, LaunchId, Limits, Phase, SessionId, Verdict
from sessions.ports import LaunchOrder
from tests.eventually import eventually
from tests.fake_bot import TOKEN, FakeBot, serving
from tests.repositories import commit, git, make_remote, make_repository

AGENT = Path(__file__).parent / "agents" / "scripted.py"
WITHIN_S = 30.0
PATH = os.defpath + ":/usr/local/bin"
DEFAULT_LIMITS = Limits()


@dataclass
class Stage:
    """One session. `act` begins a launch of it; a second one goes on in the same directory."""

    root: Path
    bot: FakeBot
    runner: ProcessRunner
    session: SessionId = field(default_factory=lambda: SessionId(uuid4()))
    reference: str = ""
    launch: LaunchId = field(default_factory=lambda: LaunchId(uuid4()))

    @property
    def directory(self) -> Path:
        return self.root / "s"

    @property
    def workspace(self) -> Path:
        return self.directory / "workspace"

    def script(self, *turns: list[dict[str, Any]] | dict[str, Any], **rest: object) -> None:
        """What the agent does, turn by turn."""
        made = [turn if isinstance(turn, dict) else {"steps": turn} for turn in turns]
        (self.root / "script.json").write_text(json.dumps({"turns": made, **rest}))

    async def act(self) -> None:
        """Launch a worker; an earlier launch of the session counts as lost."""
        resume = self.bot.bootstrap.resume
        if self.reference:
            stored = len(self.bot.frames)
            started = self.bot.of(AgentStarted)
            turns = [frame.turn for frame in self.bot.frames if frame.kind == "turn_started"]
            resume = WireResume(
                agent_session=started[-1].agent_session if started else resume.agent_session,
                turns=max([resume.turns, *turns]),
                transcript=resume.transcript,
                previous_launch=str(self.launch),
                previous_frames=stored,
            )
        self.bot.bootstrap = self.bot.bootstrap.model_copy(update={"resume": resume})
        self.bot.begin_launch()
        self.launch = LaunchId(uuid4())
        self.reference = await self.runner.launch(
            LaunchOrder(
                launch=self.launch,
                session=self.session,
                token=TOKEN,
                socket=self.bot.socket,
                directory=self.directory,
                mirror=Path(self.bot.bootstrap.mirror),
            )
        )

    async def sees(self, kind: type[Any], count: int = 1, *, within_s: float = WITHIN_S) -> list[Any]:
        """The frames of a kind in this launch, when there are so many."""
        try:
            await eventually(lambda: len(self.bot.of(kind)) >= count, within_s=within_s)
        except TimeoutError:
            raise AssertionError(f"no {kind.__name__} in {self.bot.frames}\n{await self.log()}") from None
        return self.bot.of(kind)

    async def ends(self, *, within_s: float = WITHIN_S) -> WorkerEnded:
        """The worker's last frame, when the worker is gone as well."""
        ended = (await self.sees(WorkerEnded, within_s=within_s))[-1]
        await self.is_gone(within_s=within_s)
        assert isinstance(ended, WorkerEnded)
        return ended

    async def is_gone(self, *, within_s: float = WITHIN_S) -> None:
        gone: list[str] = []
        while self.reference not in gone:
            found = await self.runner.wait_any(time_limit_s=within_s)
            assert found, f"the worker goes on: {self.bot.frames}\n{await self.log()}"
            gone += found

    async def log(self) -> str:
        return await self.runner.last_words(self.reference)

    def prompts(self) -> list[str]:
        """What the agent was told, in every launch."""
        return [line["text"] for line in self._notes("prompts.jsonl")]

    def found(self, name: str) -> list[Any]:
        """What the agent has noted under a name."""
        return [line[name] for line in self._notes("found.jsonl") if name in line]

    def _notes(self, name: str) -> list[dict[str, Any]]:
        path = self.directory / "home" / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@asynccontextmanager
async def stage(
    phase: Phase = Phase.EXECUTION, *, limits: Limits = DEFAULT_LIMITS, **more: object
) -> AsyncIterator[Stage]:
    """A stage with a repository of one file; `more` are fields of the bootstrap."""
    root = Path(tempfile.mkdtemp(prefix="vib"))
    runner = ProcessRunner({"PATH": PATH}, ready=0)
    source = make_repository(root / "source")
    commit(source, {"src/app.py": "answer = 41\n"}, "Add the app")
    mirror = make_remote(source, root / "mirror.git")
    bootstrap = make_bootstrap(root, mirror, git(mirror, "rev-parse", "main"), phase, limits)
    bot = FakeBot(socket=root / "bot.sock", bootstrap=bootstrap.model_copy(update=more))
    built = Stage(root=root, bot=bot, runner=runner)
    built.script()
    try:
        async with serving(bot):
            yield built
            await runner.stop(built.reference)
    finally:
        await runner.stop(built.reference)
        shutil.rmtree(root, ignore_errors=True)


def make_bootstrap(root: Path, mirror: Path, base_commit: str, phase: Phase, limits: Limits) -> WireBootstrap:
    command = (sys.executable, str(AGENT), str(root / "script.json"))
    return WireBootstrap(
        ticket_key="4f2ab",
        title="Fix the answer",
        description="It is 41 and should be 42. {{ not_a_template }}",
        requester_name="Dana",
        author_name="Dana",
        author_email="dana@example.org",
        project="widgets",
        phase=phase,
        branch="viberator/4f2ab-fix-the-answer",
        base="main",
        base_commit=base_commit,
        mirror=str(mirror),
        agent=AgentProfile(
            name="scripted", command=command, environment=(("PYTHONPATH", str(Path(__file__).parents[1])),)
        ),
        limits=limits,
    )


def message(ordinal: int, text: str, author: str = "Lee") -> WireInput:
    return WireInput(ordinal=ordinal, kind=InputKind.MESSAGE, author_name=author, text=text)


def answer(ordinal: int, text: str) -> WireInput:
    return WireInput(ordinal=ordinal, kind=InputKind.ANSWER, author_name="Dana", text=text, subject=1)


def decision(ordinal: int, verdict: Verdict, *, request: str = "", grant: str = "", text: str = "") -> WireInput:
    return WireInput(
        ordinal=ordinal,
        kind=InputKind.DECISION,
        author_name="Dana",
        text=text,
        subject=1,
        verdict=verdict,
        request=request,
        grant=grant,
    )


def stop(ordinal: int) -> WireInput:
    return WireInput(ordinal=ordinal, kind=InputKind.STOP, author_name="Dana")
