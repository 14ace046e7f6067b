"""G6: from a ticket that is filed to its session in an engine's hands, against two bare transactions and a NOTIFY."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.absent import AbsentRunner, FetchedMirrors
from bench.experiment import Experiment, Lab
from bench.floors import Queue, queue
from bench.goals import AtMost, Never
from bench.latencies import percentile
from bench.office import product_ports
from bench.rounds import Figures, Runner
from bench.rows import Comparison
from bench.world import World, found
from bot.app import Ports
from sessions.acts import Act, NewTicket
from sessions.models import InstallationId, LaunchId, SessionId, TicketId
from sessions.ports import Claim, Dispatch, InboxKey, LiveLaunch, Place
from sessions.service import TicketService
from sessions.supervisor import Engine, Supervisor

ENGINES = 2
"""Engines that race for a burst of tickets; a single ticket is timed with one of them at work."""
_END_ALL = "UPDATE launches SET ended_at = now() WHERE ended_at IS NULL"
_CLOSE_ALL = "UPDATE sessions SET state = 'discarded' WHERE state NOT IN ('done', 'discarded')"
_CLAIM_LIMIT_S = 30.0
_REST_S = 0.005


@asynccontextmanager
async def _contestants(lab: Lab) -> AsyncIterator[Mapping[str, Runner]]:
    tickets = lab.size(200, 60)
    async with lab.database() as (database, url), queue(url) as work:
        world = await found(database)
        filing = Filing(world, product_ports(database, lab.folder))

        async def commits() -> Figures:
            return {"p50": await _median_of(work, tickets)}

        async def ours() -> Figures:
            return {"p50": percentile(await filing.one_by_one(tickets), 50), "twice": await filing.burst(tickets)}

        yield {"commits": commits, "ours": ours}


async def _median_of(work: Queue, times: int) -> float:
    return percentile([await work.put_and_take() for _ in range(times)], 50)


@dataclass(slots=True)
class Claims:
    """A dispatch that notes when each claim was committed; implements `sessions.ports.Dispatch`."""

    inner: Dispatch
    at: dict[TicketId, float] = field(default_factory=dict)
    claimed: Counter[SessionId] = field(default_factory=Counter)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def claim(
        self,
        *,
        engine: str,
        runner: str,
        launch: LaunchId,
        token_hash: bytes,
        installation: InstallationId | None = None,
    ) -> Claim | None:
        claim = await self.inner.claim(
            engine=engine, runner=runner, launch=launch, token_hash=token_hash, installation=installation
        )
        if claim is not None:
            self.at[claim.ticket.id] = time.perf_counter()
            self.claimed[claim.session.id] += 1
            self.more.set()
        return claim

    async def launched(self, launch: LaunchId, *, reference: str) -> None:
        await self.inner.launched(launch, reference=reference)

    async def live(self, *, engine: str) -> Sequence[LiveLaunch]:
        return await self.inner.live(engine=engine)

    async def locate(self, launch: LaunchId) -> LiveLaunch:
        return await self.inner.locate(launch)

    async def wait_for(self, tickets: Sequence[TicketId]) -> None:
        async with asyncio.timeout(_CLAIM_LIMIT_S):
            while any(ticket not in self.at for ticket in tickets):
                self.more.clear()
                await self.more.wait()


@dataclass(frozen=True, slots=True)
class Filing:
    """Files tickets as an intake does, while engines look for work."""

    world: World
    ports: Ports

    async def one_by_one(self, tickets: int) -> Sequence[float]:
        """Seconds from the request to the claim of each."""
        async with self._engines(1) as claims:
            took: list[float] = []
            for _ in range(tickets):
                began = time.perf_counter()
                ticket = await self._file()
                await claims.wait_for([ticket])
                took.append(claims.at[ticket] - began)
                await self._end_all()
                # The engine has looked around and rests again.
                await asyncio.sleep(_REST_S)
            return took

    async def burst(self, tickets: int) -> int:
        """How many sessions were claimed twice when engines raced for many tickets."""
        async with self._engines(ENGINES) as claims:
            await claims.wait_for([await self._file() for _ in range(tickets)])
            return sum(times > 1 for times in claims.claimed.values())

    async def _file(self) -> TicketId:
        message = str(self.ports.ids.uuid())
        place = Place(installation=self.world.installation.id, channel="C1", thread=message)
        act = Act(
            workspace=self.world.installation.workspace,
            person=self.world.dana,
            key=InboxKey(installation=self.world.installation.id, source=message),
        )
        service = TicketService(
            ledger=self.ports.ledger, signals=self.ports.signals, clock=self.ports.clock, ids=self.ports.ids
        )
        new = NewTicket(
            project=self.world.project.id, title="Fix the failing billing test", description="It is red.", place=place
        )
        ticket = await service.file(act, new)
        assert ticket is not None
        return ticket.id

    @asynccontextmanager
    async def _engines(self, count: int) -> AsyncIterator[Claims]:
        """Engines with nothing to do yet; what they claimed is over when the block ends."""
        claims = Claims(self.ports.dispatch)
        async with AsyncExitStack() as stack:
            tasks = [asyncio.create_task(self._engine(f"bench-{n}", claims).run()) for n in range(count)]
            stack.callback(lambda: [task.cancel() for task in tasks])
            # Past their first look, in which they ask for what an earlier run left.
            await asyncio.sleep(10 * _REST_S)
            yield claims
        await asyncio.wait(tasks)
        await self._end_all()

    async def _end_all(self) -> None:
        """What was claimed is over, so that each ticket finds an engine with nothing to do."""
        async with self.world.database.system() as connection:
            await connection.execute(_END_ALL)
            await connection.execute(_CLOSE_ALL)

    def _engine(self, name: str, claims: Claims) -> Supervisor:
        return Supervisor(
            engine=Engine(name=name, socket=Path("/srv/worker.sock"), directory=Path("/srv"), max_sessions=10_000),
            ledger=self.ports.ledger,
            dispatch=claims,
            runner=AbsentRunner(),
            mirrors=FetchedMirrors(),
            signals=self.ports.signals,
            clock=self.ports.clock,
            ids=self.ports.ids,
        )


CLAIMING = Experiment(
    key="G6",
    rows=(
        Comparison(name="G6 filed to claimed, p50", measure="p50", unit="s", goal=AtMost(2), base="commits"),
        Comparison(name="G6 sessions claimed twice", measure="twice", unit="", goal=Never()),
    ),
    contestants=_contestants,
)
