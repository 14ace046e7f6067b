"""How every command begins and ends: settings read, failures told in a sentence with the next step, an exit code."""

import argparse
import asyncio
import errno
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager

import structlog

from bot.cli import DONE, FAILED, WRONG_USAGE
from bot.logs import logs_kept
from bot.problems import SettingsInvalid
from bot.settings import Settings, environment, load
from bot.tables import LogsTable
from conversations.refusals import refusal
from runners.errors import SocketUnusable
from sessions.errors import SessionsError
from sessions.ports import RepositoryUnusable, Unavailable
from storage.errors import DatabaseUnavailable, EmbeddedUnavailable, MigrationRefused

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


@contextmanager
def logged(table: LogsTable) -> Iterator[None]:
    """Log as the table says within the block; what nobody expected is logged, with its traceback, on its way out."""
    with ExitStack() as stack:
        try:
            stack.enter_context(logs_kept(table, stream=sys.stderr))
        except OSError as refused:
            raise CommandFailed(
                f"the log {table.file} cannot be written: {refused.strerror}; "
                "choose another directory with --data-dir or VIBERATOR_DATA_DIR"
            ) from refused
        try:
            yield
        except Exception as problem:
            if sentence(problem) is None and not isinstance(_first(problem), BrokenPipeError):
                log.exception("command.crashed")
            raise


def tell(command: Coroutine[None, None, int]) -> int:
    """Run the command to its end; what stops it is told on standard error."""
    try:
        return asyncio.run(_until_terminated(command))
    except KeyboardInterrupt:
        return FAILED
    except (Exception, BaseExceptionGroup) as problem:
        if isinstance(_first(problem), BrokenPipeError):
            # Whoever read our output left; `bot.cli` says nothing about it.
            raise BrokenPipeError from problem
        return _told(problem)


async def _until_terminated(command: Coroutine[None, None, int]) -> int:
    """SIGTERM ends a command as Ctrl-C does: by way of everything that has to be put away. So does a terminal's end."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, task.cancel)
    try:
        return await command
    except asyncio.CancelledError:
        return DONE


def _told(problem: BaseException) -> int:
    words = sentence(problem) or f"this should not have happened ({type(_first(problem)).__name__}); the log says more"
    sys.stderr.write("".join(f"viberator: {line}\n" for line in words.splitlines()))
    return WRONG_USAGE if isinstance(problem, SettingsInvalid | WrongUsage) else FAILED


def _first(problem: BaseException) -> BaseException:
    return _first(problem.exceptions[0]) if isinstance(problem, BaseExceptionGroup) else problem


def sentence(problem: BaseException) -> str | None:
    """What happened and what to do, for a person at a terminal; None for what nobody expected."""
    match _first(problem):
        case SettingsInvalid(problems=problems):
            return "\n".join(problems)
        case WrongUsage() | CommandFailed() as told:
            return str(told)
        case EmbeddedUnavailable(reason=reason, advice=advice) | MigrationRefused(reason=reason, advice=advice):
            return f"{reason}; {advice}"
        case SocketUnusable(path=path, reason=reason, advice=advice):
            return f"the socket {path} cannot be opened: {reason}; {advice}"
        case RepositoryUnusable(repository=repository, detail=detail):
            return f"{repository}: {' '.join(detail.split())}"
        case DatabaseUnavailable(detail=detail):
            return f"the database cannot be reached: {detail}; see that it runs and that DATABASE_URL is right"
        case Unavailable(part=part, detail=detail):
            return f"the {part} cannot be reached: {detail}; try again in a moment"
        case SessionsError() as refused:
            return refusal(refused)
        case OSError(errno=errno.ENOSPC):
            return "the disk is full; free some space and start again: what was saved is kept"
        case _:
            return None
