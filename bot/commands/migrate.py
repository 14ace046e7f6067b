"""`viberator migrate`: bring the database's schema up to date."""

import argparse
import sys

from bot.app import schema_brought_up_to_date
from bot.cli import DONE
from bot.commands.outcome import logged, logged_beside, settings_of, tell


def run(options: argparse.Namespace) -> int:
    return tell(_migrate(options))


async def _migrate(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    with logged(logged_beside(settings)):
        applied = await schema_brought_up_to_date(settings)
    sys.stdout.write("".join(f"applied {name}\n" for name in applied) or "nothing to apply; the schema is up to date\n")
    return DONE
