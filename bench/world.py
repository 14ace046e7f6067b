"""A workspace with everything in it that an experiment needs before it begins, stored where the product stores it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.ambient import RandomIds
from conversations.models import Installation
from sessions.events import Event, SessionOpened, TicketFiled
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
    ThreadId,
    Ticket,
    TicketId,
    WorkspaceId,
)
from sessions.ports import Entry, Ids, LaunchContext, Place
from storage.database import Database
from storage.dispatch import PostgresDispatch
from storage.ledger import PostgresLedger
from storage.registry import Registry
from storage.system import System

OUTLET = "bench"
_AGENT = AgentProfile(name="scripted", command=("agent", "--acp"), title="Scripted agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """A session with a worker's launch, and that worker's token."""

    context: LaunchContext
    token: str
    thread: ThreadId


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One workspace with one installation and one project."""

    database: Database
    installation: Installation
    project: Project
    ids: Ids = field(default_factory=RandomIds)

    @property
    def dana(self) -> Person:
        return Person(installation=self.installation.id, external_id="U1", name="Dana", email="dana@example.com")

    def beginning(self) -> Sequence[Event]:
        """What the history of every ticket begins with."""
        ticket = self._ticket()
        return self._beginning(ticket, self._session(ticket))

    async def launch(self, count: int) -> Sequence[Launched]:
        """So many tickets, each with a thread and a session that a worker is at."""
        return [await self._launch() for _ in range(count)]

    async def _launch(self) -> Launched:
        thread = await self._file()
        token = self.ids.token()
        claim = await PostgresDispatch(System(self.database)).claim(
            engine="bench",
            runner="bench",
            launch=LaunchId(self.ids.uuid()),
            token_hash=hashlib.sha256(token.encode()).digest(),
        )
        assert claim is not None
        context = LaunchContext(
            workspace=claim.workspace,
            ticket=claim.ticket.id,
            session=claim.session.id,
            launch=claim.launch.id,
            fence=claim.launch.fence,
        )
        return Launched(context=context, token=token, thread=thread)

    async def _file(self) -> ThreadId:
        ticket = self._ticket()
        session = self._session(ticket)
        thread = ThreadId(self.ids.uuid())
        place = Place(installation=self.installation.id, channel="C1", thread=str(thread))
        async with PostgresLedger(self.database).transaction(self.installation.workspace) as change:
            # A key that is taken is one in millions.
            assert await change.add_ticket(ticket)
            await change.add_thread(thread, ticket.id, place)
            await change.add_session(session)
            filed, opened = self._beginning(ticket, session)
            await change.append(ticket.id, [Entry(event=filed), Entry(event=opened, session=session.id)])
        return thread

    def _ticket(self) -> Ticket:
        return Ticket(
            id=TicketId(self.ids.uuid()),
            workspace=self.installation.workspace,
            key=self.ids.key(),
            project=self.project.id,
            title="Fix the failing billing test",
            description="It is red since Monday.",
            requester=self.dana,
            filed_at=datetime.now(UTC),
            phase=Phase.EXECUTION,
        )

    def _session(self, ticket: Ticket) -> Session:
        return Session(
            id=SessionId(self.ids.uuid()),
            ticket=ticket.id,
            ordinal=1,
            phase=Phase.EXECUTION,
            agent=_AGENT.name,
            branch=f"viberator/{ticket.key}",
        )

    def _beginning(self, ticket: Ticket, session: Session) -> tuple[TicketFiled, SessionOpened]:
        filed = TicketFiled(
            key=ticket.key,
            title=ticket.title,
            description=ticket.description,
            requester=ticket.requester,
            project=self.project.name,
            repository=self.project.repository,
            base_branch=self.project.branch,
            agent=_AGENT.name,
            phase=ticket.phase,
            phases=self.project.phases,
        )
        opened = SessionOpened(phase=session.phase, lane=1, agent=_AGENT.name, branch=session.branch)
        return filed, opened


async def found(database: Database, *, repository: str = "/srv/widgets.git", agent: AgentProfile = _AGENT) -> World:
    """A new workspace in an empty database."""
    ids, registry = RandomIds(), Registry(database)
    workspace = await registry.ensure_workspace("bench", new=WorkspaceId(ids.uuid()))
    installation = Installation(
        id=InstallationId(ids.uuid()), workspace=workspace, platform="bench", external_id="T1", outlet=OUTLET
    )
    project = Project(
        id=ProjectId(ids.uuid()),
        workspace=workspace,
        name="widgets",
        repository=repository,
        branch="main",
        agent=agent,
        phases=(Phase.EXECUTION,),
    )
    kept = await registry.put_project(project)
    assert kept is not None
    return World(database=database, installation=await registry.ensure_installation(installation), project=kept)
