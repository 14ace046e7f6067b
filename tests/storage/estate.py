"""Workspaces with everything in them that a test needs before it begins."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from conversations.models import Installation
from sessions.events import AgentSaid, Event
from sessions.models import (
    AgentProfile,
    InstallationId,
    LaunchId,
    Person,
    Phase,
    Project,
    ProjectId,
    Session,
    SessionId,
    Severity,
    ThreadId,
    Ticket,
    TicketId,
    WorkspaceId,
)
from sessions.ports import Claim, FrameBatch, LaunchContext, Place
from storage.database import Database
from storage.dispatch import PostgresDispatch
from storage.ledger import PostgresLedger
from storage.registry import Registry
from storage.system import System

FILED_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TOKEN_HASH = b"a" * 32


@dataclass(frozen=True, slots=True)
class Estate:
    """One workspace with an installation and a project; makes tickets on demand, with ids that tests can read."""

    database: Database
    installation: Installation
    project: Project
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def workspace(self) -> WorkspaceId:
        return self.installation.workspace

    @property
    def ledger(self) -> PostgresLedger:
        return PostgresLedger(self.database)

    @property
    def dispatch(self) -> PostgresDispatch:
        return PostgresDispatch(System(self.database))

    def new_id(self) -> UUID:
        """Unique within the database, since each workspace counts from its own number on."""
        return UUID(int=(self.workspace.int << 64) + next(self.numbers))

    @property
    def dana(self) -> Person:
        return Person(installation=self.installation.id, external_id="U1", name="dana", email="dana@example.com")

    async def file(self, key: str, *, severity: Severity = Severity.NORMAL, queued: bool = True) -> Ticket:
        """A ticket with a thread and, unless told otherwise, a queued session."""
        ticket = Ticket(
            id=TicketId(self.new_id()),
            workspace=self.workspace,
            key=key,
            project=self.project.id,
            title=f"Fix {key}",
            description="It is red.",
            requester=self.dana,
            filed_at=FILED_AT,
            severity=severity,
        )
        place = Place(installation=self.installation.id, channel="C1", thread=f"t-{key}")
        async with self.ledger.transaction(self.workspace) as change:
            assert await change.add_ticket(ticket)
            await change.add_thread(ThreadId(self.new_id()), ticket.id, place)
            if queued:
                await change.add_session(self.session(ticket))
        return ticket

    def session(self, ticket: Ticket, *, ordinal: int = 1, lane: int = 1) -> Session:
        return Session(
            id=SessionId(self.new_id()),
            ticket=ticket.id,
            ordinal=ordinal,
            lane=lane,
            phase=Phase.RESEARCH,
            agent="scripted",
            branch=f"viberator/{ticket.key}",
        )

    async def claim(self) -> Claim:
        claim = await self.try_claim()
        assert claim is not None
        return claim

    async def try_claim(self, *, installation: InstallationId | None = None) -> Claim | None:
        launch = LaunchId(self.new_id())
        return await self.dispatch.claim(
            engine="here", runner="process", launch=launch, token_hash=TOKEN_HASH, installation=installation
        )


async def settle_in(database: Database, *, number: int = 1, platform: str = "slack") -> Estate:
    """A new workspace."""
    registry = Registry(database)
    workspace = await registry.ensure_workspace(f"team {number}", new=WorkspaceId(UUID(int=number)))
    installation = Installation(
        id=InstallationId(UUID(int=number + 1000)),
        workspace=workspace,
        platform=platform,
        external_id=f"T{number}",
        outlet=f"{platform}:T{number}",
    )
    project = Project(
        id=ProjectId(UUID(int=number + 2000)),
        workspace=workspace,
        name="widgets",
        repository="/srv/widgets.git",
        branch="main",
        agent=AgentProfile(name="scripted", command=("agent", "--acp")),
    )
    stored = await registry.put_project(project)
    assert stored is not None
    return Estate(database, await registry.ensure_installation(installation), stored)


def context(claim: Claim) -> LaunchContext:
    return LaunchContext(
        workspace=claim.workspace,
        ticket=claim.ticket.id,
        session=claim.session.id,
        launch=claim.launch.id,
        fence=claim.launch.fence,
    )


def said(text: str) -> Event:
    return AgentSaid(message="m1", text=text)


def batch(claim: Claim, first: int, *texts: str) -> FrameBatch:
    return FrameBatch(context=context(claim), first=first, events=[said(text) for text in texts])
