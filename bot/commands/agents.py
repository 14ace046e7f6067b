"""Which agent a command line means, and what of the environment it gets."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.commands.outcome import WrongUsage
from bot.problems import nearest
from bot.settings import Settings
from sessions.models import AgentProfile

_STARTERS = frozenset(
    {"env", "python", "node", "npx", "uvx", "bunx", "bun", "deno", "run", "exec", "npm", "uv", "pnpm"}
)
"""Programs that start other programs, which are the agents."""


def agent_by_command(line: str) -> AgentProfile:
    """An agent by its command, as one line of shell words; raises `WrongUsage`."""
    try:
        words = tuple(shlex.split(line))
    except ValueError as broken:
        raise WrongUsage(f"--agent-command cannot be read as shell words ({broken}); check its quotes") from broken
    if not words:
        raise WrongUsage("--agent-command is empty; give the program that speaks ACP, such as 'claude-agent-acp'")
    title = _title(words)
    return AgentProfile(name=title, title=title, command=words)


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
    """What people know the program by: past `env NAME=value …`, `python -m` and the like, without a version."""
    rest = list(words)
    while len(rest) > 1 and (Path(rest[0]).name.rstrip("0123456789.") in _STARTERS or _is_option(rest[0])):
        rest = rest[1:]
    program = Path(rest[0]).name
    bare = program.partition("@")[0] or program
    return bare.removesuffix(".py").removesuffix(".js").removesuffix(".mjs")


def _is_option(word: str) -> bool:
    return word.startswith("-") or "=" in word
