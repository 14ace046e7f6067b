"""Reading the body of a call that brings frames: one pass in the usual case, frame by frame where something is odd.

A frame that cannot be read becomes `Quarantined`, in its place, so that those after it still arrive. What Postgres cannot
hold in `jsonb` (NUL, lone surrogates, NaN) is replaced, and invalid UTF-8 is read with replacements.
"""

import json
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, ValidationError

from runners.errors import BatchTooLarge, CallUnreadable
from runners.wire import BATCH_FRAMES, FRAME
from sessions.events import Quarantined, WorkerFrame
from sessions.sanitising import storable, storable_tree

FRAMES_LIMIT = 2 * BATCH_FRAMES
PROBLEM_CHARS = 300

T = TypeVar("T")

# Only these spellings can stand for what jsonb refuses and JSON lets pass, in text or out of it.
_SUSPICIOUS = (rb"\u0000", b"NaN", b"Infinity")


class Batch(BaseModel):
    """Frames `first` … in order."""

    first: Annotated[int, Field(ge=1)]
    frames: list[Annotated[WorkerFrame, Field(discriminator="kind")]]


class Envelope(BaseModel):
    first: Annotated[int, Field(ge=1)]
    frames: list[object]


def read_batch(body: bytes) -> tuple[int, list[WorkerFrame | Quarantined]]:
    """The first number and the frames; raises `CallUnreadable` and `BatchTooLarge`."""
    if not any(spelling in body for spelling in _SUSPICIOUS):
        try:
            batch = Batch.model_validate_json(body)
        except ValidationError:
            return _read_one_by_one(body)
        return batch.first, _counted([*batch.frames])
    return _read_one_by_one(body)


def _read_one_by_one(body: bytes) -> tuple[int, list[WorkerFrame | Quarantined]]:
    envelope = _envelope(body)
    frames = _counted(envelope.frames)
    return envelope.first, [_read_frame(envelope.first + at, frame) for at, frame in enumerate(frames)]


def _envelope(body: bytes) -> Envelope:
    try:
        # Not strict, so that a raw control character inside a string spoils nothing either.
        raw = json.loads(body.decode(errors="replace"), strict=False, parse_constant=_no_number)
        return Envelope.model_validate(raw)
    except ValidationError as problem:
        raise CallUnreadable(_words(problem)) from None
    except (ValueError, RecursionError) as problem:
        raise CallUnreadable(type(problem).__name__) from None


def _read_frame(number: int, raw: object) -> WorkerFrame | Quarantined:
    try:
        return FRAME.validate_python(storable_tree(raw))
    except ValidationError as problem:
        words = _words(problem)
    except RecursionError:
        words = "nested too deeply"
    return Quarantined(frame=number, size_bytes=_size(raw), problem=words)


def _counted(frames: list[T]) -> list[T]:
    if len(frames) > FRAMES_LIMIT:
        raise BatchTooLarge(len(frames))
    return frames


def _no_number(_name: str) -> None:
    """NaN and the infinities are no JSON; a field that wants a number refuses None."""


def _words(problem: ValidationError) -> str:
    """Where and what is wrong, without what stood there."""
    first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    what = "an unknown kind" if first["type"].startswith("union_tag") else first["msg"]
    return storable(f"{place}: {what}" if place else what)[:PROBLEM_CHARS]


def _size(raw: object) -> int:
    try:
        return len(json.dumps(raw))
    except (ValueError, RecursionError):
        return 0
