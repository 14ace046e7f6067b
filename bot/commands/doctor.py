"""`viberator doctor`: what is configured, what is missing, and how to get it."""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.app import connect, default_workspace, pending_schema
from bot.cli import DONE, FAILED
from bot.commands.outcome import logged, logged_beside, sentence, settings_of, tell
from bot.settings import Settings
from bot.tables import LogsTable
from sessions.errors import SessionsError
from sessions.models import AgentProfile
from storage.errors import StorageError

SPACE_WANTED = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`advice` is what to do when it is not `ok`; `needed` ones make the command fail."""

    what: str
    ok: bool
    found: str
    advice: str = ""
    needed: bool = True


def run(options: argparse.Namespace) -> int:
    return tell(_doctor(options))


async def _doctor(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    with logged(_log_table(settings)):
        findings = [*_machine(settings), *[finding async for finding in _database(settings)]]
        findings += [*_agents(settings), *_platforms(settings)]
    for finding in findings:
        sys.stdout.write(f"{json.dumps(asdict(finding)) if options.json else _line(finding)}\n")
    return FAILED if any(finding.needed and not finding.ok for finding in findings) else DONE


def _log_table(settings: Settings) -> LogsTable:
    """Beside the data; what is wrong with that is a finding, and no reason to find nothing."""
    if _writable(settings.data_dir):
        return logged_beside(settings)
    return settings.logs.model_copy(update={"level": "error"})


def _line(finding: Finding) -> str:
    mark = "✓" if finding.ok else "✗" if finding.needed else "–"
    advice = "" if finding.ok or not finding.advice else f"\n  {'':<16} → {finding.advice}"
    return f"{mark} {finding.what:<16} {finding.found}{advice}"


def _machine(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    yield Finding(
        what="data directory",
        ok=_writable(folder),
        found=str(folder),
        advice=f"make {folder} writable, or set data_dir (or VIBERATOR_DATA_DIR) to a directory that is",
    )
    free = shutil.disk_usage(_existing(folder)).free
    yield Finding(
        what="disk",
        ok=free >= SPACE_WANTED,
        found=f"{free >> 20} MiB free",
        advice="free some space; sessions keep their work on this disk",
        needed=False,
    )
    git = _version("git", "--version")
    yield Finding(what="git", ok=bool(git), found=git or "not found", advice="install git 2.30 or later")


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())


def _writable(folder: Path) -> bool:
    there = _existing(folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    kind = "DATABASE_URL" if settings.database.url else "private PostgreSQL"
    try:
        pending = await pending_schema(settings)
        yield Finding(what="database", ok=True, found=f"{kind} answers")
        yield Finding(
            what="schema",
            ok=not pending,
            found=f"to apply: {', '.join(pending)}" if pending else "up to date",
            advice="viberator migrate (serve, chat and demo do it by themselves)",
            needed=False,
        )
        async with connect(settings) as connected:
            projects = await connected.registry.projects(await default_workspace(connected))
    except (StorageError, SessionsError) as problem:
        yield Finding(what="database", ok=False, found=kind, advice=sentence(problem) or type(problem).__name__)
        return
    for project in projects:
        if project.agent.name not in {table.name for table in settings.agents}:
            yield _agent(project.agent, f"agent of {project.name}")
    yield Finding(
        what="projects",
        ok=bool(projects),
        found=", ".join(project.name for project in projects) or "none",
        advice="viberator project add NAME REPOSITORY --agent-command 'COMMAND', or [[projects]] in viberator.toml",
        needed=False,
    )


def _agents(settings: Settings) -> Iterator[Finding]:
    profiles = [table.profile() for table in settings.agents]
    if not profiles:
        # Projects may have agents of their own.
        yield Finding(
            what="agents",
            ok=False,
            found="none in the settings",
            advice="add [[agents]] with name and command, or use chat --agent-command",
            needed=False,
        )
    for profile in profiles:
        yield _agent(profile, f"agent {profile.name}")


def _agent(profile: AgentProfile, what: str) -> Finding:
    program = profile.command[0] if profile.command else ""
    where = shutil.which(program) if program else None
    return Finding(
        what=what,
        ok=where is not None,
        found=where or (f"{program} is not on the PATH" if program else "has no command"),
        advice="install it, or correct its command",
    )


def _platforms(settings: Settings) -> Iterator[Finding]:
    for name, configured in (("slack", settings.slack.bot_token), ("discord", settings.discord.token)):
        yield Finding(
            what=name,
            ok=False,
            found="a token is set, but this version does not connect to it yet" if configured else "not configured",
            advice="use viberator chat meanwhile",
            needed=False,
        )


def _version(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
