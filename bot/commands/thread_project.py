"""The project that a terminal's thread is about: found, made, or with another agent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

from bot.app import Connected
from bot.commands.outcome import CommandFailed
from conversations.models import Installation
from sessions.models import AgentProfile, Phase, Project, ProjectId
from sessions.ports import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a terminal's thread is about. `resume` names the ticket whose thread is opened again, with its own project;
    an `agent` or a `test_command` beside it takes the place of the project's.

    `channel` names the thread itself, where it is to be found again by that name; else it gets a new one.
    `environment` is what the agent gets of the person's own; it is kept nowhere.
    """

    name: str = ""
    repository: str = ""
    branch: str = ""
    agent: AgentProfile | None = None
    environment: tuple[tuple[str, str], ...] = ()
    phases: tuple[Phase, ...] = tuple(Phase)
    test_command: str = ""
    resume: str = ""
    channel: str = ""


async def project_of(connected: Connected, installation: Installation, wanted: Wanted) -> Project:
    """The thread's project, stored and bound; raises `CommandFailed` and `RepositoryUnusable`."""
    if wanted.resume:
        return await _kept(connected, installation, wanted)
    project = await _asked(connected, installation, wanted)
    await connected.registry.bind_channel(installation.workspace, installation.id, installation.external_id, project.id)
    return project


async def _kept(connected: Connected, installation: Installation, wanted: Wanted) -> Project:
    place = Place(installation=installation.id, channel=installation.external_id)
    async with connected.ports.ledger.transaction(installation.workspace) as transaction:
        project = await transaction.bound_project(place)
    if project is None:
        raise CommandFailed(f"the project of {wanted.resume} is gone; begin anew with: chat --repo PATH_OR_URL")
    changed = replace(
        project, agent=wanted.agent or project.agent, test_command=wanted.test_command or project.test_command
    )
    return project if _same(project, changed) else await _stored(connected, changed)


async def _asked(connected: Connected, installation: Installation, wanted: Wanted) -> Project:
    assert wanted.agent is not None
    mirrors = connected.ports.mirrors
    # Fails now, in words, rather than in the thread: not a repository, an empty one, no such branch.
    await mirrors.refresh(wanted.repository)
    branch = wanted.branch or await mirrors.default_branch(wanted.repository)
    await mirrors.resolve(wanted.repository, branch)
    project = Project(
        id=ProjectId(connected.ports.ids.uuid()),
        workspace=installation.workspace,
        name=wanted.name,
        repository=wanted.repository,
        branch=branch,
        agent=wanted.agent,
        phases=wanted.phases,
        test_command=wanted.test_command,
    )
    known = await connected.registry.projects(installation.workspace)
    return await _stored(connected, replace(project, name=free_name(project, known)))


async def _stored(connected: Connected, project: Project) -> Project:
    stored = await connected.registry.put_project(project)
    if stored is None:
        raise CommandFailed(f"the settings declare the project {project.name}; change it there")
    return stored


def free_name(project: Project, known: Sequence[Project]) -> str:
    """Its name, or that with a number where one that differs has it: other threads may stand for that."""
    taken = {one.name: one for one in known}
    for number in count(1):
        name = project.name if number == 1 else f"{project.name}-{number}"
        if name not in taken or _same(taken[name], project):
            return name
    raise AssertionError  # count never ends


def _same(one: Project, other: Project) -> bool:
    """Whether they differ in nothing but what they are called, and keys that are not kept."""
    return _essence(one) == _essence(other)


def _essence(project: Project) -> Project:
    return replace(project, id=ProjectId(project.workspace), name="", agent=replace(project.agent, environment=()))
