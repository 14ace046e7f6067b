"""Opening a terminal's thread: the whole program in this process, for one installation and one project."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

from bot.app import App, Connected, Identity, assemble, connect, default_workspace, engine_name, running
from bot.commands.outcome import CommandFailed
from bot.commands.patience import ThreadPatience
from bot.commands.person import Somebody
from bot.commands.thread_project import Wanted, project_of
from bot.settings import Settings, secrets_of
from bot.terminal.display import Display
from bot.terminal.journal import Journal, JournalTaken, opened
from bot.terminal.platform import TerminalOutlet, TerminalSession
from conversations.models import Installation
from sessions.models import AgentProfile, InstallationId, Person, Project, WorkspaceId
from sessions.ports import Place


@asynccontextmanager
async def open_thread(
    settings: Settings, wanted: Wanted, *, person: Somebody, display: Display
) -> AsyncIterator[TerminalSession]:
    """The thread, with everything behind it running, until the block ends; its sessions' work is saved then."""
    async with connect(settings, launches=True) as connected:
        workspace = await default_workspace(connected)
        installation = await _installation(connected, workspace, wanted)
        with _journal(settings, installation) as journal:
            somebody = person.at(installation.id)
            await connected.registry.put_member(workspace, somebody)
            agents = _agents(settings, await project_of(connected, installation, wanted), wanted)
            outlet = TerminalOutlet(installation.outlet, journal, display)
            app = _app(settings, connected, installation, outlet, agents)
            async with running(app):
                yield _session(app, installation, somebody, journal, display)


@contextmanager
def _journal(settings: Settings, installation: Installation) -> Iterator[Journal]:
    try:
        with opened(settings.data_dir / "terminal" / f"{installation.external_id}.jsonl") as journal:
            yield journal
    except JournalTaken:
        raise CommandFailed("this thread is open in another terminal; leave it there first") from None


def _agents(settings: Settings, project: Project, wanted: Wanted) -> Mapping[str, AgentProfile]:
    """Those of the settings, and the thread's own with what the person hands on to it."""
    agents = {table.name: table.profile() for table in settings.agents}
    declared = agents.get(project.agent.name)
    # Settings hold an agent's keys; but a command that was given is another agent, even by the same name.
    agent = declared if declared and declared.command == project.agent.command else project.agent
    return {**agents, agent.name: replace(agent, environment=(*agent.environment, *wanted.environment))}


def _app(
    settings: Settings,
    connected: Connected,
    installation: Installation,
    outlet: TerminalOutlet,
    agents: Mapping[str, AgentProfile],
) -> App:
    return assemble(
        connected.ports,
        Identity(
            engine=f"{engine_name(settings)}:{installation.external_id}",
            owner=installation.external_id,
            door=installation.external_id,
            data_dir=settings.data_dir,
            only=installation.id,
        ),
        installations={installation.id: installation},
        outlets={outlet.key: outlet},
        agents=agents,
        limits=settings.limits.limits(),
        secrets=secrets_of(settings),
    )


def _session(
    app: App, installation: Installation, person: Person, journal: Journal, display: Display
) -> TerminalSession:
    place = Place(installation=installation.id, channel=installation.external_id, thread=installation.external_id)
    patience = ThreadPatience(
        tickets=app.service,
        threads=app.ports.threads,
        signals=app.ports.signals,
        workspace=installation.workspace,
        place=place,
        outlet=installation.outlet,
    )
    return TerminalSession(
        place=place, person=person, inlet=app.intake, journal=journal, display=display, patience=patience
    )


async def _installation(connected: Connected, workspace: WorkspaceId, wanted: Wanted) -> Installation:
    if wanted.resume:
        found = await connected.registry.find_terminal(wanted.resume.partition(".")[0])
        if found is None:
            raise CommandFailed(
                f"no thread of a terminal here belongs to {wanted.resume}; `viberator session list` shows what there is"
            )
        return found
    name = wanted.channel or connected.ports.ids.key()
    return await connected.registry.ensure_installation(
        Installation(
            id=InstallationId(connected.ports.ids.uuid()),
            workspace=workspace,
            platform="terminal",
            external_id=name,
            outlet=f"terminal:{name}",
        )
    )
