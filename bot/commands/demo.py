"""`viberator demo`: the whole story on a sample repository with a scripted agent; no key, no service, no network."""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from prompt_toolkit.patch_stdout import patch_stdout

from bot.cli import DONE, FAILED
from bot.commands.chat import HINT, converse, parting
from bot.commands.outcome import logged_beside, settings_of, tell
from bot.commands.person import Somebody, somebody_here
from bot.commands.thread import Wanted, open_thread
from bot.demo import agent, sample
from bot.demo.presser import press
from bot.logs import logs_kept
from bot.settings import Settings, environment
from bot.terminal.platform import Standing, TerminalSession
from bot.terminal.screen import Screen
from bot.terminal.transcript import Transcript
from sessions.models import AgentProfile

REQUEST = f"{sample.TITLE}\n\n{sample.DESCRIPTION}"
CHANNEL = "demo"
LOOK_AGAIN_S = 0.3


def run(options: argparse.Namespace) -> int:
    return tell(_demo(options))


async def _demo(options: argparse.Namespace) -> int:
    folder = (options.dir or Path(tempfile.mkdtemp(prefix="viberator-demo-"))).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    # The database's own user passes through here when the demo runs as root.
    folder.chmod(0o755)
    settings = settings_of(options).model_copy(update={"data_dir": folder / "data"})
    made = await asyncio.to_thread(sample.make, folder / "widgets")
    wanted = Wanted(
        name=sample.PROJECT,
        repository=str(made.remote),
        branch=sample.BRANCH,
        agent=AgentProfile(name="scripted", title=agent.TITLE, command=agent.command()),
        test_command=sample.TEST_COMMAND,
        channel=CHANNEL,
    )
    with logs_kept(logged_beside(settings), stream=sys.stderr):
        somebody = somebody_here(environment(), folder)
        if sys.stdin.isatty() and sys.stdout.isatty() and not options.yes:
            standing = await _live(settings, wanted, somebody)
        else:
            standing = await _scripted(settings, wanted, somebody, yes=options.yes)
    _tell_end(made, folder, standing)
    return FAILED if standing is Standing.FAILED else DONE


async def _scripted(settings: Settings, wanted: Wanted, somebody: Somebody, *, yes: bool) -> Standing:
    transcript = Transcript(person=somebody.login, source=sys.stdin, sink=sys.stdout)
    async with open_thread(settings, wanted, person=somebody, display=transcript) as thread:
        await thread.catch_up()
        if yes:
            return await thread.follow_presser(REQUEST, press)
        await _begin(thread)
        standing = await thread.follow_script()
        transcript.notice(parting(await thread.patience.key(), standing))
        return standing


async def _live(settings: Settings, wanted: Wanted, somebody: Somebody) -> Standing:
    """A person at the keyboard; the story ends by itself when its branch is pushed."""
    screen = Screen(person=somebody.login, hint=HINT)
    with patch_stdout(raw=True):
        async with open_thread(settings, wanted, person=somebody, display=screen) as thread:
            await thread.catch_up()
            await _begin(thread)
            typing = asyncio.create_task(converse(thread, screen), name="demo.typing")
            over = asyncio.create_task(_over(thread), name="demo.over")
            await asyncio.wait({typing, over}, return_when=asyncio.FIRST_COMPLETED)
            standing = over.result() if over.done() else await thread.patience.settled()
            for task in (typing, over):
                task.cancel()
            await asyncio.gather(typing, over, return_exceptions=True)
            screen.close()
            return standing


async def _begin(thread: TerminalSession) -> None:
    if await thread.patience.settled() is Standing.NEW:
        await thread.say(REQUEST)


async def _over(thread: TerminalSession) -> Standing:
    while True:
        standing = await thread.patience.settled()
        if standing is Standing.OVER:
            return standing
        await asyncio.sleep(LOOK_AGAIN_S)


def _tell_end(made: sample.Sample, folder: Path, standing: Standing) -> None:
    if standing is Standing.OVER:
        branches = _git(made.remote, "branch", "--list", "viberator/*", "--format=%(refname:short)").split()
        for branch in branches:
            _print(f"\nThe branch {branch} in {made.remote}:\n")
            _print(_git(made.remote, "log", "--format=%h %s (%an)", f"{sample.BRANCH}..{branch}"))
            _print(_git(made.remote, "diff", f"{sample.BRANCH}...{branch}"))
        _print("The agent was a script; everything else was real. With a real agent, on a repository of yours:")
        _print("  viberator chat --repo PATH_OR_URL --agent-command 'claude-agent-acp' --agent-env ANTHROPIC_API_KEY")
        return
    _print(f"The story is kept in {folder}; go on with: viberator demo --dir {folder}")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _git(repository: Path, *words: str) -> str:
    asked = ["git", "-c", "safe.directory=*", "-C", str(repository), *words]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout
