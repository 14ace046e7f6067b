"""G12: from a mention to the first thing the agent says, against starting the agent and cloning by themselves.

The mirror is warm, the agent scripted, the runner that of the embedded default.
"""

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from uuid import uuid4

import acp

from bench import repository
from bench.experiment import Experiment, Lab
from bench.goals import AtMost
from bench.latencies import percentile
from bench.office import product_app
from bench.outlet import InstantOutlet
from bench.rounds import Figures, Runner
from bench.rows import Comparison
from bench.world import OUTLET, World, found
from bot.app import App, running
from conversations.models import IncomingMessage
from runners import proctree
from sessions.acts import Act, Standing
from sessions.models import AgentProfile
from sessions.ports import Place

# By its path, because the agent runs in its workspace and this package is not installed.
AGENT = AgentProfile(
    name="scripted",
    command=(sys.executable, str(Path(__file__).parents[1] / "agent.py")),
    title="Scripted agent",
)
_WAIT_LIMIT_S = 60.0
_REST_S = 3.0
"""Between two mentions, as a bot has it; what it makes ready meanwhile must not run in anybody's time."""
_SAID = "SELECT count(*) FROM events WHERE ticket_id = $1 AND kind = 'agent_said'"


@asynccontextmanager
async def _contestants(lab: Lab) -> AsyncIterator[Mapping[str, Runner]]:
    times = lab.size(3, 1)
    remote = await asyncio.to_thread(repository.make, lab.folder / "billing.git")
    async with lab.database() as (database, _):
        world = await found(database, repository=str(remote), agent=AGENT)
        app = product_app(
            database,
            lab.folder,
            outlets={OUTLET: InstantOutlet(key=OUTLET)},
            installations={world.installation.id: world.installation},
            agents={AGENT.name: AGENT},
        )
        mirror = await app.ports.mirrors.refresh(str(remote))
        async with running(app):

            async def alone() -> Figures:
                took = [await _clone(mirror, lab.folder) + await _start_agent(lab.folder) for _ in range(times)]
                return {"p50": percentile(took, 50)}

            async def ours() -> Figures:
                return {"p50": percentile([await _mention(world, app) for _ in range(times)], 50)}

            yield {"alone": alone, "ours": ours}


async def _clone(mirror: Path, folder: Path) -> float:
    """Seconds for a clone of the mirror with its files checked out."""
    into = folder / "clone"
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        "git", "-c", "safe.directory=*", "clone", "--quiet", "--shared", str(mirror), str(into)
    )
    code = await process.wait()
    took = time.perf_counter() - began
    assert code == 0
    await asyncio.to_thread(shutil.rmtree, into)
    return took


async def _start_agent(folder: Path) -> float:
    """Seconds from the start of the agent's process to the first thing it says."""
    began = time.perf_counter()
    hearing = Hearing()
    async with acp.spawn_agent_process(cast("acp.Client", hearing), *AGENT.command) as (agent, process):
        await agent.initialize(protocol_version=acp.PROTOCOL_VERSION)
        session = await agent.new_session(cwd=str(folder), mcp_servers=[])
        turn = asyncio.create_task(
            agent.prompt(session_id=session.session_id, prompt=[acp.text_block("Fix the failing billing test")])
        )
        await hearing.heard.wait()
        took = time.perf_counter() - began
        turn.cancel()
        process.kill()
    return took


@dataclass(frozen=True, slots=True)
class Hearing:
    """The client's side of a connection to an agent, which waits for its first words."""

    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def on_connect(self, conn: acp.Agent) -> None:
        """It asks for nothing."""

    async def session_update(self, session_id: str, update: object, **_: object) -> None:
        self.heard.set()


async def _mention(world: World, app: App) -> float:
    """Seconds from a mention's arrival until the agent's first words are stored; the session is discarded then."""
    message = uuid4().hex
    place = Place(installation=world.installation.id, channel="C1", thread=message)
    spoken = app.ports.signals.subscribe("threads")
    began = time.perf_counter()
    await app.intake.message(
        IncomingMessage(
            place=place,
            message_id=message,
            person=world.dana,
            text="Fix the failing billing test",
            at=datetime.now(UTC),
        )
    )
    standing = await app.service.find_at(world.installation.workspace, place)
    assert standing is not None
    async with asyncio.timeout(_WAIT_LIMIT_S):
        while not await _has_spoken(world, standing):
            await spoken.wait(time_limit_s=1.0)
    took = time.perf_counter() - began
    spoken.close()
    await _discard(world, app, standing)
    await asyncio.sleep(_REST_S)
    return took


async def _has_spoken(world: World, standing: Standing) -> bool:
    async with world.database.system() as connection:
        return bool(await connection.fetchval(_SAID, standing.ticket.id))


async def _discard(world: World, app: App, standing: Standing) -> None:
    """End the session, and return when nothing of it runs."""
    act = Act(workspace=world.installation.workspace, person=world.dana)
    await app.service.discard(act, standing.ticket.id)
    mark = f"VIBERATOR_SESSION={standing.session.id}"
    await _until(lambda: not proctree.marked(mark))


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_WAIT_LIMIT_S):
        # The kernel wakes nobody when a stranger's process is gone.
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


MENTION = Experiment(
    key="G12",
    rows=(
        Comparison(
            name="G12 mention to the agent's first words, p50", measure="p50", unit="s", goal=AtMost(1.5), base="alone"
        ),
    ),
    contestants=_contestants,
    slow=True,
)
