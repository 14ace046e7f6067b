"""Where the log goes and how it looks: events with fields, ours and those of the libraries, in one stream."""

import contextlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.tables import LogsTable

REDACTED = "[redacted]"
_SECRET_KEY = re.compile(r"token|secret|passw|authorization|cookie|credential|api_?key|private_?key", re.IGNORECASE)
_ADDRESS_PASSWORD = re.compile(r"(?<=://)([^/@:\s]*):[^/@\s]+@")


@contextmanager
def logs_kept(table: LogsTable, *, stream: TextIO) -> Iterator[None]:
    """Within the block, log as the table says; to `stream` where it names no file."""
    if table.file is None:
        with _configured(table, stream):
            yield
        return
    with _opened(table.file) as file, _configured(table, file):
        yield


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide text under a key that looks secret, at any depth, and passwords within addresses."""
    return {key: _redacted(str(key), value) for key, value in event.items()}


def _redacted(key: str, value: object) -> object:
    match value:
        case str() | bytes() if _SECRET_KEY.search(key):
            return REDACTED
        case str():
            return _ADDRESS_PASSWORD.sub(rf"\1:{REDACTED}@", value)
        case dict():
            return {inner: _redacted(str(inner), held) for inner, held in value.items()}
        case list() | tuple():
            return [_redacted(key, held) for held in value]
        case _:
            return value


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    file = path.open("a", encoding="utf-8", buffering=1)
    try:
        yield cast("TextIO", _Patient(file))
    finally:
        with contextlib.suppress(OSError):
            file.close()


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _Patient:
    """A log that loses what does not fit on its disk: what is logged about must go on."""

    file: TextIO

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self.file.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self.file.flush()

    def isatty(self) -> bool:
        return self.file.isatty()


@contextmanager
def _configured(table: LogsTable, stream: TextIO) -> Iterator[None]:
    lines = table.format == "lines" or (table.format == "auto" and stream.isatty())
    level = logging.getLevelNamesMapping()[table.level.upper()]
    structlog.configure(
        processors=[*_fields(), *_rendering(stream, lines=lines)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    # Libraries are told about at warning: their lower levels hold payloads.
    library_level = max(level, logging.WARNING)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_library_formatter(stream, lines=lines))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(library_level)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        structlog.reset_defaults()


def _fields() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _rendering(stream: TextIO, *, lines: bool) -> list[Processor]:
    if lines:
        # Plain tracebacks: the pretty ones show the values of local variables.
        console = structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        )
        return [redact, console]
    return [structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer(default=str)]


def _library_formatter(stream: TextIO, *, lines: bool) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_fields(), structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(stream, lines=lines)],
    )
