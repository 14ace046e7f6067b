"""Storing what workers report: one statement for all of them at a time.

Batches that arrive while a flush runs go together in the next one, so the more workers report, the more each statement
stores. A call returns when its frames are committed. What is not durable is not acknowledged.
"""

from collections.abc import Sequence

from sessions.events import Event
from sessions.ports import FrameLog, LaunchContext

QUEUE_FRAMES = 20_000
"""So many frames may wait for a flush before workers are asked to come again."""


class Ingest:
    """The one flusher of a process; `run` must be running for `store` to return."""

    def __init__(self, *, log: FrameLog, queue_frames: int = QUEUE_FRAMES) -> None:
        self._log = log
        self._queue_frames = queue_frames

    async def run(self) -> None:
        """Flush until cancelled."""
        raise NotImplementedError

    async def store(self, context: LaunchContext, *, first: int, events: Sequence[Event]) -> int:
        """Store frames `first` … as the events given; answers the number of the last one stored.

        What was stored before is left out, so that a repeat changes nothing. Raises `FramesMissing` for a gap, `LaunchFenced`
        when the launch is over, `IngestBusy` when too much waits, `Unavailable` when the database does not answer.
        """
        raise NotImplementedError
