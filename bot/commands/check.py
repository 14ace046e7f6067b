"""`viberator check`: what must be true whatever went wrong, as far as the database can show it.

A bot may run meanwhile: nothing is locked, and what it does soon is given its time.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict

from bot.app import open_database
from bot.cli import DONE, FAILED
from bot.commands.outcome import logged, logged_beside, settings_of, tell
from sessions.invariants import INVARIANTS, Inspection, inspect
from storage.proofs import PostgresEvidence

ADVICE = (
    "What still waits (I1, I7) is done by a bot within a minute of its start; start one with `viberator serve`.\n"
    "Anything else is a mistake of the program: please report it with what `viberator session log KEY --json` shows."
)


def run(options: argparse.Namespace) -> int:
    return tell(_check(options))


async def _check(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    with logged(logged_beside(settings)):
        async with open_database(settings) as (_, database):
            inspection = await inspect(PostgresEvidence(database=database))
    for line in in_json(inspection) if options.json else in_words(inspection):
        sys.stdout.write(f"{line}\n")
    return FAILED if inspection.violations else DONE


def in_words(inspection: Inspection) -> Iterator[str]:
    """A sentence a violation, then what the broken invariants say, and what was looked at."""
    for violation in inspection.violations:
        yield f"✗ {violation.invariant:<3} {violation.subject} {violation.problem}"
    if inspection.violations:
        broken = {violation.invariant for violation in inspection.violations}
        yield ""
        yield from (f"{name:<3} {text}" for name, text in INVARIANTS.items() if name in broken)
        yield f"\n{ADVICE}\n"
    yield _summary(inspection)


def in_json(inspection: Inspection) -> Iterator[str]:
    """An object a violation, and a last one that counts."""
    for violation in inspection.violations:
        yield json.dumps(asdict(violation), ensure_ascii=False)
    yield json.dumps({"tickets": inspection.tickets, "violations": len(inspection.violations)})


def _summary(inspection: Inspection) -> str:
    checked = f"checked {_counted(inspection.tickets, 'ticket')}"
    found = len(inspection.violations)
    return f"{checked}: {_counted(found, 'violation')}" if found else f"{checked}; all is as it must be"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
