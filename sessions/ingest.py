"""Storing what workers report: one statement for all of them at a time.

Batches that arrive while a flush runs go together in the next one, so the more workers report, the more each statement
stores. When there is enough for another statement by then, the next one does not wait for the first, so that the database
stores one while we write the other. A call returns when its frames are committed. What is not durable is not acknowledged.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from sessions.errors import FramesMissing, IngestBusy, LaunchFenced, SessionsError
from sessions.events import Event, Quarantined
from sessions.models import LaunchId
from sessions.ports import FlushResult, FrameBatch, FrameLog, LaunchContext, Unavailable

log = structlog.get_logger()

QUEUE_FRAMES = 20_000
"""So many frames may wait for a flush before workers are asked to come again."""
FLUSH_FRAMES = 4_000
"""So many frames make a flush full; the batch that fills it is still taken whole."""
EARLY_FRAMES = 300
"""So many waiting frames are worth a flush beside the one that runs."""
FLUSHES = 2
RETRY_AFTER_S = 0.5
_ATTEMPTS = 5


@dataclass(slots=True, eq=False)
class _Waiting:
    batch: FrameBatch
    result: asyncio.Future[FlushResult]


@dataclass(slots=True, kw_only=True, eq=False)
class Ingest:
    """What flushes in a process; `run` must be running for `store` to return, until it ended for good."""

    log: FrameLog
    queue_frames: int = QUEUE_FRAMES
    _queue: deque[_Waiting] = field(default_factory=deque)
    _queued_frames: int = 0
    _under_way: set[LaunchId] = field(default_factory=set)
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: bool = False

    async def run(self) -> None:
        """Flush until cancelled; whoever waits then is told to come again."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for n in range(FLUSHES):
                    tasks.create_task(self._flush_on(), name=f"ingest.flush:{n}")
        finally:
            self._ended = True
            while group := self._take_group():
                _refuse(group, IngestBusy(RETRY_AFTER_S))

    async def _flush_on(self) -> None:
        while True:
            group = self._take_group() if self._worth_a_flush() else []
            if not group:
                self._stirred.clear()
                await self._stirred.wait()
                continue
            launches = {waiting.batch.context.launch for waiting in group}
            self._under_way |= launches
            try:
                await self._flush(group)
            finally:
                # Nobody is left, but where the end came in between.
                _refuse(group, IngestBusy(RETRY_AFTER_S))
                self._under_way -= launches
                self._stirred.set()

    def _worth_a_flush(self) -> bool:
        return bool(self._queue) and (not self._under_way or self._queued_frames >= EARLY_FRAMES)

    async def store(self, context: LaunchContext, *, first: int, events: Sequence[Event]) -> int:
        """Store frames `first` … as the events given; answers the number of the last one stored.

        What was stored before is left out, so that a repeat changes nothing. Raises `FramesMissing` for a gap, `LaunchFenced`
        when the launch is over, `IngestBusy` when too much waits, `Unavailable` when the database does not answer.
        """
        last = first - 1
        for _ in range(_ATTEMPTS):
            if not events:
                return last
            result = await self._put(FrameBatch(context=context, first=first, events=events))
            if result.fenced:
                raise LaunchFenced
            if result.stored:
                return result.last_frame
            last = result.last_frame
            if first > last + 1:
                raise FramesMissing(last + 1)
            events, first = events[last + 1 - first :], last + 1
        raise IngestBusy(RETRY_AFTER_S)

    async def _put(self, batch: FrameBatch) -> FlushResult:
        if self._ended or (self._queued_frames and self._queued_frames + len(batch.events) > self.queue_frames):
            raise IngestBusy(RETRY_AFTER_S)
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._queued_frames += len(batch.events)
        self._stirred.set()
        return await waiting.result

    def _take_group(self) -> list[_Waiting]:
        """What goes into the next flush: in order of arrival, but one batch a launch, and none beside an earlier one."""
        group: dict[LaunchId, _Waiting] = {}
        later: list[_Waiting] = []
        frames = 0
        while self._queue and frames < FLUSH_FRAMES:
            waiting = self._queue.popleft()
            if waiting.result.done():
                # Whoever sent it has gone away; it comes again, or never.
                self._queued_frames -= len(waiting.batch.events)
            elif waiting.batch.context.launch in group or waiting.batch.context.launch in self._under_way:
                later.append(waiting)
            else:
                group[waiting.batch.context.launch] = waiting
                frames += len(waiting.batch.events)
        self._queue.extendleft(reversed(later))
        self._queued_frames -= frames
        return list(group.values())

    async def _flush(self, group: Sequence[_Waiting]) -> None:
        try:
            results = await self.log.flush([waiting.batch for waiting in group])
        except SessionsError as error:
            _refuse(group, error)
        except Exception:
            log.exception("ingest.refused", batches=len(group))
            for waiting in group:
                await self._isolate(waiting)
        else:
            for waiting, result in zip(group, results, strict=True):
                _settle(waiting, result)

    async def _isolate(self, waiting: _Waiting) -> None:
        """Store one batch frame by frame, with a placeholder for each that the database refuses."""
        result = FlushResult(stored=False, last_frame=waiting.batch.first - 1)
        try:
            for offset, event in enumerate(waiting.batch.events):
                result = await self._store_alone(
                    replace(waiting.batch, first=waiting.batch.first + offset, events=[event])
                )
                if not result.stored:
                    break
        except SessionsError as error:
            _refuse([waiting], error)
        else:
            _settle(waiting, result)

    async def _store_alone(self, batch: FrameBatch) -> FlushResult:
        try:
            return (await self.log.flush([batch]))[0]
        except SessionsError:
            raise
        except Exception as error:
            log.exception("ingest.quarantined", launch=batch.context.launch, frame=batch.first)
            return await self._store_placeholder(batch, type(error).__name__)

    async def _store_placeholder(self, batch: FrameBatch, problem: str) -> FlushResult:
        size_bytes = len(repr(batch.events[0]).encode("utf-8", "replace"))
        placeholder = Quarantined(frame=batch.first, size_bytes=size_bytes, problem=problem)
        try:
            return (await self.log.flush([replace(batch, events=[placeholder])]))[0]
        except SessionsError:
            raise
        except Exception as error:
            log.exception("ingest.failed", launch=batch.context.launch, frame=batch.first)
            raise Unavailable("database", problem) from error


def _settle(waiting: _Waiting, result: FlushResult) -> None:
    if not waiting.result.done():
        waiting.result.set_result(result)


def _refuse(group: Sequence[_Waiting], error: SessionsError) -> None:
    for waiting in group:
        if not waiting.result.done():
            waiting.result.set_exception(error)
