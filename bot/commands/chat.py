"""`viberator chat`: the terminal as a chat, on a real repository with a real agent."""

import argparse
import re
from pathlib import Path

from bot.cli import DONE, FAILED
from bot.commands.agents import agent_by_command, agent_by_name, handed_on
from bot.commands.outcome import WrongUsage, logged, logged_beside, settings_of, tell
from bot.commands.person import somebody_here
from bot.commands.sitting import Sitting, sit
from bot.commands.thread_project import Wanted
from bot.commands.way_back import command_line
from bot.settings import Settings, environment
from bot.terminal.platform import Standing
from sessions.models import AgentProfile, Phase


def run(options: argparse.Namespace) -> int:
    return tell(_chat(options))


async def _chat(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    wanted = _wanted(options, settings)
    sitting = Sitting(
        settings=settings,
        wanted=wanted,
        somebody=somebody_here(environment(), _folder(wanted.repository)),
        greeting="" if options.resume else f"Write what is to be done in {wanted.repository}.",
        way_back=lambda key: command_line(options, "chat", "--resume", key, *_environment_words(options)),
    )
    with logged(logged_beside(settings)):
        return FAILED if await sit(sitting) is Standing.FAILED else DONE


def _environment_words(options: argparse.Namespace) -> list[str]:
    """The agent's keys are kept nowhere, so who comes back names them again."""
    return [word for name in options.agent_env for word in ("--agent-env", name)]


def _wanted(options: argparse.Namespace, settings: Settings) -> Wanted:
    if options.resume:
        return _resumed(options, settings)
    if not options.repo:
        raise WrongUsage("say which repository: viberator chat --repo PATH_OR_URL --agent-command 'COMMAND'")
    repository = _address(options.repo)
    return Wanted(
        name=_name(repository),
        repository=repository,
        branch=options.branch or "",
        agent=_agent(options, settings) or _only_agent(settings),
        environment=handed_on(options.agent_env, environment()),
        phases=tuple(Phase)[tuple(Phase).index(Phase(options.phase or Phase.RESEARCH)) :],
        test_command=options.test_command or "",
    )


def _resumed(options: argparse.Namespace, settings: Settings) -> Wanted:
    """Another agent may take over; what the thread is about stays."""
    fixed = {"--repo": options.repo, "--branch": options.branch, "--phase": options.phase}
    if named := [name for name, value in fixed.items() if value]:
        raise WrongUsage(f"--resume goes on in a thread as it is; leave {' and '.join(named)} out")
    return Wanted(
        resume=options.resume,
        agent=_agent(options, settings),
        environment=handed_on(options.agent_env, environment()),
        test_command=options.test_command or "",
    )


def _agent(options: argparse.Namespace, settings: Settings) -> AgentProfile | None:
    if options.agent_command and options.agent:
        raise WrongUsage("--agent and --agent-command both say which agent; give one of them")
    if options.agent_command is not None:
        return agent_by_command(options.agent_command)
    return agent_by_name(options.agent, settings) if options.agent else None


def _only_agent(settings: Settings) -> AgentProfile:
    """The agent of the settings, where nothing is to choose."""
    able = [table.profile() for table in settings.agents if table.command]
    if len(able) == 1:
        return able[0]
    known = f"the settings have {', '.join(one.name for one in able)}" if able else "the settings name none"
    raise WrongUsage(f"say which agent: --agent-command 'any program that speaks ACP', or --agent NAME ({known})")


def _name(repository: str) -> str:
    """What the project is called: the end of the address, in the letters that a name may have."""
    end = repository.rstrip("/").rpartition("/")[2].rpartition(":")[2].removesuffix(".git").lower()
    return re.sub(r"[^a-z0-9_.-]+", "-", end).strip("-_.") or "repository"


def _folder(repository: str) -> Path:
    """Where git is asked who the person is: a repository's own settings come first."""
    return Path(repository) if repository and Path(repository).is_dir() else Path()


def _address(repository: str) -> str:
    """A path as an absolute one; an address as it is."""
    return (
        repository if "://" in repository or "@" in repository.partition("/")[0] else str(Path(repository).absolute())
    )
