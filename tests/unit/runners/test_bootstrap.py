"""What a worker is told first."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from runners.bootstrap import TRANSCRIPT_CHARS, to_wire, transcript
from runners.wire import WireBootstrap, WireResume
from sessions.events import (
    AgentSaid,
    AgentStarted,
    ApprovalDecided,
    DocumentWritten,
    Event,
    LaunchStarted,
    QuestionAnswered,
    QuestionAsked,
    Recorded,
    ToolCalled,
    TurnStarted,
)
from sessions.models import (
    Attachment,
    Digest,
    Document,
    Launch,
    LaunchId,
    Limits,
    Phase,
    Verdict,
)
from tests.fakes_desk import BOOTSTRAP, SESSION

AT = datetime(2026, 11, 20, tzinfo=UTC)
LAUNCHED = LaunchStarted(fence=1, runner="process")


def history(*events: Event, session: int = SESSION.ordinal) -> tuple[Recorded, ...]:
    return tuple(Recorded(position=at, session=session, at=AT, event=event) for at, event in enumerate(events, 1))


def wired(*events: Event, previous: Launch | None = None) -> WireBootstrap:
    told = replace(BOOTSTRAP, history=history(*events), previous=previous)
    return to_wire(told, mirror=Path("/srv/m.git"), base_commit="c" * 40)


def test_no_credential_of_the_repository_reaches_the_worker() -> None:
    project = replace(BOOTSTRAP.project, repository="https://bot:hunter2@host/acme/widgets.git")
    wire = to_wire(replace(BOOTSTRAP, project=project), mirror=Path("/srv/m.git"), base_commit="c" * 40)
    assert "hunter2" not in wire.model_dump_json()


def test_the_files_of_the_request_are_told() -> None:
    attachment = Attachment(name="a.txt", blob="b", media_type="text/plain", size_bytes=1)
    ticket = replace(BOOTSTRAP.ticket, attachments=(attachment,))
    wire = to_wire(replace(BOOTSTRAP, ticket=ticket), mirror=Path("/srv/m.git"), base_commit="c" * 40)
    assert wire.attachments == [attachment]


def test_the_first_launch_resumes_nothing() -> None:
    resume = wired(LAUNCHED).resume
    assert resume == WireResume()


def test_a_later_launch_is_told_what_is_known_of_the_earlier_ones() -> None:
    previous = Launch(id=LaunchId(UUID(int=9)), session=SESSION.id, fence=1, engine="e", last_frame=17)
    resume = wired(
        LAUNCHED,
        AgentStarted(agent="scripted", agent_session="first"),
        TurnStarted(turn=1, cause="task"),
        LAUNCHED,
        AgentStarted(agent="scripted", agent_session="second"),
        TurnStarted(turn=2, cause="resumed"),
        LAUNCHED,
        previous=previous,
    ).resume
    assert (resume.agent_session, resume.turns) == ("second", 2)
    assert resume.transcript.startswith("## Turn 1")
    assert (resume.previous_launch, resume.previous_frames) == (str(UUID(int=9)), 17)


def test_what_belongs_to_other_sessions_of_the_ticket_is_not_told() -> None:
    started = AgentStarted(agent="scripted", agent_session="theirs")
    told = replace(BOOTSTRAP, history=history(LAUNCHED, started, LAUNCHED, session=1))
    assert to_wire(told, mirror=Path("/m"), base_commit="c").resume.agent_session == ""


def test_a_document_of_this_phase_counts_as_submitted() -> None:
    def submitted(phase: Phase) -> bool:
        written = DocumentWritten(phase=phase, revision=1, author="agent", digest=Digest("d"), markdown="# Plan")
        return wired(written).resume.document_submitted

    assert submitted(Phase.PLANNING)
    assert not submitted(Phase.RESEARCH)


def test_documents_and_limits_are_passed_on() -> None:
    research = Document(phase=Phase.RESEARCH, revision=2, author="Dana", markdown="# Why", digest=Digest("d"))
    told = replace(BOOTSTRAP, documents=(research,), limits=Limits(idle_s=5.0))
    wire = to_wire(told, mirror=Path("/m"), base_commit="c")
    assert [(d.phase, d.revision, d.markdown) for d in wire.documents] == [(Phase.RESEARCH, 2, "# Why")]
    assert wire.limits.idle_s == 5.0


def test_the_transcript_reads_like_the_conversation() -> None:
    text = transcript(
        [
            TurnStarted(turn=1, cause="task"),
            AgentSaid(message="1.1", text="I look "),
            AgentSaid(message="1.1", text="around."),
            ToolCalled(call="c", title="Read a.py", tool="read", status="running"),
            ToolCalled(call="c", title="Read a.py", tool="read", status="completed"),
            QuestionAsked(ordinal=1, text="Which?"),
            QuestionAnswered(ordinal=1, by_name="Dana", answer="Both"),
            ApprovalDecided(ordinal=1, verdict=Verdict.REQUEST_CHANGES, by="dana", by_name="Dana", comment="Say more."),
        ]
    )
    assert "".join(f"{line}\n" for line in text.splitlines() if line) == (
        "## Turn 1\n"
        "I look around.\n"
        "- Read a.py (completed)\n"
        "**Question to the person:** Which?\n"
        "**Dana answered:** Both\n"
        "**Dana decided:** request changes: Say more.\n"
    )


def test_a_long_transcript_keeps_its_newest_part() -> None:
    text = transcript([AgentSaid(message="1", text="old " * 20_000), AgentSaid(message="2", text="new")])
    assert text.startswith("[…]\n")
    assert text.endswith("new")
    assert len(text) <= TRANSCRIPT_CHARS + 10
