"""What agents at work need from outside, as protocols beside their consumer.

`Ledger` is storage seen from one workspace; `Dispatch` and `FrameLog` are the few statements that cross workspaces;
`Runner` starts workers; `Host` takes what they publish; `Signals` wakes whoever waits. Everything raises the errors of
`sessions.errors`, or `Unavailable` where the part behind the port cannot be reached now.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from sessions.errors import SessionsError
from sessions.events import Event, Recorded, WorkerFrame
from sessions.models import (
    Approval,
    Document,
    Input,
    InputState,
    InstallationId,
    Launch,
    LaunchId,
    Limits,
    Phase,
    Project,
    ProjectId,
    Publication,
    Question,
    Session,
    SessionId,
    ThreadId,
    Ticket,
    TicketId,
    WorkspaceId,
)


class Unavailable(SessionsError):
    """A part behind a port cannot be reached now; nothing was changed, or it is not known what was."""

    def __init__(self, part: str, detail: str) -> None:
        super().__init__(part, detail)
        self.part = part
        self.detail = detail


class Clock(Protocol):
    def now(self) -> datetime:
        """The time in UTC, with its zone."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""


class Ids(Protocol):
    def uuid(self) -> UUID:
        """A new UUIDv7."""

    def key(self) -> str:
        """Five random characters for a ticket's key; the ledger refuses one that is taken."""

    def token(self) -> str:
        """A new launch token: 32 random bytes, URL-safe."""


# ── one workspace's storage ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxKey:
    """The platform's own key of something that was said to us; unique, so that a repeat has no second effect."""

    installation: InstallationId
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event to append; `frame` and `part` are set where a worker's frame made it (unique by launch, frame, part)."""

    event: Event
    session: SessionId | None = None
    launch: LaunchId | None = None
    frame: int | None = None
    part: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a ticket's thread is. `thread` is the platform's id of it, None until the first card is posted."""

    installation: InstallationId
    channel: str
    thread: str | None = None


class Transaction(Protocol):
    """One atomic change within one workspace. Locks are taken in the order ticket, session, launch, thread."""

    # inbox
    async def admit(self, key: InboxKey, *, outcome: str | None = None, ticket: TicketId | None = None) -> bool:
        """Record that this was said; False when it was recorded before (then nothing else may be done).

        An outcome that is known already needs no `settle`.
        """

    async def settle(self, key: InboxKey, outcome: str, ticket: TicketId | None = None) -> None:
        """Name the visible outcome: `ticket`, `input`, `decision`, `answer`, `command`, `notice`, `ignored`."""

    # tickets and threads
    async def add_ticket(self, ticket: Ticket) -> bool:
        """False when the key is taken; then nothing was written."""

    async def open_ticket(
        self, ticket: Ticket, *, thread: ThreadId, place: Place, session: Session, entries: Sequence[Entry]
    ) -> bool:
        """The ticket with its thread, its first session and its history so far, in one go since somebody waits for it.

        False when the key is taken; then nothing was written. Raises `PlaceTaken` where the place is another ticket's.
        """

    async def lock_ticket(self, ticket: TicketId) -> Ticket:
        """The ticket, locked until the end of the transaction; raises `TicketUnknown`."""

    async def get_ticket(self, ticket: TicketId) -> Ticket:
        """The ticket as it stands, for reading only: nobody waits for us. Raises `TicketUnknown`."""

    async def find_ticket(self, key: str) -> Ticket | None: ...

    async def put_ticket(self, ticket: Ticket) -> None: ...

    async def add_thread(self, thread: ThreadId, ticket: TicketId, place: Place) -> None: ...

    async def ticket_at(self, place: Place) -> TicketId | None:
        """The ticket whose thread this is."""

    # history
    async def append(self, ticket: TicketId, entries: Sequence[Entry]) -> int:
        """Number and store the events, raise the wanted position of the ticket's threads; answers the last position.

        Raises `TicketUnknown`.
        """

    async def history(self, ticket: TicketId, *, after: int = 0) -> Sequence[Recorded]: ...

    # sessions and launches
    async def add_session(self, session: Session) -> None: ...

    async def put_session(self, session: Session) -> None: ...

    async def get_session(self, session: SessionId) -> Session:
        """Sessions change only while their ticket is locked. Raises `SessionUnknown`."""

    async def sessions(self, ticket: TicketId) -> Sequence[Session]:
        """All of them by ordinal; they change only while their ticket is locked."""

    async def live_launch(self, session: SessionId) -> Launch | None: ...

    async def launches(self, session: SessionId) -> Sequence[Launch]:
        """All of them by fence, ended or not."""

    async def end_launch(self, launch: LaunchId) -> bool:
        """Its token is dead from now on; False when it had ended before."""

    async def take_frames(self, launch: LaunchId, *, first: int, last: int) -> int:
        """Move `last_frame` from first-1 to last if it stands there and the launch lives; answers where it stands now.

        Raises `LaunchFenced` when the launch has ended, `LaunchUnknown` when there never was one.
        """

    # documents, approvals, questions, inputs
    async def add_document(self, ticket: TicketId, document: Document) -> None: ...

    async def documents(self, ticket: TicketId, phase: Phase | None = None) -> Sequence[Document]:
        """By phase and revision."""

    async def next_ordinal(self, ticket: TicketId, of: str) -> int:
        """The next free ordinal within the ticket of `approvals`, `questions`, `inputs` or `sessions`."""

    async def add_approval(self, approval: Approval) -> None: ...

    async def approvals(self, ticket: TicketId) -> Sequence[Approval]: ...

    async def put_approval(self, approval: Approval) -> None: ...

    async def add_question(self, question: Question) -> None: ...

    async def questions(self, ticket: TicketId) -> Sequence[Question]: ...

    async def put_question(self, question: Question) -> None: ...

    async def add_input(self, queued: Input, *, source: str = "") -> None:
        """`source` is the platform's message id, by which an edit or a delete finds it."""

    async def inputs(self, session: SessionId) -> Sequence[Input]:
        """All inputs of the session by ordinal."""

    async def find_input(self, ticket: TicketId, *, source: str) -> Input | None: ...

    async def put_input(self, changed: Input) -> None: ...

    async def set_input_state(self, ticket: TicketId, ordinal: int, state: InputState) -> None: ...

    # projects and members
    async def projects(self) -> Sequence[Project]: ...

    async def get_project(self, project: ProjectId) -> Project:
        """Raises `ProjectUnknown`."""

    async def bound_project(self, place: Place) -> Project | None:
        """The project that the place's channel stands for (`channel_bindings`)."""

    async def audit(self, *, who: str, what: str, subject: str, digest: str = "") -> None: ...

    async def count_usage(
        self, session: SessionId, *, input_tokens: int | None, output_tokens: int | None, cost_usd: float | None
    ) -> None: ...


class Ledger(Protocol):
    def transaction(self, workspace: WorkspaceId) -> AbstractAsyncContextManager[Transaction]:
        """Committed when the block ends, rolled back when it raises."""


# ── across workspaces ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A session that is ours to launch: a launch row with a new fence exists and the session is working."""

    workspace: WorkspaceId
    ticket: Ticket
    session: Session
    project: Project
    launch: Launch


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLaunch:
    """A launch the database holds for alive; `stopping_since` is when a stop was asked for and not yet carried out.

    `waiting`: its session waits for a person. `last_input` is the ordinal of the newest thing it was told.
    """

    workspace: WorkspaceId
    ticket: TicketId
    session: SessionId
    launch: Launch
    seen_at: datetime
    over: bool
    waiting: bool = False
    last_input: int = 0
    stopping_since: datetime | None = None


class Dispatch(Protocol):
    async def claim(
        self,
        *,
        engine: str,
        runner: str,
        launch: LaunchId,
        token_hash: bytes,
        installation: InstallationId | None = None,
    ) -> Claim | None:
        """Take the most urgent, then oldest queued session nobody else holds, in one transaction.

        Writes the launch with the next fence, `LaunchStarted`, and the session as working. None when none is queued.
        A terminal's sessions run in that terminal's own process: with an `installation`, only sessions of tickets that
        have a thread there; without, only sessions of tickets with no thread in an installation of platform `terminal`.
        """

    async def launched(self, launch: LaunchId, *, reference: str) -> None:
        """Remember by what name the runner knows it."""

    async def live(self, *, engine: str) -> Sequence[LiveLaunch]:
        """The live launches of this engine; read once a sweep, not once a session."""

    async def locate(self, launch: LaunchId) -> LiveLaunch:
        """Raises `LaunchUnknown`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchContext:
    """Who is calling, after the token was checked."""

    workspace: WorkspaceId
    ticket: TicketId
    session: SessionId
    launch: LaunchId
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameBatch:
    """Frames `first` … `first + len(events) - 1` of a launch, ready to be stored as they are."""

    context: LaunchContext
    first: int
    events: Sequence[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlushResult:
    """What became of one batch: `last_frame` after it, or that the launch is over. `stored` is False for a repeat or a gap."""

    stored: bool
    last_frame: int
    fenced: bool = False


class FrameLog(Protocol):
    async def authenticate(self, launch: LaunchId, token_hash: bytes) -> LaunchContext:
        """Raises `LaunchUnknown` for a wrong id or token, `LaunchFenced` when the launch has ended."""

    async def flush(self, batches: Sequence[FrameBatch]) -> Sequence[FlushResult]:
        """Store all batches in one statement with one wake-up; at most one batch a launch."""

    async def seen(self, launch: LaunchId) -> None:
        """The worker called."""


# ── the world ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOrder:
    """All a runner needs: the worker calls back over `socket` with `token`, and works below `directory`."""

    launch: LaunchId
    session: SessionId
    token: str
    socket: Path
    directory: Path
    mirror: Path


class Runner(Protocol):
    name: str

    async def launch(self, order: LaunchOrder) -> str:
        """Start the worker, at most once a launch; answers the reference. Raises `RunnerUnavailable`."""

    async def running(self, reference: str) -> bool:
        """Whether that very worker still runs; a recycled pid is not it."""

    async def stop(self, reference: str, *, grace_s: float = 10.0) -> None:
        """TERM, grace, KILL; returns when the worker and all its descendants are gone. A stopped one is no error."""

    async def wait_any(self, *, time_limit_s: float) -> Sequence[str]:
        """References of workers that ended since the last call; empty after the time limit."""

    async def last_words(self, reference: str) -> str:
        """The tail of what the worker wrote to its error output."""


class Mirrors(Protocol):
    async def refresh(self, repository: str) -> Path:
        """A read-only bare mirror of the repository, fetched now; raises `RepositoryUnusable`."""

    async def find(self, repository: str) -> Path | None:
        """Where the mirror is, as it was last fetched; None when there is none yet."""

    async def default_branch(self, repository: str) -> str:
        """The branch that the repository's HEAD names; raises `RepositoryUnusable` when it names none."""

    async def resolve(self, repository: str, branch: str) -> str:
        """The commit of a branch in the mirror; raises `RepositoryUnusable` with the branches there are."""


class RepositoryUnusable(SessionsError):
    """Not a repository, an empty one, no such branch, or out of reach; `detail` says which and what to do."""

    def __init__(self, repository: str, detail: str) -> None:
        super().__init__(repository, detail)
        self.repository = repository
        self.detail = detail


class Host(Protocol):
    async def publish(
        self, *, project: Project, session: Session, bundle: Path, branch: str, base: str, head: str
    ) -> Publication:
        """Check the bundle and push it; doing it again with the same head changes nothing. Raises `PublishRefused`."""


class Blobs(Protocol):
    async def put(self, name: str, source: Path) -> None:
        """Move the file into the store under that name, replacing an older one."""

    async def path(self, name: str) -> Path | None:
        """Where the blob can be read; None when there is none."""


class Subscription(Protocol):
    async def wait(self, *, time_limit_s: float) -> bool:
        """True at once if something was signalled since the last wait, else when it is; False after the limit."""

    def close(self) -> None: ...


class Signals(Protocol):
    """Wake-ups are hints: they may be lost or come twice, and every consumer also looks by itself.

    Topics: `sessions` (something to claim or stop), `threads` (something to deliver), `inputs:<session id>`.
    """

    async def notify(self, topic: str) -> None: ...

    def subscribe(self, *topics: str) -> Subscription: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """What a worker fetches first; the wire form is in runners.wire.

    `previous` is the session's launch before this one, by which the worker knows what of that one's frames was stored.
    `base` is the branch the work is meant for; `start` the one it begins at: that of an earlier publication of the ticket
    (which may be gone from the remote since; then the base), else the base itself.
    """

    ticket: Ticket
    session: Session
    project: Project
    documents: tuple[Document, ...]
    base: str
    history: tuple[Recorded, ...]
    previous: Launch | None = None
    start: str = ""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What waits for a worker: inputs after an ordinal, and whether its session is over or a newer launch took its place."""

    inputs: tuple[Input, ...]
    over: bool


class WorkerDesk(Protocol):
    """The use cases behind the worker's API; implemented by sessions.desk, served by runners.callback."""

    async def authenticate(self, launch: LaunchId, token: str) -> LaunchContext: ...

    async def recognise(self, launch: LaunchId, token: str) -> LaunchContext:
        """As `authenticate`, but from memory where it can be, so that a launch that has ended since may pass.

        For `take` and `inputs`, which workers call all the time and which see for themselves whether the launch lives.
        """

    async def bootstrap(self, context: LaunchContext) -> Bootstrap: ...

    async def take(self, context: LaunchContext, *, first: int, frames: Sequence[WorkerFrame | Event]) -> int:
        """Store the frames; answers the last number stored. Raises `FramesMissing`, `LaunchFenced`, `IngestBusy`."""

    async def inputs(self, context: LaunchContext, *, after: int, time_limit_s: float) -> Inbound:
        """Inputs with a higher ordinal, waiting for one until the limit."""

    async def publish(self, context: LaunchContext, *, bundle: Path, branch: str, base: str, head: str) -> Publication:
        """Push the bundle, record it and end the session; raises `PublishRefused`."""
