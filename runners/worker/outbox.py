"""Frames on their way to the bot: merged while they wait, numbered when they are taken, kept until acknowledged.

One batch is on its way at a time. It is written to a journal before it is sent, so that what an unreachable bot did not
take is sent by the session's next launch. What waits is bounded: `ready` holds back whoever reads from the agent.
"""

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from pydantic import BaseModel, ValidationError

from runners.wire import BATCH_BYTES, BATCH_FRAMES, FRAME
from runners.worker.cleaning import beginning
from sessions.events import (
    AgentSaid,
    AgentThought,
    PlanShown,
    ToolCalled,
    WorkerEnded,
    WorkerFrame,
    WorkerRequest,
)

WAITING_FRAMES = 2_000
WAITING_CHARS = 4 << 20
PIECE_CHARS = 16_000
LONGEST_CHARS = 200_000


log = structlog.get_logger()


class Sent(BaseModel):
    """A batch in the journal: frames `first` … of a launch."""

    launch: str
    first: int
    frames: list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class Batch:
    first: int
    frames: tuple[dict[str, object], ...]

    @property
    def last(self) -> int:
        return self.first + len(self.frames) - 1


class Outbox:
    """The frames of one launch. `stirred` is set while something waits to be sent."""

    def __init__(self, launch: str, journal: Path) -> None:
        self._launch = launch
        self._journal = journal
        self._waiting: deque[WorkerFrame] = deque()
        self._chars = 0
        self._next = 1
        self._batch: Batch | None = None
        self._room = asyncio.Event()
        self._empty = asyncio.Event()
        self.stirred = asyncio.Event()
        self._room.set()
        self._empty.set()

    def put(self, frame: WorkerFrame) -> None:
        """Send the frame some time soon; text and states that wait are merged with what follows them."""
        merged = self._merge(frame)
        if not merged:
            self._waiting.append(_bounded(frame))
        self._chars += _size(frame)
        self._empty.clear()
        self.stirred.set()
        if isinstance(frame, WorkerRequest):
            # People are asked for something: that is not lost even if the worker is killed before it is sent.
            self.keep()
        if len(self._waiting) >= WAITING_FRAMES or self._chars >= WAITING_CHARS:
            self._room.clear()

    async def ready(self) -> None:
        """Wait until there is room for more."""
        await self._room.wait()

    async def settled(self) -> None:
        """Wait until all that was put is acknowledged."""
        await self._empty.wait()

    def take(self) -> Batch | None:
        """The batch to send now: the one that is not acknowledged yet, or the next one; None when nothing waits."""
        if self._batch is None and self._waiting:
            self._batch = Batch(self._next, tuple(self._cut()))
            self._next = self._batch.last + 1
            self._write([self._batch])
        return self._batch

    def acknowledge(self, last: int) -> None:
        """The bot has stored all frames up to `last`."""
        batch = self._batch
        if batch is None or last < batch.first:
            return
        left = batch.frames[last - batch.first + 1 :]
        self._batch = Batch(last + 1, left) if left else None
        self._next = max(self._next, last + 1)
        if self._batch is None and not self._waiting:
            self.stirred.clear()
            self._empty.set()
            self._journal.unlink(missing_ok=True)

    def renumber(self, last: int) -> None:
        """The bot stands at `last` and misses what comes between: the batch that waits follows on that."""
        if self._batch is not None:
            self._batch = Batch(last + 1, self._batch.frames)
            self._next = self._batch.last + 1
            self._write([self._batch])

    def keep(self) -> None:
        """Write all that was not acknowledged to the journal, for the session's next launch."""
        waiting = tuple(FRAME.dump_python(frame, mode="json") for frame in self._waiting)
        batches = [] if self._batch is None else [self._batch]
        self._write([*batches, Batch(self._next, waiting)] if waiting else batches)

    def _merge(self, frame: WorkerFrame) -> bool:
        """Whether the frame became part of one that waits."""
        match frame, self._waiting[-1] if self._waiting else None:
            case AgentSaid(), AgentSaid() as last if last.message == frame.message and len(last.text) < PIECE_CHARS:
                self._waiting[-1] = replace(last, text=last.text + frame.text)
            case AgentThought(), AgentThought() as last if len(last.text) < PIECE_CHARS:
                self._waiting[-1] = replace(last, text=last.text + frame.text)
            case PlanShown(), PlanShown():
                self._waiting[-1] = frame
            case ToolCalled(), ToolCalled():
                return self._merge_call(frame)
            case _:
                return False
        return True

    def _merge_call(self, frame: ToolCalled) -> bool:
        for at in range(len(self._waiting) - 1, -1, -1):
            waiting = self._waiting[at]
            if not isinstance(waiting, ToolCalled):
                return False
            if waiting.call == frame.call:
                self._chars -= _size(waiting)
                self._waiting[at] = frame
                return True
        return False

    def _cut(self) -> list[dict[str, object]]:
        frames: list[dict[str, object]] = []
        room = BATCH_BYTES
        while self._waiting and len(frames) < BATCH_FRAMES:
            frame = FRAME.dump_python(self._waiting[0], mode="json")
            room -= len(json.dumps(frame))
            if frames and room < 0:
                break
            frames.append(frame)
            self._chars -= _size(self._waiting.popleft())
        if not self._waiting:
            self._chars = 0
        self._room.set()
        return frames

    def _write(self, batches: Sequence[Batch]) -> None:
        if not batches:
            self._journal.unlink(missing_ok=True)
            return
        lines = (Sent(launch=self._launch, first=b.first, frames=list(b.frames)).model_dump_json() for b in batches)
        part = self._journal.with_suffix(".part")
        try:
            part.write_text("".join(f"{line}\n" for line in lines))
            part.replace(self._journal)
        except OSError:
            # A full disk is told to people over the wire, which needs no disk.
            log.warning("outbox.journal_failed", exc_info=True)


def unsent(journal: Path, *, launch: str, stored: int) -> tuple[WorkerFrame, ...]:
    """What an earlier launch could not send, but for its own end.

    Of launch `launch` the bot has stored the frames up to `stored`; of any other launch we cannot know, and send nothing twice.
    """
    try:
        batches = [Sent.model_validate_json(line) for line in journal.read_bytes().split(b"\n") if line]
    except (OSError, ValueError):
        return ()
    ours = [batch for batch in batches if batch.launch == launch]
    left = [payload for batch in ours for payload in batch.frames[max(0, stored - batch.first + 1) :]]
    frames = [frame for payload in left if (frame := _read(payload)) is not None]
    return tuple(frame for frame in frames if not isinstance(frame, WorkerEnded))


def _read(payload: dict[str, object]) -> WorkerFrame | None:
    try:
        return FRAME.validate_python(payload)
    except ValidationError:
        return None


def _bounded(frame: WorkerFrame) -> WorkerFrame:
    match frame:
        case AgentSaid(text=text) | AgentThought(text=text) if len(text) > LONGEST_CHARS:
            return replace(frame, text=beginning(text, LONGEST_CHARS))
        case _:
            return frame


def _size(frame: WorkerFrame) -> int:
    match frame:
        case AgentSaid(text=text) | AgentThought(text=text):
            return len(text)
        case ToolCalled():
            return len(frame.input) + len(frame.output) + sum(len(change.patch) for change in frame.changes)
        case _:
            return 200
