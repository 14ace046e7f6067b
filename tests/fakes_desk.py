"""A desk, a mirror and a store of blobs in memory, for tests of what serves them to workers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from sessions.errors import FramesMissing, LaunchFenced, LaunchUnknown, SessionsError
from sessions.events import Event, WorkerFrame
from sessions.models import (
    AgentProfile,
    Diffstat,
    Input,
    InputKind,
    InstallationId,
    LaunchId,
    Person,
    Phase,
    Project,
    ProjectId,
    Publication,
    Session,
    SessionId,
    Ticket,
    TicketId,
    WorkspaceId,
)
from sessions.ports import Bootstrap, Inbound, LaunchContext, RepositoryUnusable

DANA = Person(installation=InstallationId(UUID(int=7)), external_id="dana", name="Dana", email="dana@example.org")
PROJECT = Project(
    id=ProjectId(UUID(int=2)),
    workspace=WorkspaceId(UUID(int=1)),
    name="widgets",
    repository="/srv/widgets.git",
    branch="main",
    agent=AgentProfile(name="scripted", command=("agent", "--acp")),
    test_command="make test",
)
TICKET = Ticket(
    id=TicketId(UUID(int=3)),
    workspace=PROJECT.workspace,
    key="4f2aa",
    project=PROJECT.id,
    title="Fix billing",
    description="It is red.",
    requester=DANA,
    filed_at=datetime(2026, 11, 20, tzinfo=UTC),
)
SESSION = Session(
    id=SessionId(UUID(int=4)),
    ticket=TICKET.id,
    ordinal=2,
    phase=Phase.PLANNING,
    agent="scripted",
    branch="viberator/4f2aa-fix-billing",
)
BOOTSTRAP = Bootstrap(
    ticket=TICKET,
    session=SESSION,
    project=PROJECT,
    documents=(),
    base="main",
    history=(),
)


def message(ordinal: int, text: str = "go on") -> Input:
    return Input(
        ticket=TICKET.id,
        session=SESSION.id,
        ordinal=ordinal,
        kind=InputKind.MESSAGE,
        author="dana",
        author_name="Dana",
        text=text,
    )


@dataclass
class FakeDesk:
    """One launch with one token. `trouble` is raised by the next call after the token was checked."""

    launch: LaunchId = field(default_factory=lambda: LaunchId(uuid4()))
    token: str = "token-of-the-launch"
    told: Bootstrap = BOOTSTRAP
    frames: list[WorkerFrame | Event] = field(default_factory=list)
    queued: list[Input] = field(default_factory=list)
    over: bool = False
    trouble: SessionsError | None = None
    bundles: list[bytes] = field(default_factory=list)
    woken: asyncio.Condition = field(default_factory=asyncio.Condition)
    waiting: int = 0

    async def authenticate(self, launch: LaunchId, token: str) -> LaunchContext:
        if launch != self.launch or token != self.token:
            raise LaunchUnknown
        if self.over:
            raise LaunchFenced
        return LaunchContext(
            workspace=TICKET.workspace, ticket=TICKET.id, session=SESSION.id, launch=self.launch, fence=1
        )

    async def recognise(self, launch: LaunchId, token: str) -> LaunchContext:
        return await self.authenticate(launch, token)

    async def bootstrap(self, context: LaunchContext) -> Bootstrap:
        self._raise()
        return self.told

    async def take(self, context: LaunchContext, *, first: int, frames: Sequence[WorkerFrame | Event]) -> int:
        self._raise()
        stored = len(self.frames)
        if first > stored + 1:
            raise FramesMissing(stored + 1)
        self.frames += frames[stored + 1 - first :]
        return len(self.frames)

    async def inputs(self, context: LaunchContext, *, after: int, time_limit_s: float) -> Inbound:
        self._raise()
        self.waiting += 1
        try:
            async with asyncio.timeout(time_limit_s), self.woken:
                await self.woken.wait_for(lambda: any(held.ordinal > after for held in self.queued))
        except TimeoutError:
            return Inbound(inputs=(), over=self.over)
        finally:
            self.waiting -= 1
        return Inbound(inputs=tuple(held for held in self.queued if held.ordinal > after), over=self.over)

    async def publish(self, context: LaunchContext, *, bundle: Path, branch: str, base: str, head: str) -> Publication:
        self._raise()
        self.bundles.append(await asyncio.to_thread(bundle.read_bytes))
        return Publication(
            branch=branch,
            base=base,
            head=head,
            diffstat=Diffstat(files=1, added=2, removed=3),
            compare=f"git diff {base}...{branch}",
        )

    async def say(self, queued: Input) -> None:
        async with self.woken:
            self.queued.append(queued)
            self.woken.notify_all()

    def _raise(self) -> None:
        trouble, self.trouble = self.trouble, None
        if trouble is not None:
            raise trouble


@dataclass
class FakeMirrors:
    """One repository that is fetched already, at one commit."""

    at: Path = Path("/srv/mirrors/widgets.git")
    commit: str = "c" * 40
    others: dict[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    known: bool = True
    refreshed: int = 0
    trouble: SessionsError | None = None

    async def refresh(self, repository: str) -> Path:
        self.refreshed += 1
        if self.trouble is not None:
            raise self.trouble
        return self.at

    async def find(self, repository: str) -> Path | None:
        return self.at if self.known else None

    async def resolve(self, repository: str, branch: str) -> str:
        if self.trouble is not None:
            raise self.trouble
        if branch in self.gone:
            raise RepositoryUnusable(repository, f"It has no branch {branch}.")
        return self.others.get(branch, self.commit)

    async def default_branch(self, repository: str) -> str:
        return "main"


@dataclass
class FakeBlobs:
    """Blobs in a directory, under their names with the slashes replaced; `trouble` is raised by the next `put`."""

    directory: Path
    trouble: OSError | None = None

    async def put(self, name: str, source: Path) -> None:
        if self.trouble is not None:
            raise self.trouble
        await asyncio.to_thread(self.directory.mkdir, exist_ok=True)
        await asyncio.to_thread(source.replace, self._file(name))

    async def path(self, name: str) -> Path | None:
        file = self._file(name)
        return file if file.is_file() else None

    def _file(self, name: str) -> Path:
        return self.directory / name.replace("/", "--")


def in_phase(phase: Phase) -> Bootstrap:
    return replace(BOOTSTRAP, session=replace(SESSION, phase=phase))
