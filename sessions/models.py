"""The nouns of agents at work: tickets, sessions, launches, approvals, inputs and who may decide them.

Values only. Ids are UUIDv7, made by the application; a ticket's `key` is what people see, and a session is `key.ordinal`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

WorkspaceId = NewType("WorkspaceId", UUID)
InstallationId = NewType("InstallationId", UUID)
ProjectId = NewType("ProjectId", UUID)
TicketId = NewType("TicketId", UUID)
ThreadId = NewType("ThreadId", UUID)
SessionId = NewType("SessionId", UUID)
LaunchId = NewType("LaunchId", UUID)
Digest = NewType("Digest", str)
"""sha256 in hex of exactly what a person was shown."""


class Phase(StrEnum):
    RESEARCH = "research"
    PLANNING = "planning"
    EXECUTION = "execution"


class Severity(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class TicketState(StrEnum):
    OPEN = "open"
    DONE = "done"
    REJECTED = "rejected"


class SessionState(StrEnum):
    QUEUED = "queued"
    WORKING = "working"
    WAITING = "waiting"
    ASLEEP = "asleep"
    DONE = "done"
    DISCARDED = "discarded"


FINAL_STATES = frozenset({SessionState.DONE, SessionState.DISCARDED})


class SleepReason(StrEnum):
    """Why a session is asleep; its work is saved in every case."""

    STOPPED = "stopped"
    FAILED = "failed"
    IDLE = "idle"
    INTERRUPTED = "interrupted"
    HALTED = "halted"


class FailureKind(StrEnum):
    """Classes of failure; each has its own words and one next step in conversations.rendering."""

    SETTINGS = "settings"
    REPOSITORY = "repository"
    CREDENTIALS = "credentials"
    QUOTA = "quota"
    HOST_REFUSED = "host_refused"
    AGENT_MISSING = "agent_missing"
    AGENT_CRASHED = "agent_crashed"
    AGENT_SILENT = "agent_silent"
    AGENT_PROTOCOL = "agent_protocol"
    RUNNER = "runner"
    TIME_LIMIT = "time_limit"
    DISK_FULL = "disk_full"
    TESTS_RED = "tests_red"
    POLICY = "policy"
    DATABASE = "database"
    INTERNAL = "internal"


class ApprovalKind(StrEnum):
    DOCUMENT = "document"
    PERMISSION = "permission"
    PUBLISH = "publish"
    BUDGET = "budget"


class ApprovalState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    REJECTED = "rejected"
    LAPSED = "lapsed"


class Verdict(StrEnum):
    """What a person may answer to an approval; an approval lists the ones that it offers."""

    APPROVE = "approve"
    APPROVE_ALWAYS = "approve_always"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
    REJECT_ALWAYS = "reject_always"


class InputKind(StrEnum):
    MESSAGE = "message"
    ANSWER = "answer"
    DECISION = "decision"
    STOP = "stop"


class InputState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    WITHDRAWN = "withdrawn"


class Role(StrEnum):
    """What a platform's user is to the workspace; strangers and guests may read and nothing else."""

    ADMIN = "admin"
    MEMBER = "member"
    GUEST = "guest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody on a platform, as the platform verified them; never taken from a message's text.

    `platform` is its name, such as `slack`, as the intake knows it from the installation; `external_id` is its user id.
    `email` is used as the author of commits where it is known.
    """

    installation: InstallationId
    external_id: str
    name: str
    email: str | None = None
    role: Role = Role.MEMBER
    platform: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What stopped a session: its class, a precise detail, and the last words of whatever died."""

    kind: FailureKind
    detail: str
    last_words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentProfile:
    """A named agent: the command that speaks ACP and how it is to be run.

    `environment` holds names and values the agent's process gets beside a short default list; values may be secret.
    """

    name: str
    command: tuple[str, ...]
    title: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    instructions: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A repository with its defaults. `repository` is a path or an address that git understands.

    `deciders` are those who may approve, each as `platform:external id`; when empty, the requester may. `phases` are the phases a ticket goes
    through, in order. `test_command` runs in the workspace's root by the shell before anything is published.
    """

    id: ProjectId
    workspace: WorkspaceId
    name: str
    repository: str
    branch: str
    agent: AgentProfile
    phases: tuple[Phase, ...] = (Phase.RESEARCH, Phase.PLANNING, Phase.EXECUTION)
    deciders: tuple[str, ...] = ()
    test_command: str = ""
    protected_paths: tuple[str, ...] = ()
    templates_dir: str = ""
    declared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message or a ticket; `blob` is its name in the blob store."""

    name: str
    blob: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The work asked for. `last_event` is the position of its newest event; `phase` the one it starts with."""

    id: TicketId
    workspace: WorkspaceId
    key: str
    project: ProjectId
    title: str
    description: str
    requester: Person
    filed_at: datetime
    phase: Phase = Phase.RESEARCH
    severity: Severity = Severity.NORMAL
    category: str = ""
    base_branch: str = ""
    attachments: tuple[Attachment, ...] = ()
    state: TicketState = TicketState.OPEN
    last_event: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One agent at work on one ticket in one phase, in one lane; what `lifecycle.advance` folds events into.

    `losses` counts launches lost in a row without a turn having ended between them.
    """

    id: SessionId
    ticket: TicketId
    ordinal: int
    phase: Phase
    agent: str
    branch: str
    lane: int = 1
    state: SessionState = SessionState.QUEUED
    reason: SleepReason | None = None
    losses: int = 0

    @property
    def over(self) -> bool:
        return self.state in FINAL_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One attempt to run a session's worker. A newer launch of the session has a higher `fence`."""

    id: LaunchId
    session: SessionId
    fence: int
    engine: str
    reference: str = ""
    last_frame: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A revision of what research or planning left behind; `author` is a person's name or the agent's."""

    phase: Phase
    revision: int
    author: str
    markdown: str
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionOption:
    """One of the answers an agent offers; chosen by kind (ACP: allow_once, allow_always, reject_once, reject_always)."""

    kind: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Something only an authorised person decides, bound to the digest of what was shown.

    `subject` is the phase of a document, or the worker's request id of a permission. `deciders` are external user ids.
    `grant` is a permission's digest of tool and input, by which the worker recognises a repeat; the decision carries it back.
    """

    ticket: TicketId
    session: SessionId
    ordinal: int
    kind: ApprovalKind
    subject: str
    title: str
    digest: Digest
    deciders: tuple[str, ...]
    offers: tuple[Verdict, ...]
    state: ApprovalState = ApprovalState.PENDING
    decided_by: str = ""
    decided_at: datetime | None = None
    comment: str = ""
    grant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an agent asked a person; the answer reaches it as its next prompt."""

    ticket: TicketId
    session: SessionId
    ordinal: int
    text: str
    options: tuple[str, ...] = ()
    answered_by: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What people tell the agent. `subject` is the ordinal of the question or approval that it settles, `verdict` its outcome.

    `grant` is the digest of a permission's tool and input for which a decision is good once, after a new launch.
    """

    ticket: TicketId
    session: SessionId
    ordinal: int
    kind: InputKind
    author: str
    author_name: str
    text: str = ""
    subject: int | None = None
    verdict: Verdict | None = None
    request: str = ""
    grant: str = ""
    attachments: tuple[Attachment, ...] = ()
    state: InputState = InputState.QUEUED


@dataclass(frozen=True, slots=True, kw_only=True)
class Diffstat:
    files: int
    added: int
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A branch that was pushed. `compare` is the command or address that shows the difference."""

    branch: str
    base: str
    head: str
    diffstat: Diffstat
    compare: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one session, in seconds and counts."""

    idle_s: float = 1800.0
    turn_s: float = 7200.0
    start_s: float = 60.0
    test_s: float = 1800.0
    repairs: int = 3
    unreachable_s: float = 120.0
