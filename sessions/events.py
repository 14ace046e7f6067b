"""The event vocabulary: facts about a ticket, append-only, numbered 1, 2, 3 … within the ticket by the server.

Each class carries its stored name in `kind` and the version of its shape in `VERSION`. A payload written by an older
version passes through `UPCASTS` until it has today's shape; one that nobody here knows reads as `UnknownEvent`, so that
two versions of the bot can run side by side. A worker's frames become events one for one, except for the three requests
(`FRAMES_ONLY`), which the server answers with numbered events of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from sessions.models import (
    ApprovalKind,
    Diffstat,
    Digest,
    Failure,
    InputKind,
    PermissionOption,
    Person,
    Phase,
    Publication,
    Severity,
    TicketState,
    Verdict,
)

# ── what people and the bot do ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFiled:
    """Position 1 of every ticket."""

    VERSION: ClassVar[int] = 1
    kind: Literal["ticket_filed"] = "ticket_filed"
    key: str
    title: str
    description: str
    requester: Person
    project: str
    repository: str
    base_branch: str
    agent: str
    phase: Phase
    phases: tuple[Phase, ...]
    severity: Severity = Severity.NORMAL
    category: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketClosed:
    VERSION: ClassVar[int] = 1
    kind: Literal["ticket_closed"] = "ticket_closed"
    state: TicketState
    by_name: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReopened:
    VERSION: ClassVar[int] = 1
    kind: Literal["ticket_reopened"] = "ticket_reopened"
    by_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened:
    VERSION: ClassVar[int] = 1
    kind: Literal["session_opened"] = "session_opened"
    phase: Phase
    lane: int
    agent: str
    branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQueued:
    """The session wants a worker again; `cause` is what woke it."""

    VERSION: ClassVar[int] = 1
    kind: Literal["session_queued"] = "session_queued"
    cause: Literal["input", "resume", "retry", "restart"]
    by_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchStarted:
    VERSION: ClassVar[int] = 1
    kind: Literal["launch_started"] = "launch_started"
    fence: int
    runner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchLost:
    """The worker is gone without a last frame, or could not be started; `failure` is set when trying again would not help.

    `last_words` is the tail of what it wrote to its error output. `blameless`: the engine itself went down, or could not
    begin; nothing is known against the session, and the loss is not counted.
    """

    VERSION: ClassVar[int] = 1
    kind: Literal["launch_lost"] = "launch_lost"
    fence: int
    detail: str = ""
    failure: Failure | None = None
    last_words: str = ""
    blameless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested:
    VERSION: ClassVar[int] = 1
    kind: Literal["stop_requested"] = "stop_requested"
    by_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFinished:
    """The session reached its end: its document was approved, its branch published, or there was nothing to change."""

    VERSION: ClassVar[int] = 1
    kind: Literal["session_finished"] = "session_finished"
    outcome: Literal["approved", "published", "nothing_to_change", "rejected"]
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDiscarded:
    VERSION: ClassVar[int] = 1
    kind: Literal["session_discarded"] = "session_discarded"
    by_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentWritten:
    VERSION: ClassVar[int] = 1
    kind: Literal["document_written"] = "document_written"
    phase: Phase
    revision: int
    author: str
    digest: Digest
    markdown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAsked:
    """`subject` is a phase (document) or the worker's request id (permission); `body` is markdown that was shown."""

    VERSION: ClassVar[int] = 1
    kind: Literal["approval_asked"] = "approval_asked"
    ordinal: int
    approval: ApprovalKind
    subject: str
    title: str
    body: str
    digest: Digest
    deciders: tuple[str, ...]
    decider_names: tuple[str, ...]
    offers: tuple[Verdict, ...]
    labels: tuple[str, ...] = ()
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDecided:
    VERSION: ClassVar[int] = 1
    kind: Literal["approval_decided"] = "approval_decided"
    ordinal: int
    verdict: Verdict
    by: str
    by_name: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalLapsed:
    """Nobody can decide it any more: a newer revision took its place, or its session or ticket ended."""

    VERSION: ClassVar[int] = 1
    kind: Literal["approval_lapsed"] = "approval_lapsed"
    ordinal: int
    cause: Literal["superseded", "over", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAsked:
    VERSION: ClassVar[int] = 1
    kind: Literal["question_asked"] = "question_asked"
    ordinal: int
    text: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAnswered:
    VERSION: ClassVar[int] = 1
    kind: Literal["question_answered"] = "question_answered"
    ordinal: int
    by_name: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InputReceived:
    VERSION: ClassVar[int] = 1
    kind: Literal["input_received"] = "input_received"
    ordinal: int
    input: InputKind
    author_name: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputEdited:
    VERSION: ClassVar[int] = 1
    kind: Literal["input_edited"] = "input_edited"
    ordinal: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InputWithdrawn:
    VERSION: ClassVar[int] = 1
    kind: Literal["input_withdrawn"] = "input_withdrawn"
    ordinal: int
    by_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    VERSION: ClassVar[int] = 1
    kind: Literal["published"] = "published"
    branch: str
    base: str
    head: str
    diffstat: Diffstat
    compare: str
    url: str = ""

    @property
    def publication(self) -> Publication:
        return Publication(
            branch=self.branch,
            base=self.base,
            head=self.head,
            diffstat=self.diffstat,
            compare=self.compare,
            url=self.url,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A frame that could not be read stands here as what it was: its number, size and what was wrong with it."""

    VERSION: ClassVar[int] = 1
    kind: Literal["quarantined"] = "quarantined"
    frame: int
    size_bytes: int
    problem: str


# ── what the worker reports (frames that are events as they stand) ──────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStarted:
    """`agent_session` is the agent's own id of its conversation; `resumed` when it went on with an earlier one."""

    VERSION: ClassVar[int] = 1
    kind: Literal["agent_started"] = "agent_started"
    agent: str
    version: str = ""
    model: str = ""
    agent_session: str = ""
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted:
    """`turn` counts within the session."""

    VERSION: ClassVar[int] = 1
    kind: Literal["turn_started"] = "turn_started"
    turn: int
    cause: Literal["task", "resumed", "answer", "decision", "messages", "changes", "repair", "reminder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSaid:
    """Text appended to the agent's message `message`; markdown."""

    VERSION: ClassVar[int] = 1
    kind: Literal["agent_said"] = "agent_said"
    message: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentThought:
    VERSION: ClassVar[int] = 1
    kind: Literal["agent_thought"] = "agent_thought"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file a tool call edited; `patch` is a unified diff, possibly cut (then `patch_cut` lines are missing)."""

    path: str
    added: int
    removed: int
    patch: str = ""
    patch_cut: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalled:
    """The whole state of one tool call so far; a later event with the same `call` replaces it.

    `tool` is ACP's kind (read, edit, delete, move, search, execute, think, fetch, other).
    """

    VERSION: ClassVar[int] = 1
    kind: Literal["tool_called"] = "tool_called"
    call: str
    title: str
    tool: str
    status: Literal["pending", "running", "completed", "failed", "interrupted"]
    input: str = ""
    output: str = ""
    locations: tuple[str, ...] = ()
    changes: tuple[FileChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry:
    text: str
    status: Literal["pending", "in_progress", "completed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanShown:
    VERSION: ClassVar[int] = 1
    kind: Literal["plan_shown"] = "plan_shown"
    entries: tuple[PlanEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReported:
    """Tokens and money since the last report; None where the agent does not tell."""

    VERSION: ClassVar[int] = 1
    kind: Literal["usage_reported"] = "usage_reported"
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionSettled:
    """The agent was told; `by_rule` when an earlier decision was used once, `cancelled` when the turn ended first."""

    VERSION: ClassVar[int] = 1
    kind: Literal["permission_settled"] = "permission_settled"
    request: str
    outcome: Literal["allowed", "rejected", "cancelled"]
    by_rule: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleAwaited:
    """A later launch waits, or its agent does, for what people were asked before; what they were shown still stands."""

    VERSION: ClassVar[int] = 1
    kind: Literal["people_awaited"] = "people_awaited"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputTaken:
    """The worker handed the input to the agent, or acted on it."""

    VERSION: ClassVar[int] = 1
    kind: Literal["input_taken"] = "input_taken"
    ordinal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    VERSION: ClassVar[int] = 1
    kind: Literal["turn_ended"] = "turn_ended"
    turn: int
    stop_reason: str
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestsRun:
    """`attempt` 0 is the first run, 1 … follow a repair. `output` is the tail."""

    __test__: ClassVar[bool] = False
    VERSION: ClassVar[int] = 1
    kind: Literal["tests_run"] = "tests_run"
    command: str
    attempt: int
    passed: bool
    exit_code: int
    output: str
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesCommitted:
    VERSION: ClassVar[int] = 1
    kind: Literal["changes_committed"] = "changes_committed"
    sha: str
    subject: str
    diffstat: Diffstat


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSaved:
    VERSION: ClassVar[int] = 1
    kind: Literal["checkpoint_saved"] = "checkpoint_saved"
    sha: str
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAttached:
    VERSION: ClassVar[int] = 1
    kind: Literal["file_attached"] = "file_attached"
    name: str
    blob: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEnded:
    """The last frame of a launch. `finished` is the only good end of an execution; the others leave the session asleep.

    `nothing_to_change` with `finished`: the agent changed no file. `done`, `in_flight`, `left` feed the card of a stop.
    """

    VERSION: ClassVar[int] = 1
    kind: Literal["worker_ended"] = "worker_ended"
    reason: Literal["finished", "stopped", "idle", "failed", "terminated"]
    failure: Failure | None = None
    nothing_to_change: bool = False
    words: str = ""


# ── requests of the worker, which become numbered events ────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSubmitted:
    """Becomes `DocumentWritten` and `ApprovalAsked`; the same text again becomes nothing."""

    kind: Literal["document_submitted"] = "document_submitted"
    phase: Phase
    markdown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionRequested:
    """Becomes `ApprovalAsked`. `grant` is the sha256 hex of tool and input, by which a repeat is recognised."""

    kind: Literal["permission_requested"] = "permission_requested"
    request: str
    call: str
    title: str
    tool: str
    input: str
    grant: str
    options: tuple[PermissionOption, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionFiled:
    """Becomes `QuestionAsked`; the same text while it is still open becomes nothing."""

    kind: Literal["question_filed"] = "question_filed"
    text: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent:
    """What a newer version of the bot wrote; kept whole, shown to nobody."""

    kind: str
    version: int
    payload: Mapping[str, Any]


WorkerReport = (
    AgentStarted
    | TurnStarted
    | AgentSaid
    | AgentThought
    | ToolCalled
    | PlanShown
    | UsageReported
    | PermissionSettled
    | PeopleAwaited
    | InputTaken
    | TurnEnded
    | TestsRun
    | ChangesCommitted
    | CheckpointSaved
    | FileAttached
    | WorkerEnded
)
WorkerRequest = DocumentSubmitted | PermissionRequested | QuestionFiled
WorkerFrame = WorkerReport | WorkerRequest
"""What a frame may hold."""

HouseEvent = (
    TicketFiled
    | TicketClosed
    | TicketReopened
    | SessionOpened
    | SessionQueued
    | LaunchStarted
    | LaunchLost
    | StopRequested
    | SessionFinished
    | SessionDiscarded
    | DocumentWritten
    | ApprovalAsked
    | ApprovalDecided
    | ApprovalLapsed
    | QuestionAsked
    | QuestionAnswered
    | InputReceived
    | InputEdited
    | InputWithdrawn
    | Published
    | Quarantined
)
"""What people and the bot did."""
KnownEvent = HouseEvent | WorkerReport
Event = KnownEvent | UnknownEvent

CONSEQUENTIAL = (
    PermissionSettled,
    PeopleAwaited,
    InputTaken,
    TurnEnded,
    WorkerEnded,
    UsageReported,
    *WorkerRequest.__args__,
)
"""Frames that change more than the history; a batch that holds one is stored in a transaction of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event with its place in the ticket's history; `session` is the session's ordinal where it belongs to one."""

    position: int
    session: int | None
    at: datetime
    event: Event


Upcast = Callable[[dict[str, Any]], dict[str, Any]]
Upcasts = Mapping[tuple[str, int], Upcast]

UPCASTS: Upcasts = {}
"""(kind, version it was written with) → the payload in the shape of the next version."""


def upcast(
    kind: str, version: int, payload: dict[str, Any], *, wanted: int, steps: Upcasts = UPCASTS
) -> dict[str, Any] | None:
    """The payload in the shape of version `wanted`, or None where no path leads there."""
    while version < wanted:
        step = steps.get((kind, version))
        if step is None:
            return None
        payload, version = step(payload), version + 1
    return payload if version == wanted else None
