"""What a worker is told first, as the wire has it: pure, from what the desk knows of the session."""

from collections.abc import Iterable
from pathlib import Path

from runners.wire import WireBootstrap, WireDocument, WireInput, WireResume
from sessions.events import (
    AgentSaid,
    AgentStarted,
    ApprovalDecided,
    DocumentWritten,
    Event,
    InputReceived,
    QuestionAnswered,
    QuestionAsked,
    ToolCalled,
    TurnStarted,
)
from sessions.models import Document, Input, InputKind
from sessions.ports import Bootstrap

TRANSCRIPT_CHARS = 40_000
"""What an agent that cannot load its conversation is told of it; the oldest part is left out first."""


def to_wire(bootstrap: Bootstrap, *, mirror: Path, base_commit: str) -> WireBootstrap:
    """The whole bootstrap; `base_commit` is the commit in the mirror where work begins."""
    ticket, session, project = bootstrap.ticket, bootstrap.session, bootstrap.project
    return WireBootstrap(
        ticket_key=ticket.key,
        title=ticket.title,
        description=ticket.description,
        requester_name=ticket.requester.name,
        author_name=ticket.requester.name,
        author_email=ticket.requester.email or "",
        project=project.name,
        phase=session.phase,
        branch=session.branch,
        base=bootstrap.base,
        base_commit=base_commit,
        mirror=str(mirror),
        agent=project.agent,
        attachments=list(ticket.attachments),
        documents=[_document(document) for document in bootstrap.documents],
        resume=_resume(bootstrap),
        test_command=project.test_command,
        templates_dir=project.templates_dir,
        limits=bootstrap.limits,
    )


def wire_input(held: Input) -> WireInput:
    return WireInput(
        ordinal=held.ordinal,
        kind=held.kind,
        author_name=held.author_name,
        text=held.text,
        subject=held.subject,
        verdict=held.verdict,
        request=held.request,
        grant=held.grant,
        attachments=list(held.attachments),
    )


def transcript(events: Iterable[Event]) -> str:
    """The conversation so far in markdown, its newest part."""
    text = "".join(_told(event) for event in events).strip()
    return text if len(text) <= TRANSCRIPT_CHARS else f"[…]\n{text[-TRANSCRIPT_CHARS:]}"


def _resume(bootstrap: Bootstrap) -> WireResume:
    ordinal, previous = bootstrap.session.ordinal, bootstrap.previous
    events = [recorded.event for recorded in bootstrap.history if recorded.session == ordinal]
    return WireResume(
        agent_session=next((e.agent_session for e in reversed(events) if isinstance(e, AgentStarted)), ""),
        transcript=transcript(events) if previous is not None else "",
        turns=max((e.turn for e in events if isinstance(e, TurnStarted)), default=0),
        document_submitted=any(isinstance(e, DocumentWritten) and e.phase is bootstrap.session.phase for e in events),
        previous_launch=str(previous.id) if previous is not None else "",
        previous_frames=previous.last_frame if previous is not None else 0,
    )


def _document(document: Document) -> WireDocument:
    return WireDocument(
        phase=document.phase, revision=document.revision, author=document.author, markdown=document.markdown
    )


def _told(event: Event) -> str:
    match event:
        case TurnStarted(turn=turn):
            return f"\n\n## Turn {turn}\n\n"
        case AgentSaid(text=text):
            return text
        case ToolCalled(title=title, status="completed" | "failed" as status):
            return f"\n- {title} ({status})\n"
        case QuestionAsked(text=text):
            return f"\n\n**Question to the person:** {text}\n\n"
        case QuestionAnswered(by_name=name, answer=answer):
            return f"\n\n**{name} answered:** {answer}\n\n"
        case InputReceived(author_name=name, text=text, input=InputKind.MESSAGE):
            return f"\n\n**{name} wrote:** {text}\n\n"
        case ApprovalDecided(by_name=name, verdict=verdict, comment=comment):
            return f"\n\n**{name} decided:** {verdict.replace('_', ' ')}{': ' if comment else ''}{comment}\n\n"
        case DocumentWritten(phase=phase, revision=revision):
            return f"\n\n(The {phase} document, revision {revision}, was submitted.)\n\n"
        case _:
            return ""
