"""What workers do: the use cases behind the worker's API (`sessions.ports.WorkerDesk`)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sessions.events import Event, WorkerFrame
from sessions.ingest import Ingest
from sessions.models import LaunchId, Limits, Publication
from sessions.ports import (
    Bootstrap,
    Clock,
    FrameLog,
    Host,
    Ids,
    Inbound,
    LaunchContext,
    Ledger,
    Signals,
)
from sessions.redaction import Redactor


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Serves the workers of all workspaces; implements `sessions.ports.WorkerDesk`."""

    ledger: Ledger
    log: FrameLog
    ingest: Ingest
    host: Host
    signals: Signals
    clock: Clock
    ids: Ids
    redactor: Redactor
    limits: Limits = field(default_factory=Limits)

    async def authenticate(self, launch: LaunchId, token: str) -> LaunchContext:
        """Raises `LaunchUnknown` for a wrong id or token, `LaunchFenced` when the launch has ended."""
        raise NotImplementedError

    async def bootstrap(self, context: LaunchContext) -> Bootstrap:
        """All a worker begins with. Raises `LaunchFenced`."""
        raise NotImplementedError

    async def take(self, context: LaunchContext, *, first: int, frames: Sequence[WorkerFrame | Event]) -> int:
        """Redact, sanitise and store the frames; answers the last number stored.

        A frame that the caller could not read stands in `frames` as `Quarantined`. Raises `FramesMissing`, `LaunchFenced`,
        `IngestBusy`, `Unavailable`.
        """
        raise NotImplementedError

    async def inputs(self, context: LaunchContext, *, after: int, time_limit_s: float) -> Inbound:
        """Queued inputs with a higher ordinal, waiting for one until the limit; the worker counts as seen.

        Answers at once when the session is over. Raises `LaunchFenced`.
        """
        raise NotImplementedError

    async def publish(self, context: LaunchContext, *, bundle: Path, branch: str, base: str, head: str) -> Publication:
        """Push the bundle, record it and end the session; the same head again answers the same publication.

        Raises `PublishRefused`, `LaunchFenced`.
        """
        raise NotImplementedError
