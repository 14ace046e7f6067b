"""`viberator demo`: the whole story on a sample repository with a scripted agent; no key, no service, no network."""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from bot.cli import DONE, FAILED
from bot.commands.outcome import CommandFailed, logged, logged_beside, settings_of, tell
from bot.commands.person import somebody_here
from bot.commands.sitting import Sitting, sit
from bot.commands.thread_project import Wanted
from bot.commands.way_back import command_line
from bot.demo import casting, sample
from bot.demo.presser import NothingToPress, press
from bot.settings import environment
from bot.tables import DatabaseTable
from bot.terminal.platform import Standing
from sessions.models import AgentProfile

REQUEST = f"{sample.TITLE}\n\n{sample.DESCRIPTION}"
CHANNEL = "demo"


def run(options: argparse.Namespace) -> int:
    return tell(_demo(options))


async def _demo(options: argparse.Namespace) -> int:
    folder = _folder(options.dir)
    # A story for one evening has no business in the database of a bot that is at work.
    settings = settings_of(options).model_copy(update={"data_dir": folder / "data", "database": DatabaseTable()})
    try:
        made = await asyncio.to_thread(sample.make, folder / "widgets")
    except sample.SampleFailed as failed:
        raise CommandFailed(f"the sample project cannot be made in {folder}: {failed.words}") from failed
    sitting = Sitting(
        settings=settings,
        wanted=_wanted(made),
        somebody=somebody_here(environment(), folder),
        way_back=lambda _key: command_line(options, "demo", "--dir", str(folder)),
        greeting=(
            f"A small project with a failing test is in {folder}. A scripted agent, no model, works on it, "
            "and you decide: type a button's number, then Enter."
        ),
        request=REQUEST,
        presser=press if options.yes else None,
        ends_when_over=True,
    )
    with logged(logged_beside(settings)):
        standing = await _told(sitting)
    if standing is Standing.OVER:
        _tell_end(made, options)
    return FAILED if standing is Standing.FAILED or (options.yes and standing is not Standing.OVER) else DONE


def _folder(wanted: Path | None) -> Path:
    try:
        folder = (wanted or Path(tempfile.mkdtemp(prefix="viberator-demo-"))).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        # The database's own user passes through here when the demo runs as root.
        folder.chmod(0o755)
    except OSError as refused:
        raise CommandFailed(
            f"{refused.filename}: {refused.strerror}; choose a directory you can write in: demo --dir DIR"
        ) from refused
    return folder


def _wanted(made: sample.Sample) -> Wanted:
    return Wanted(
        name=sample.PROJECT,
        repository=str(made.remote),
        branch=sample.BRANCH,
        agent=AgentProfile(name="scripted", title=casting.TITLE, command=casting.command()),
        test_command=sample.TEST_COMMAND,
        channel=CHANNEL,
    )


async def _told(sitting: Sitting) -> Standing:
    try:
        return await sit(sitting)
    except NothingToPress as stuck:
        raise CommandFailed(
            f"the story stands still at {stuck.slot}, which offers {', '.join(stuck.labels)}; "
            f"decide yourself: {sitting.way_back('')}"
        ) from stuck


def _tell_end(made: sample.Sample, options: argparse.Namespace) -> None:
    for branch in _git(made.remote, "branch", "--list", "viberator/*", "--format=%(refname:short)").split():
        _print(f"\nThe branch {branch} in {made.remote}:\n")
        _print(_git(made.remote, "log", "--format=%h %s (%an)", f"{sample.BRANCH}..{branch}"))
        _print(_git(made.remote, "diff", f"{sample.BRANCH}...{branch}"))
    words = ("chat", "--repo", "PATH_OR_URL", "--agent-command", "claude-agent-acp", "--agent-env", "ANTHROPIC_API_KEY")
    _print("The agent was a script; everything else was real. With a real agent, on a repository of yours:")
    _print(f"  {command_line(options, *words)}")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _git(repository: Path, *words: str) -> str:
    asked = ["git", "-c", "safe.directory=*", "-C", str(repository), *words]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout
