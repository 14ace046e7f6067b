"""`viberator project add|list|show`: the projects of the database; those of the settings are declared there."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.app import connect, default_workspace
from bot.cli import DONE
from bot.commands.agents import agent_by_command, agent_by_name
from bot.commands.outcome import CommandFailed, WrongUsage, logged, logged_beside, settings_of, tell
from bot.settings import Settings
from bot.tables import name_of, platform_id_of
from sessions.models import AgentProfile, Project, ProjectId


def run(options: argparse.Namespace) -> int:
    return tell(_project(options))


async def _project(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    with logged(logged_beside(settings)):
        if options.verb == "add":
            return await _add(options, settings)
        async with connect(settings) as connected:
            projects = await connected.registry.projects(await default_workspace(connected))
    wanted = projects if options.verb == "list" else _named(projects, options.name)
    for project in wanted:
        sys.stdout.write(f"{_json(project) if options.json else _text(project, whole=options.verb == 'show')}\n")
    if not wanted and not options.json:
        sys.stdout.write("no projects; add one: viberator project add NAME REPOSITORY --agent-command 'COMMAND'\n")
    return DONE


async def _add(options: argparse.Namespace, settings: Settings) -> int:
    agent = _agent(options, settings)
    try:
        name = name_of(options.name)
    except ValueError as wrong:
        raise WrongUsage(f"{options.name}: a project's name {wrong}") from wrong
    deciders = _deciders(options.deciders)
    async with connect(settings) as connected:
        repository = _address(options.repository)
        mirrors = connected.ports.mirrors
        await mirrors.refresh(repository)
        branch = options.branch or await mirrors.default_branch(repository)
        await mirrors.resolve(repository, branch)
        workspace = await default_workspace(connected)
        stored = await connected.registry.put_project(
            Project(
                id=ProjectId(connected.ports.ids.uuid()),
                workspace=workspace,
                name=name,
                repository=repository,
                branch=branch,
                agent=agent,
                deciders=deciders,
                test_command=options.test_command,
            )
        )
    if stored is None:
        raise CommandFailed(f"{name} is declared in the settings; change it there")
    sys.stdout.write(f"{name}: {repository} @ {branch}, {agent.title or agent.name}\n")
    return DONE


def _agent(options: argparse.Namespace, settings: Settings) -> AgentProfile:
    if options.agent_command:
        return agent_by_command(options.agent_command)
    if options.agent:
        return agent_by_name(options.agent, settings)
    known = ", ".join(table.name for table in settings.agents) or "none"
    raise WrongUsage(f"say which agent: --agent NAME (the settings have: {known}) or --agent-command 'COMMAND'")


def _deciders(listed: str) -> tuple[str, ...]:
    try:
        return tuple(platform_id_of(named.strip()) for named in listed.split(",") if named.strip())
    except ValueError as wrong:
        raise WrongUsage(f"--deciders {listed}: each {wrong}") from wrong


def _address(repository: str) -> str:
    return str(Path(repository).absolute()) if Path(repository).exists() else repository


def _named(projects: Sequence[Project], name: str) -> Sequence[Project]:
    found = [project for project in projects if project.name == name]
    if not found:
        known = ", ".join(project.name for project in projects) or "none"
        raise CommandFailed(f"there is no project {name}; there are: {known}")
    return found


def _text(project: Project, *, whole: bool) -> str:
    fields = _fields(project)
    if whole:
        return "\n".join(f"{name:<13} {_words(value)}" for name, value in fields.items() if value)
    return f"{project.name:<20} {project.repository} @ {project.branch} · {project.agent.title or project.agent.name}"


def _fields(project: Project) -> dict[str, object]:
    return {
        "name": project.name,
        "repository": project.repository,
        "branch": project.branch,
        "agent": project.agent.name,
        "command": list(project.agent.command),
        "phases": [str(phase) for phase in project.phases],
        "deciders": list(project.deciders),
        "test_command": project.test_command,
        "declared": project.declared,
    }


def _words(value: object) -> str:
    return " ".join(str(word) for word in value) if isinstance(value, list) else str(value)


def _json(project: Project) -> str:
    return json.dumps(_fields(project), ensure_ascii=False)
