"""Database rows as the domain's values."""

import asyncpg

from sessions.events import Recorded
from sessions.models import (
    AgentProfile,
    Approval,
    ApprovalKind,
    ApprovalState,
    Attachment,
    Digest,
    Document,
    Input,
    InputKind,
    InputState,
    InstallationId,
    Launch,
    LaunchId,
    Person,
    Phase,
    Project,
    ProjectId,
    Question,
    Role,
    Session,
    SessionId,
    SessionState,
    Severity,
    SleepReason,
    Ticket,
    TicketId,
    TicketState,
    Verdict,
    WorkspaceId,
)
from storage.codec import codec, decode

ATTACHMENTS = tuple[Attachment, ...]


def ticket(row: asyncpg.Record) -> Ticket:
    requester = Person(
        installation=InstallationId(row["requester_installation_id"]),
        platform=row["requester_platform"],
        external_id=row["requester_external_id"],
        name=row["requester_name"],
        email=row["requester_email"],
        role=Role(row["requester_role"]),
    )
    return Ticket(
        id=TicketId(row["id"]),
        workspace=WorkspaceId(row["workspace_id"]),
        key=row["key"],
        project=ProjectId(row["project_id"]),
        title=row["title"],
        description=row["description"],
        requester=requester,
        filed_at=row["filed_at"],
        phase=Phase(row["phase"]),
        severity=Severity(row["severity"]),
        category=row["category"],
        base_branch=row["base_branch"],
        state=TicketState(row["state"]),
        attachments=codec(ATTACHMENTS).load(row["attachments"]),
        last_event=row["last_event"],
    )


def recorded(row: asyncpg.Record) -> Recorded:
    return Recorded(
        position=row["position"],
        session=row["session"],
        at=row["at"],
        event=decode(row["kind"], row["version"], row["payload"]),
    )


def session(row: asyncpg.Record) -> Session:
    return Session(
        id=SessionId(row["id"]),
        ticket=TicketId(row["ticket_id"]),
        ordinal=row["ordinal"],
        phase=Phase(row["phase"]),
        agent=row["agent"],
        branch=row["branch"],
        lane=row["lane"],
        state=SessionState(row["state"]),
        reason=SleepReason(row["reason"]) if row["reason"] else None,
        losses=row["losses"],
    )


def launch(row: asyncpg.Record) -> Launch:
    return Launch(
        id=LaunchId(row["id"]),
        session=SessionId(row["session_id"]),
        fence=row["fence"],
        engine=row["engine"],
        reference=row["reference"],
        last_frame=row["last_frame"],
    )


def project(row: asyncpg.Record) -> Project:
    return Project(
        id=ProjectId(row["id"]),
        workspace=WorkspaceId(row["workspace_id"]),
        name=row["name"],
        repository=row["repository"],
        branch=row["branch"],
        agent=codec(AgentProfile).load(row["agent"]),
        phases=tuple(Phase(phase) for phase in row["phases"]),
        deciders=tuple(row["deciders"]),
        test_command=row["test_command"],
        protected_paths=tuple(row["protected_paths"]),
        templates_dir=row["templates_dir"],
        declared=row["declared"],
    )


def document(row: asyncpg.Record) -> Document:
    return Document(
        phase=Phase(row["phase"]),
        revision=row["revision"],
        author=row["author"],
        markdown=row["markdown"],
        digest=Digest(row["digest"]),
    )


def approval(row: asyncpg.Record) -> Approval:
    return Approval(
        ticket=TicketId(row["ticket_id"]),
        session=SessionId(row["session_id"]),
        ordinal=row["ordinal"],
        kind=ApprovalKind(row["kind"]),
        subject=row["subject"],
        title=row["title"],
        digest=Digest(row["digest"]),
        deciders=tuple(row["deciders"]),
        offers=tuple(Verdict(offer) for offer in row["offers"]),
        state=ApprovalState(row["state"]),
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        comment=row["comment"],
        grant=row["granted"],
    )


def question(row: asyncpg.Record) -> Question:
    return Question(
        ticket=TicketId(row["ticket_id"]),
        session=SessionId(row["session_id"]),
        ordinal=row["ordinal"],
        text=row["text"],
        options=tuple(row["options"]),
        answered_by=row["answered_by"],
        answer=row["answer"],
    )


def told(row: asyncpg.Record) -> Input:
    """An input; the built-in function has its name."""
    return Input(
        ticket=TicketId(row["ticket_id"]),
        session=SessionId(row["session_id"]),
        ordinal=row["ordinal"],
        kind=InputKind(row["kind"]),
        author=row["author"],
        author_name=row["author_name"],
        text=row["text"],
        subject=row["subject"],
        verdict=Verdict(row["verdict"]) if row["verdict"] else None,
        request=row["request"],
        grant=row["granted"],
        attachments=codec(ATTACHMENTS).load(row["attachments"]),
        state=InputState(row["state"]),
    )
