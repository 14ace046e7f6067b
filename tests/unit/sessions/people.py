"""Values that tests of the domain begin with."""

from datetime import UTC, datetime
from uuid import UUID

from sessions.approvals import DOCUMENT_OFFERS
from sessions.documents import digest
from sessions.models import (
    AgentProfile,
    Approval,
    ApprovalKind,
    InstallationId,
    Person,
    Phase,
    Project,
    ProjectId,
    Role,
    Session,
    SessionId,
    Ticket,
    TicketId,
    WorkspaceId,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEAM = InstallationId(UUID(int=10))
OTHER_TEAM = InstallationId(UUID(int=11))
DANA = Person(installation=TEAM, external_id="U1", name="dana", platform="slack")
LEE = Person(installation=TEAM, external_id="U2", name="lee", platform="slack")
GUEST = Person(installation=TEAM, external_id="U1", name="dana?", role=Role.GUEST, platform="slack")
PROJECT = Project(
    id=ProjectId(UUID(int=1)),
    workspace=WorkspaceId(UUID(int=2)),
    name="widgets",
    repository="/srv/widgets.git",
    branch="main",
    agent=AgentProfile(name="scripted", command=("agent",)),
)
TICKET = Ticket(
    id=TicketId(UUID(int=3)),
    workspace=PROJECT.workspace,
    key="4f2aa",
    project=PROJECT.id,
    title="Fix billing",
    description="It is red.",
    requester=DANA,
    filed_at=NOW,
)
SESSION = Session(
    id=SessionId(UUID(int=4)),
    ticket=TICKET.id,
    ordinal=1,
    phase=Phase.RESEARCH,
    agent="scripted",
    branch="viberator/4f2aa-fix-billing",
)
PLAN = "# Plan\n\nGuard the discount."
APPROVAL = Approval(
    ticket=TICKET.id,
    session=SESSION.id,
    ordinal=1,
    kind=ApprovalKind.DOCUMENT,
    subject="research",
    title="Plan",
    digest=digest(PLAN),
    deciders=("U1",),
    offers=DOCUMENT_OFFERS,
)
