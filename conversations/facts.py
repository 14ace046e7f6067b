"""What a thread shows of a ticket, as plain values: the parts of `conversations.progress.Progress`.

All of them are strings, numbers, times, enums and tuples of such, so that a snapshot can be stored as JSON. A `position`
is that of the event by which the thing first appeared, which is also the order of the cards.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from conversations.steps import NO_STEPS, StepFacts, StepLog
from sessions.events import PlanEntry
from sessions.models import (
    ApprovalKind,
    ApprovalState,
    Digest,
    FailureKind,
    Person,
    Phase,
    Publication,
    SessionState,
    SleepReason,
    TicketState,
    Verdict,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFacts:
    position: int
    key: str
    title: str
    requester: Person
    repository: str
    base_branch: str
    agent: str
    phases: tuple[Phase, ...]
    filed_at: datetime
    state: TicketState = TicketState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFacts:
    """Sums of what was reported; None while nothing was."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestsFacts:
    """The last test run. `summary` is the last line that it printed."""

    __test__ = False
    command: str
    attempt: int
    passed: bool
    exit_code: int
    took_s: float
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """`active_s` is the time in which the agent worked, up to `last_at`; waiting for people does not count.

    `opening` and `said` are the beginning and the end of the agent's last message. `progress_position` is 0 until the first
    launch or the first queued message: before that the root card says it all. `stopping_by` is who asked for a stop that was
    not carried out yet, since the event `stopping_position`.
    """

    ordinal: int
    position: int
    phase: Phase
    lane: int
    agent: str
    branch: str
    state: SessionState = SessionState.QUEUED
    reason: SleepReason | None = None
    losses: int = 0
    model: str = ""
    progress_position: int = 0
    active_s: float = 0.0
    last_at: datetime
    steps: StepLog = NO_STEPS
    plan: tuple[PlanEntry, ...] = ()
    said_message: str = ""
    opening: str = ""
    said: str = ""
    words: str = ""
    usage: UsageFacts = UsageFacts()
    tests: TestsFacts | None = None
    commits: int = 0
    saved_files: int = 0
    publication: Publication | None = None
    stopping_by: str = ""
    stopping_position: int = 0
    outcome: str = ""
    ended_position: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFacts:
    """The newest revision of a phase's document; `markdown` is whole until it is approved, then empty."""

    phase: Phase
    revision: int
    author: str
    digest: Digest
    markdown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalFacts:
    """`body` is markdown: a short document as it is, a longer one's summary, or what a permission is for."""

    ordinal: int
    position: int
    session: int
    kind: ApprovalKind
    subject: str
    title: str
    body: str
    digest: Digest
    deciders: tuple[str, ...]
    decider_names: tuple[str, ...]
    offers: tuple[Verdict, ...]
    labels: tuple[str, ...] = ()
    revision: int = 0
    state: ApprovalState = ApprovalState.PENDING
    verdict: Verdict | None = None
    by_name: str = ""
    settled_at: datetime | None = None
    comment: str = ""
    lapse: Literal["", "superseded", "over", "withdrawn"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionFacts:
    """`closed` when nobody can answer it any more."""

    ordinal: int
    position: int
    session: int
    text: str
    options: tuple[str, ...] = ()
    by_name: str = ""
    answer: str = ""
    answered_at: datetime | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFacts:
    """A message that is still queued for the agent."""

    ordinal: int
    position: int
    session: int
    author_name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFacts:
    """A failure that put a session to sleep; `resumed_by` is set once somebody or something went on from there."""

    ordinal: int
    position: int
    session: int
    kind: FailureKind
    detail: str
    last_words: str
    at: datetime
    resumed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopFacts:
    """How a session stood when it was stopped for the `nth` time."""

    session: int
    nth: int
    position: int
    at: datetime
    by_name: str
    steps: int
    ended: tuple[StepFacts, ...]
    in_flight: tuple[StepFacts, ...]
    left: tuple[str, ...]
    words: str
    resumed_by: str = ""
