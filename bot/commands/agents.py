"""Which agent a command line means, and what of the environment it gets."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.commands.outcome import WrongUsage
from bot.problems import nearest
from bot.settings import Settings
from sessions.models import AgentProfile


def agent_by_command(line: str) -> AgentProfile:
    """An agent by its command, as one line of shell words; raises `WrongUsage`."""
    try:
        words = tuple(shlex.split(line))
    except ValueError as broken:
        raise WrongUsage(f"--agent-command cannot be read as shell words ({broken}); check its quotes") from broken
    if not words:
        raise WrongUsage("--agent-command is empty; give the program that speaks ACP, such as 'claude-agent-acp'")
    return AgentProfile(name=Path(words[0]).name, title=_title(words), command=words)


def agent_by_name(name: str, settings: Settings) -> AgentProfile:
    """An agent of the settings; raises `WrongUsage`."""
    profiles = {table.name: table.profile() for table in settings.agents}
    if name not in profiles:
        known = nearest(name, tuple(profiles)) if profiles else "they have none; add [[agents]] with name and command"
        raise WrongUsage(f"--agent {name}: the settings have no such agent; {known}")
    if not profiles[name].command:
        raise WrongUsage(f"--agent {name}: its [[agents]] has no command; add one, or use --agent-command 'COMMAND'")
    return profiles[name]


def handed_on(names: Sequence[str], environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The variables by name; raises `WrongUsage` for one that is not set."""
    if missing := [name for name in names if name not in environ]:
        raise WrongUsage(f"--agent-env names {', '.join(missing)}, which your environment does not have; set it first")
    return tuple((name, environ[name]) for name in names)


def _title(words: tuple[str, ...]) -> str:
    """The program's name, past an `env NAME=value …` in front of it."""
    rest = [word for word in words[1:] if "=" not in word] if Path(words[0]).name == "env" else list(words)
    return Path(rest[0]).name if rest else words[0]
