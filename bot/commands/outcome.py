"""How every command begins and ends: settings read, failures told in a sentence with the next step, an exit code."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Coroutine

import structlog

from bot.cli import DONE, FAILED, WRONG_USAGE
from bot.problems import SettingsInvalid
from bot.settings import Settings, environment, load
from bot.tables import LogsTable
from runners.errors import RunnersError
from sessions.errors import SessionsError
from sessions.ports import RepositoryUnusable, Unavailable
from storage.errors import EmbeddedUnavailable, MigrationRefused, StorageError

log = structlog.get_logger()


class CommandFailed(Exception):
    """The command cannot go on; the sentence says why and what to do."""


class WrongUsage(Exception):
    """The command was called in a way that cannot work."""


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings, with `--data-dir` over them; raises `SettingsInvalid`."""
    settings = load(options.config, environment())
    return settings.model_copy(update={"data_dir": options.data_dir.absolute()}) if options.data_dir else settings


def logged_beside(settings: Settings) -> LogsTable:
    """Logs that keep out of a terminal's thread: in the data directory, unless the settings name a file."""
    if settings.logs.file is not None:
        return settings.logs
    return settings.logs.model_copy(update={"file": settings.data_dir / "viberator.log"})


def tell(command: Coroutine[None, None, int]) -> int:
    """Run the command to its end; what stops it is told on standard error."""
    try:
        return asyncio.run(_until_terminated(command))
    except KeyboardInterrupt:
        return FAILED
    except BaseExceptionGroup as group:
        return _told(_first(group))
    except BrokenPipeError:
        # Whoever read our output left; `bot.cli` says nothing about it.
        raise
    except Exception as problem:  # noqa: BLE001 (the outermost frame of the program)
        return _told(problem)


async def _until_terminated(command: Coroutine[None, None, int]) -> int:
    """SIGTERM ends a command as Ctrl-C does: by way of everything that has to be put away."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await command
    except asyncio.CancelledError:
        return DONE


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _told(problem: BaseException) -> int:
    match problem:
        case SettingsInvalid(problems=problems):
            sys.stderr.write("".join(f"viberator: {line}\n" for line in problems))
            return WRONG_USAGE
        case WrongUsage():
            sys.stderr.write(f"viberator: {problem}\n")
            return WRONG_USAGE
        case _:
            sys.stderr.write(f"viberator: {sentence(problem)}\n")
            return FAILED


def sentence(problem: BaseException) -> str:
    """What happened and what to do, for a person at a terminal."""
    match problem:
        case CommandFailed():
            return str(problem)
        case EmbeddedUnavailable(reason=reason, advice=advice) | MigrationRefused(reason=reason, advice=advice):
            return f"{reason}; {advice}"
        case RepositoryUnusable(repository=repository, detail=detail):
            return f"{repository}: {' '.join(detail.split())}"
        case Unavailable(part=part, detail=detail):
            return f"the {part} cannot be reached: {detail}"
        case SessionsError() | StorageError() | RunnersError():
            return f"{type(problem).__name__}: {problem}"
        case _:
            log.error("command.crashed", exc_info=problem)
            return f"this should not have happened ({type(problem).__name__}); the log has the details"
