"""The use cases over a real database: somebody files tickets, a worker that is a test reports."""

import asyncio
import itertools
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import asyncpg

from conversations.models import Installation
from sessions.acts import Act, NewTicket, Standing
from sessions.desk import Desk
from sessions.events import DocumentSubmitted, Event, PermissionRequested, WorkerFrame
from sessions.ingest import Ingest
from sessions.invariants import check
from sessions.models import (
    AgentProfile,
    Approval,
    InstallationId,
    LaunchId,
    PermissionOption,
    Person,
    Phase,
    Project,
    ProjectId,
    Role,
    Session,
    Ticket,
    TicketId,
    Verdict,
    WorkspaceId,
)
from sessions.ports import Claim, InboxKey, LaunchContext, Place
from sessions.proofs import Proof, Violation
from sessions.redaction import Redactor
from sessions.service import TicketService
from sessions.tokens import hashed
from storage.database import Database
from storage.dispatch import PostgresDispatch
from storage.frames import PostgresFrameLog
from storage.ledger import PostgresLedger
from storage.proofs import PostgresEvidence
from storage.registry import Registry
from storage.signals import LocalSignals
from storage.system import System
from tests.fakes import CountedIds, FakeClock, FakeHost

ENGINE = "engine-1"
SECRET = "ghp_0123456789abcdef"
TOKEN = "token-of-a-launch"


@dataclass(frozen=True, slots=True)
class Bureau:
    """One workspace with a project of three phases, and everything that is done in it."""

    database: Database
    installation: Installation
    project: Project
    signals: LocalSignals
    clock: FakeClock
    ids: CountedIds
    host: FakeHost
    service: TicketService
    ingest: Ingest
    desk: Desk
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

    # people
    def person(self, name: str = "dana", role: Role = Role.MEMBER) -> Person:
        return Person(
            installation=self.installation.id, external_id=f"U-{name}", name=name, role=role, platform="slack"
        )

    def key(self, source: str = "") -> InboxKey:
        return InboxKey(installation=self.installation.id, source=source or f"message-{next(self.numbers)}")

    def act(self, name: str = "dana", *, source: str = "", role: Role = Role.MEMBER) -> Act:
        return Act(workspace=self.workspace, person=self.person(name, role), key=self.key(source))

    def new_ticket(self, *, phase: Phase | None = None, title: str = "Fix billing") -> NewTicket:
        place = Place(installation=self.installation.id, channel="C1", thread=f"t-{next(self.numbers)}")
        return NewTicket(project=self.project.id, title=title, description="It is red.", place=place, phase=phase)

    async def file(self, *, phase: Phase | None = None) -> Ticket:
        ticket = await self.service.file(self.act(), self.new_ticket(phase=phase))
        assert ticket is not None
        return ticket

    # workers
    async def claim(self, *, engine: str = ENGINE) -> Claim:
        claim = await self.try_claim(engine=engine)
        assert claim is not None
        return claim

    async def try_claim(self, *, engine: str = ENGINE) -> Claim | None:
        launch = LaunchId(self.ids.uuid())
        return await self.dispatch.claim(engine=engine, runner="fake", launch=launch, token_hash=hashed(TOKEN))

    async def at_work(self, *, phase: Phase | None = None) -> Claim:
        """A ticket whose session was just claimed."""
        await self.file(phase=phase)
        return await self.claim()

    async def report(self, claim: Claim, *frames: WorkerFrame | Event) -> int:
        """The next frames of the launch."""
        async with self.ledger.transaction(self.workspace) as tx:
            launches = await tx.launches(claim.session.id)
        stored = next(launch.last_frame for launch in launches if launch.id == claim.launch.id)
        return await self.desk.take(context(claim), first=stored + 1, frames=frames)

    async def document(self, claim: Claim, markdown: str = "# Findings\n\nThe discount is None.") -> Approval:
        """Submit it; answers the approval that is asked for it."""
        await self.report(claim, DocumentSubmitted(phase=claim.session.phase, markdown=markdown))
        return (await self.standing(claim.ticket.id)).approvals[-1]

    async def permission(self, claim: Claim, request: str = "r1") -> Approval:
        options = (PermissionOption(kind="allow_once", label="Yes"), PermissionOption(kind="reject_once", label="No"))
        asked = PermissionRequested(
            request=request, call="c1", title="run make", tool="execute", input="make", grant="g" * 64, options=options
        )
        await self.report(claim, asked)
        return (await self.standing(claim.ticket.id)).approvals[-1]

    async def decide(self, approval: Approval, verdict: Verdict, *, name: str = "dana", comment: str = "") -> None:
        await self.service.decide(
            self.act(name), approval.ticket, approval.ordinal, verdict, digest=approval.digest[:16], comment=comment
        )

    # looking
    async def standing(self, ticket: TicketId) -> Standing:
        async with self.ledger.transaction(self.workspace) as tx:
            key = (await tx.lock_ticket(ticket)).key
        standing = await self.service.find(self.workspace, key)
        assert standing is not None
        return standing

    async def session(self, claim: Claim) -> Session:
        async with self.ledger.transaction(self.workspace) as tx:
            return await tx.get_session(claim.session.id)

    async def events(self, ticket: TicketId) -> list[Event]:
        async with self.ledger.transaction(self.workspace) as tx:
            return [recorded.event for recorded in await tx.history(ticket)]

    async def kinds(self, ticket: TicketId) -> list[str]:
        return [event.kind for event in await self.events(ticket)]

    async def proof(self, ticket: TicketId) -> Proof:
        found = await PostgresEvidence(database=self.database).find(self.workspace, ticket)
        assert found is not None
        return found

    async def violations(self, ticket: TicketId, *, drained: bool = False) -> list[Violation]:
        return violations(await self.proof(ticket), drained=drained)

    async def count(self, table: str) -> int:
        """Rows of the workspace."""
        async with self.database.app(self.workspace) as connection:
            found = await connection.fetchval(f"SELECT count(*) FROM {table}")
        assert isinstance(found, int)
        return found

    async def rows(self, table: str) -> list[asyncpg.Record]:
        async with self.database.app(self.workspace) as connection:
            return await connection.fetch(f"SELECT * FROM {table}")


def context(claim: Claim) -> LaunchContext:
    return LaunchContext(
        workspace=claim.workspace,
        ticket=claim.ticket.id,
        session=claim.session.id,
        launch=claim.launch.id,
        fence=claim.launch.fence,
    )


@asynccontextmanager
async def opened(database: Database, **project: object) -> AsyncIterator[Bureau]:
    """A new workspace whose ingest runs; `project` changes what its project is like."""
    registry = Registry(database)
    workspace = await registry.ensure_workspace("team", new=WorkspaceId(UUID(int=1)))
    installation = await registry.ensure_installation(
        Installation(
            id=InstallationId(UUID(int=2)),
            workspace=workspace,
            platform="slack",
            external_id="T1",
            outlet="slack:T1",
        )
    )
    plain = Project(
        id=ProjectId(UUID(int=3)),
        workspace=workspace,
        name="widgets",
        repository="/srv/widgets.git",
        branch="main",
        agent=AgentProfile(name="scripted", command=("agent", "--acp"), title="Scripted agent"),
    )
    stored = await registry.put_project(replace(plain, **project))  # type: ignore[arg-type]
    assert stored is not None
    signals, clock, ids, host = LocalSignals(), FakeClock(), CountedIds(), FakeHost()
    ledger, log = PostgresLedger(database), PostgresFrameLog(System(database), signals)
    ingest = Ingest(log=log)
    bureau = Bureau(
        database=database,
        installation=installation,
        project=stored,
        signals=signals,
        clock=clock,
        ids=ids,
        host=host,
        service=TicketService(ledger=ledger, signals=signals, clock=clock, ids=ids),
        ingest=ingest,
        desk=Desk(
            ledger=ledger,
            log=log,
            ingest=ingest,
            host=host,
            signals=signals,
            clock=clock,
            ids=ids,
            redactor=Redactor([SECRET]),
        ),
    )
    flusher = asyncio.create_task(ingest.run(), name="ingest")
    try:
        yield bureau
    finally:
        flusher.cancel()
        await asyncio.gather(flusher, return_exceptions=True)
        await bureau_is_sound(bureau)


async def bureau_is_sound(bureau: Bureau) -> None:
    """Whatever a test did, the invariants hold of every ticket."""
    async for proof in PostgresEvidence(database=bureau.database).proofs():
        assert violations(proof) == []


def violations(proof: Proof, *, drained: bool = False) -> list[Violation]:
    """When `drained`, of everything but the threads, since nobody delivers here."""
    return check(replace(proof, threads=()), patience_s=0) if drained else check(proof, patience_s=math.inf)
