"""`viberator chat`: the terminal as a chat, on a real repository with a real agent."""

import argparse
import shlex
import sys
from pathlib import Path

from prompt_toolkit.patch_stdout import patch_stdout

from bot.cli import DONE, FAILED
from bot.commands.outcome import WrongUsage, logged_beside, settings_of, tell
from bot.commands.person import somebody_here
from bot.commands.thread import Wanted, open_thread
from bot.logs import logs_kept
from bot.settings import Settings, environment
from bot.terminal.platform import Standing, TerminalSession
from bot.terminal.screen import Interrupted, Screen
from bot.terminal.transcript import Transcript
from sessions.models import AgentProfile, Phase

HINT = "Enter sends · a number presses a button · /viberator opens a form · !help · Ctrl-C stops · Ctrl-D leaves"


def run(options: argparse.Namespace) -> int:
    return tell(_chat(options))


async def _chat(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    wanted = _wanted(options, settings)
    somebody = somebody_here(environment(), _folder(wanted.repository))
    with logs_kept(logged_beside(settings), stream=sys.stderr):
        if sys.stdin.isatty() and sys.stdout.isatty():
            screen = Screen(person=somebody.name, hint=HINT)
            with patch_stdout(raw=True):
                async with open_thread(settings, wanted, person=somebody, display=screen) as thread:
                    return await _at_keyboard(thread, screen)
        transcript = Transcript(person=somebody.login, source=sys.stdin, sink=sys.stdout)
        async with open_thread(settings, wanted, person=somebody, display=transcript) as thread:
            await thread.catch_up()
            standing = await thread.follow_script()
            transcript.notice(parting(await thread.patience.key(), standing))
            return FAILED if standing is Standing.FAILED else DONE


async def _at_keyboard(thread: TerminalSession, screen: Screen) -> int:
    await thread.catch_up()
    await converse(thread, screen)
    screen.close()
    screen.notice(parting(await thread.patience.key(), Standing.WAITING))
    return DONE


async def converse(thread: TerminalSession, screen: Screen) -> None:
    """Until the person leaves: Ctrl-C stops what runs, and leaves when nothing does or when pressed again."""
    interrupted = False
    while True:
        try:
            line = await screen.ask()
        except Interrupted:
            if interrupted or not await thread.stop():
                break
            interrupted = True
            continue
        if line is None:
            break
        interrupted = False
        await thread.act(line)


def parting(key: str, standing: Standing) -> str:
    """The last line of a thread that is left, with the way back."""
    match standing:
        case Standing.NEW:
            return "nothing was asked for"
        case Standing.OVER:
            return f"{key} is over"
        case Standing.WAITING | Standing.FAILED:
            return f"{key} waits for you: viberator chat --resume {key}"


def _wanted(options: argparse.Namespace, settings: Settings) -> Wanted:
    if options.resume:
        return Wanted(resume=options.resume)
    if not options.repo:
        raise WrongUsage("say which repository: viberator chat --repo PATH_OR_URL --agent-command 'COMMAND'")
    repository = _address(options.repo)
    return Wanted(
        name=Path(repository.rstrip("/")).name.removesuffix(".git").lower() or "repository",
        repository=repository,
        branch=options.branch or "",
        agent=_agent(options, settings),
        phases=tuple(Phase)[tuple(Phase).index(Phase(options.phase or Phase.RESEARCH)) :],
        test_command=options.test_command or "",
    )


def _folder(repository: str) -> Path:
    """Where git is asked who the person is: a repository's own settings come first."""
    return Path(repository) if repository and Path(repository).is_dir() else Path()


def _address(repository: str) -> str:
    """A path as an absolute one; an address as it is."""
    return (
        repository if "://" in repository or "@" in repository.partition("/")[0] else str(Path(repository).absolute())
    )


def _agent(options: argparse.Namespace, settings: Settings) -> AgentProfile:
    if options.agent_command:
        words = tuple(shlex.split(options.agent_command))
        if not words:
            raise WrongUsage("--agent-command is empty; give the program that speaks ACP, such as 'claude-agent-acp'")
        handed_on = tuple((name, environment()[name]) for name in options.agent_env if name in environment())
        return AgentProfile(name=Path(words[0]).name, title=_title(words), command=words, environment=handed_on)
    profiles = {table.name: table.profile() for table in settings.agents if table.command}
    if options.agent is None and len(profiles) == 1:
        return next(iter(profiles.values()))
    if options.agent in profiles:
        return profiles[options.agent]
    known = f"the settings have {', '.join(profiles)}" if profiles else "the settings have no [[agents]] with a command"
    raise WrongUsage(f"say which agent: --agent-command 'any program that speaks ACP', or --agent NAME ({known})")


def _title(words: tuple[str, ...]) -> str:
    """The program's name, past an `env NAME=value …` in front of it."""
    rest = [word for word in words[1:] if "=" not in word] if Path(words[0]).name == "env" else list(words)
    return Path(rest[0]).name if rest else words[0]
