"""Histories to draw threads from: the events that lead to each of the cards, at fixed times.

A `Story` is written like the thread reads: what happened, in which session, and how long after the last thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Self
from uuid import UUID

from conversations.progress import EMPTY, Progress, fold
from sessions.events import (
    AgentSaid,
    AgentStarted,
    ApprovalAsked,
    ApprovalDecided,
    ApprovalLapsed,
    ChangesCommitted,
    CheckpointSaved,
    DocumentWritten,
    Event,
    FileChange,
    InputReceived,
    InputTaken,
    LaunchStarted,
    PermissionSettled,
    PlanEntry,
    PlanShown,
    Published,
    QuestionAnswered,
    QuestionAsked,
    Recorded,
    SessionFinished,
    SessionOpened,
    SessionQueued,
    StopRequested,
    TestsRun,
    TicketClosed,
    TicketFiled,
    ToolCalled,
    TurnEnded,
    TurnStarted,
    UsageReported,
    WorkerEnded,
)
from sessions.models import (
    ApprovalKind,
    Diffstat,
    Digest,
    Failure,
    FailureKind,
    InputKind,
    InstallationId,
    Person,
    Phase,
    TicketState,
    Verdict,
)

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
INSTALLATION = InstallationId(UUID(int=1))
DANA = Person(installation=INSTALLATION, external_id="U0DANA", name="dana", email="dana@acme.example")
LEE = Person(installation=INSTALLATION, external_id="U0LEE", name="lee")
KEY = "4f2ab"
BRANCH = "viberator/4f2ab-billing-500"
TITLE = "Fix 500 on /api/billing"

RESEARCH = """\
# Where the 500 comes from

`billing/proration.py` multiplies by `discount`, which is `None` for annual plans without one.
The only test covers monthly plans."""

PLAN = """\
1. Guard the missing discount in `billing/proration.py`
2. Add a regression test for annual plans
3. Note it in the changelog

Not doing: schema migration"""


@dataclass
class Story:
    """Events in the making; `at` is the time of the next one."""

    events: list[Recorded] = field(default_factory=list)
    at: datetime = START

    def later(self, seconds: float) -> Self:
        self.at += timedelta(seconds=seconds)
        return self

    def tell(self, event: Event, *, session: int | None = None) -> Self:
        position = len(self.events) + 1
        self.events.append(Recorded(position=position, session=session, at=self.at, event=event))
        return self


def told(events: Sequence[Recorded]) -> Progress:
    progress = EMPTY
    for recorded in events:
        progress = fold(progress, recorded)
    return progress


def digest_of(text: str) -> Digest:
    return Digest(sha256(text.encode()).hexdigest())


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def filed(story: Story) -> Story:
    return story.tell(
        TicketFiled(
            key=KEY,
            title=TITLE,
            description="Annual plans get a 500 since Tuesday.",
            requester=DANA,
            project="api",
            repository="acme/api",
            base_branch="main",
            agent="Claude Code",
            phase=Phase.RESEARCH,
            phases=(Phase.RESEARCH, Phase.PLANNING, Phase.EXECUTION),
        )
    )


def begun(story: Story, session: int, phase: Phase) -> Story:
    """A session that was opened, claimed, and whose agent took up its task."""
    story.tell(SessionOpened(phase=phase, lane=1, agent="Claude Code", branch=BRANCH), session=session)
    story.later(1).tell(LaunchStarted(fence=session, runner="process"), session=session)
    story.later(1).tell(AgentStarted(agent="Claude Code", model="opus", agent_session="s-1"), session=session)
    return story.tell(TurnStarted(turn=1, cause="task"), session=session)


def called(call: str, title: str, *, tool: str = "read", status: str = "completed", **more: object) -> ToolCalled:
    return ToolCalled(call=call, title=title, tool=tool, status=status, **more)  # type: ignore[arg-type] # (written short)


def documented(story: Story, session: int, phase: Phase, markdown: str, *, ordinal: int, revision: int = 1) -> Story:
    """The agent handed in its document and ended its turn; somebody has to decide."""
    written = DocumentWritten(
        phase=phase, revision=revision, author="Claude Code", digest=digest_of(markdown), markdown=markdown
    )
    asked = ApprovalAsked(
        ordinal=ordinal,
        approval=ApprovalKind.DOCUMENT,
        subject=phase,
        title=f"{phase} v{revision}",
        body=markdown,
        digest=digest_of(markdown),
        deciders=(DANA.external_id, "G0BACKEND"),
        decider_names=("dana", "backend-leads"),
        offers=(Verdict.APPROVE, Verdict.REQUEST_CHANGES, Verdict.REJECT),
        revision=revision,
    )
    story.tell(written, session=session).tell(asked, session=session)
    return story.later(1).tell(TurnEnded(turn=revision, stop_reason="end_turn"), session=session)


def decided(ordinal: int, verdict: Verdict = Verdict.APPROVE) -> ApprovalDecided:
    return ApprovalDecided(ordinal=ordinal, verdict=verdict, by=DANA.external_id, by_name=DANA.name)


def approved(story: Story, session: int, *, ordinal: int) -> Story:
    story.tell(decided(ordinal), session=session)
    story.tell(SessionFinished(outcome="approved"), session=session)
    return story.tell(WorkerEnded(reason="finished"), session=session)


def researched() -> Story:
    story = begun(filed(Story()), 1, Phase.RESEARCH)
    story.later(20).tell(called("r1", "Read billing/proration.py"), session=1)
    story.later(50).tell(UsageReported(input_tokens=9000, output_tokens=700, cost_usd=0.18), session=1)
    return documented(story, 1, Phase.RESEARCH, RESEARCH, ordinal=1)


def planning() -> Story:
    """Research is approved, and the agent plans."""
    story = begun(approved(researched().later(30), 1, ordinal=1), 2, Phase.PLANNING)
    return story.later(38).tell(called("p1", "Read tests/billing/test_proration.py"), session=2)


def planned() -> Story:
    """The first plan was sent back; the second one waits."""
    story = documented(planning(), 2, Phase.PLANNING, "1. Catch the exception", ordinal=2)
    sent_back = ApprovalDecided(
        ordinal=2,
        verdict=Verdict.REQUEST_CHANGES,
        by=DANA.external_id,
        by_name=DANA.name,
        comment="Guard it at the source, and add a test.",
    )
    story.later(60).tell(sent_back, session=2).tell(InputTaken(ordinal=1), session=2)
    story.later(25).tell(UsageReported(input_tokens=4000, output_tokens=500, cost_usd=0.11), session=2)
    return documented(story, 2, Phase.PLANNING, PLAN, ordinal=3, revision=2)


def executing() -> Story:
    """Fourteen steps into the execution, tests running, a message of somebody else in the queue."""
    story = begun(approved(planned().later(40), 2, ordinal=3), 3, Phase.EXECUTION)
    for step in range(1, 12):
        story.later(10).tell(called(f"x{step}", f"Read billing/part_{step}.py"), session=3)
    story.later(20).tell(called("x12", "Search for prorate(", tool="search"), session=3)
    change = FileChange(path="billing/proration.py", added=18, removed=4)
    story.later(30).tell(called("x13", "Edit proration.py", tool="edit", changes=(change,)), session=3)
    story.tell(UsageReported(input_tokens=21000, output_tokens=1900, cost_usd=0.42), session=3)
    story.tell(AgentSaid(message="m1", text="The guard is in. Running the billing tests now."), session=3)
    story.later(23).tell(called("x14", "pytest tests/billing -q", tool="execute", status="running"), session=3)
    return story.tell(
        InputReceived(ordinal=2, input=InputKind.MESSAGE, author_name=LEE.name, text="Cover leap years too, please."),
        session=3,
    )


# ── the cards of FIELD, and two more ────────────────────────────────────────────────────────────────────────────────


def root_card() -> Story:
    return planning()


def progress_card() -> Story:
    return executing()


def approval_card() -> Story:
    return planned()


def final_card() -> Story:
    story = executing().later(30).tell(called("x14", "pytest tests/billing -q", tool="execute"), session=3)
    story.later(5).tell(InputTaken(ordinal=2), session=3)
    words = "**Cause:** `discount` was `None` for annual plans. It counts as zero now, and a test holds it there."
    story.later(90).tell(TurnEnded(turn=1, stop_reason="end_turn", words=words), session=3)
    run = TestsRun(
        command="pytest -q", attempt=0, passed=True, exit_code=0, output="...\n128 passed in 4.20s\n", took_s=4.2
    )
    diffstat = Diffstat(files=3, added=41, removed=6)
    story.later(5).tell(run, session=3)
    story.tell(ChangesCommitted(sha="c0ffee1", subject="Guard the missing discount", diffstat=diffstat), session=3)
    story.later(2).tell(
        Published(
            branch=BRANCH,
            base="main",
            head="c0ffee1",
            diffstat=diffstat,
            compare=f"git fetch origin {BRANCH} && git diff main...FETCH_HEAD",
        ),
        session=3,
    )
    story.tell(SessionFinished(outcome="published"), session=3)
    return story.tell(WorkerEnded(reason="finished"), session=3).tell(TicketClosed(state=TicketState.DONE))


def error_card() -> Story:
    story = executing().later(30).tell(called("x14", "pytest tests/billing -q", tool="execute"), session=3)
    story.tell(CheckpointSaved(sha="c0ffee0", files=3), session=3)
    failure = Failure(
        kind=FailureKind.HOST_REFUSED,
        detail="403: no Contents:write on acme/api",
        last_words="remote: Permission to acme/api.git denied to viberator.",
    )
    return story.later(2).tell(WorkerEnded(reason="failed", failure=failure), session=3)


def stopped_card() -> Story:
    plan = PlanShown(
        entries=(
            PlanEntry(text="Guard the missing discount", status="completed"),
            PlanEntry(text="Add a regression test", status="in_progress"),
            PlanEntry(text="Note it in the changelog", status="pending"),
        )
    )
    story = executing().tell(plan, session=3).later(5).tell(StopRequested(by_name=LEE.name), session=3)
    cut = called("x14", "pytest tests/billing -q", tool="execute", status="interrupted")
    return story.later(2).tell(cut, session=3).tell(WorkerEnded(reason="stopped"), session=3)


def question_card() -> Story:
    asked = QuestionAsked(
        ordinal=1, text="Annual plans without a discount: charge the full price?", options=("Full price", "Last year's")
    )
    return planning().tell(asked, session=2).tell(TurnEnded(turn=1, stop_reason="end_turn"), session=2)


def permission_card(command: str = "pip install hypothesis") -> Story:
    asked = ApprovalAsked(
        ordinal=4,
        approval=ApprovalKind.PERMISSION,
        subject="req-1",
        title="pip install hypothesis",
        body=f"```sh\n{command}\n```",
        digest=digest_of(command),
        deciders=(DANA.external_id,),
        decider_names=(DANA.name,),
        offers=(Verdict.APPROVE, Verdict.APPROVE_ALWAYS, Verdict.REJECT),
        labels=("Yes", "Yes, and don't ask again", "No"),
    )
    return executing().later(3).tell(asked, session=3)


CARDS = {
    "root": (root_card, "root"),
    "progress": (progress_card, "progress/3"),
    "approval": (approval_card, "approval/3"),
    "final": (final_card, "final/3"),
    "error": (error_card, "error/1"),
    "stopped": (stopped_card, "stopped/3"),
    "question": (question_card, "question/1"),
    "permission": (permission_card, "approval/4"),
}
"""A story that leads to each card, and its slot."""


# ── what happens next ───────────────────────────────────────────────────────────────────────────────────────────────


def answered(story: Story) -> Story:
    return story.later(20).tell(QuestionAnswered(ordinal=1, by_name=DANA.name, answer="Full price"), session=2)


def allowed(story: Story) -> Story:
    story.later(20).tell(decided(4), session=3)
    return story.tell(PermissionSettled(request="req-1", outcome="allowed"), session=3)


def superseded(story: Story, *, ordinal: int) -> Story:
    return story.tell(ApprovalLapsed(ordinal=ordinal, cause="superseded"), session=2)


def retried(story: Story) -> Story:
    return story.later(60).tell(SessionQueued(cause="retry", by_name=DANA.name), session=3)


def long_story(events: int) -> Story:
    """One execution that goes on and on."""
    story = begun(filed(Story()), 1, Phase.EXECUTION)
    for step in range((events - len(story.events)) // 2):
        story.later(1).tell(called(f"c{step}", f"step {step}", tool="execute", status="running"), session=1)
        story.later(1).tell(called(f"c{step}", f"step {step}", tool="execute"), session=1)
    return story
