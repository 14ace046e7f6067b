"""`viberator session list|show|log`: what the agents did and do, read from the database."""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from rich.console import Console
from rich.table import Table

from bot.app import connect, default_workspace
from bot.cli import DONE
from bot.commands.outcome import CommandFailed, logged, logged_beside, settings_of, tell
from storage.overview import LogLine, Overview, SessionLine

FOLLOW_S = 1.0
TEXT_LIMIT = 100


def run(options: argparse.Namespace) -> int:
    return tell(_session(options))


async def _session(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    with logged(logged_beside(settings)):
        async with connect(settings) as connected:
            overview = Overview(database=connected.database, workspace=await default_workspace(connected))
            match options.verb:
                case "list":
                    _print_lines(await overview.sessions(ended=options.all), as_json=options.json)
                case "show":
                    _print_lines(_some(await overview.find(options.key), options.key), as_json=options.json)
                case _:
                    _some(await overview.find(options.key), options.key)
                    await _print_log(overview, options)
    return DONE


def _some(found: Iterable[SessionLine], key: str) -> list[SessionLine]:
    lines = list(found)
    if not lines:
        raise CommandFailed(f"there is no session {key}; `viberator session list --all` shows those there are")
    return lines


def _print_lines(lines: Iterable[SessionLine], *, as_json: bool) -> None:
    if as_json:
        for line in lines:
            sys.stdout.write(f"{_json(asdict(line))}\n")
        return
    table = Table("KEY", "STATE", "PHASE", "PROJECT", "AGENT", "TITLE", box=None, pad_edge=False)
    for line in lines:
        state = f"{line.state} ({line.reason})" if line.reason else line.state
        table.add_row(line.key, state, line.phase, line.project, line.agent, line.title)
    if table.row_count:
        _console().print(table)
    else:
        sys.stdout.write("no sessions; --all shows ended ones too\n")


async def _print_log(overview: Overview, options: argparse.Namespace) -> None:
    after = 0
    while True:
        lines = await overview.log(options.key, after=after)
        for line in lines:
            sys.stdout.write(f"{_json(asdict(line)) if options.json else _line(line)}\n")
            after = line.position
        sys.stdout.flush()
        if lines:
            continue
        if not options.follow:
            return
        await asyncio.sleep(FOLLOW_S)


def _line(line: LogLine) -> str:
    at = line.at.astimezone().strftime("%H:%M:%S")
    session = f".{line.session}" if line.session else "  "
    words = " ".join(f"{name}={_short(value)}" for name, value in line.payload.items() if value not in ("", None, []))
    return f"{line.position:>5}  {at} {session}  {line.kind:<20} {words}"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else _json(value)
    text = " ".join(text.split())
    return text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT]}… ({len(text) - TEXT_LIMIT} more characters)"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _console() -> Console:
    # A pipe has no width, and a script wants whole lines.
    return Console() if sys.stdout.isatty() else Console(width=200, no_color=True)
