"""Opening a terminal's thread: the whole program in this process, for one installation and one project."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

from bot.app import Connected, Identity, assemble, connect, default_workspace, engine_name, running
from bot.commands.outcome import CommandFailed
from bot.commands.patience import ThreadPatience
from bot.commands.person import Somebody
from bot.settings import Settings
from bot.terminal.display import Display
from bot.terminal.journal import Journal
from bot.terminal.platform import TerminalOutlet, TerminalSession
from conversations.models import Installation
from sessions.models import AgentProfile, InstallationId, Phase, Project, ProjectId, WorkspaceId
from sessions.ports import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a terminal's thread is about. Without a project, `resume` names the ticket whose thread is opened again.

    `channel` names the thread itself, where it is to be found again by that name; else it gets a new one.
    """

    name: str = ""
    repository: str = ""
    branch: str = ""
    agent: AgentProfile | None = None
    phases: tuple[Phase, ...] = tuple(Phase)
    test_command: str = ""
    resume: str = ""
    channel: str = ""


@asynccontextmanager
async def open_thread(
    settings: Settings, wanted: Wanted, *, person: Somebody, display: Display
) -> AsyncIterator[TerminalSession]:
    """The thread, with everything behind it running, until the block ends; its sessions' work is saved then."""
    async with connect(settings, replica="terminal") as connected:
        workspace = await default_workspace(connected)
        installation = await _installation(connected, workspace, wanted)
        somebody = person.at(installation.id)
        await connected.registry.put_member(workspace, somebody)
        agents = {agent.name: agent for agent in (table.profile() for table in settings.agents)}
        if wanted.repository:
            await _bind(connected, installation, wanted)
        if wanted.agent is not None:
            agents[wanted.agent.name] = wanted.agent
        journal = Journal(settings.data_dir / "terminal" / f"{installation.external_id}.jsonl")
        place = Place(installation=installation.id, channel=installation.external_id, thread=installation.external_id)
        app = assemble(
            connected.ports,
            Identity(
                engine=f"{engine_name(settings)}:{installation.external_id}",
                owner=installation.external_id,
                data_dir=settings.data_dir,
                only=installation.id,
            ),
            installations={installation.id: installation},
            outlets={installation.outlet: TerminalOutlet(installation.outlet, journal, display)},
            agents=agents,
            limits=settings.limits.limits(),
        )
        async with running(app):
            yield TerminalSession(
                place=place,
                person=somebody,
                inlet=app.intake,
                journal=journal,
                display=display,
                patience=ThreadPatience(
                    tickets=app.service,
                    threads=connected.ports.threads,
                    signals=connected.ports.signals,
                    workspace=workspace,
                    place=place,
                    outlet=installation.outlet,
                ),
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


async def _bind(connected: Connected, installation: Installation, wanted: Wanted) -> None:
    """Make or change the project, and let this thread's channel stand for it."""
    assert wanted.agent is not None
    # Fails now, in words, rather than in the thread: not a repository, an empty one, no such branch.
    await connected.ports.mirrors.refresh(wanted.repository)
    branch = wanted.branch or await connected.ports.mirrors.default_branch(wanted.repository)
    await connected.ports.mirrors.resolve(wanted.repository, branch)
    taken = {p.name: p.repository for p in await connected.registry.projects(installation.workspace)}
    project = await connected.registry.put_project(
        Project(
            id=ProjectId(connected.ports.ids.uuid()),
            workspace=installation.workspace,
            name=free_name(wanted.name, wanted.repository, taken),
            repository=wanted.repository,
            branch=branch,
            agent=wanted.agent,
            phases=wanted.phases,
            test_command=wanted.test_command,
        )
    )
    if project is None:
        raise CommandFailed(f"the settings declare a project {wanted.name}; choose another directory name or edit them")
    await connected.registry.bind_channel(installation.workspace, installation.id, installation.external_id, project.id)


def free_name(wanted: str, repository: str, taken: Mapping[str, str]) -> str:
    """The name, or the name with a number where another repository has it. `taken` are repositories by name."""
    for number in count(1):
        name = wanted if number == 1 else f"{wanted}-{number}"
        if taken.get(name, repository) == repository:
            return name
    raise AssertionError  # count never ends
