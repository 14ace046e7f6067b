"""Events and other values as JSON, by pydantic over the domain's dataclasses.

What is stored of an event is its kind, the version of its shape and the rest as payload. What this version of the
program cannot read is `UnknownEvent`, never an error.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Final, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from sessions.events import UPCASTS, Event, KnownEvent, UnknownEvent, Upcasts, upcast
from sessions.sanitising import storable_tree

T = TypeVar("T")

_TYPES: Final[Mapping[str, Any]] = {
    str(field.default): cls for cls in KnownEvent.__args__ for field in fields(cls) if field.name == "kind"
}
_WITHOUT_KIND: Final = {"kind"}


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as the database holds it; `payload` is JSON."""

    kind: str
    version: int
    payload: str


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one type become JSON and come back."""

    adapter: TypeAdapter[Any]

    def dump(self, value: object) -> str:
        """JSON that `jsonb` takes: what it cannot hold is replaced by a visible sign."""
        return _dump(self.adapter, value, exclude=None).decode()

    def load(self, text: str | bytes) -> Any:  # noqa: ANN401 (the caller names the type)
        return self.adapter.validate_json(text)


@cache
def codec(of: Any) -> Codec:  # noqa: ANN401 (a type, or a form of one)
    """Made on first use, since making all of them takes longer than most commands."""
    return Codec(TypeAdapter(of))


def encode(event: Event) -> Stored:
    return Stored(event.kind, version_of(event), payload_of(event))


def version_of(event: Event) -> int:
    return event.version if isinstance(event, UnknownEvent) else event.VERSION


def payload_of(event: Event) -> str:
    if isinstance(event, UnknownEvent):
        return to_json(storable_tree(event.payload)).decode()
    return _dump(codec(_TYPES[event.kind]).adapter, event, exclude=_WITHOUT_KIND).decode()


def decode(kind: str, version: int, payload: str, *, upcasts: Upcasts = UPCASTS) -> Event:
    """The event in today's shape, or `UnknownEvent`."""
    known = _TYPES.get(kind)
    if known is None:
        return _unknown(kind, version, payload)
    try:
        if version == known.VERSION:
            return cast("Event", codec(known).load(payload))
        shape = upcast(kind, version, json.loads(payload), wanted=known.VERSION, steps=upcasts)
        return (
            _unknown(kind, version, payload) if shape is None else cast("Event", codec(known).load(json.dumps(shape)))
        )
    except ValidationError:
        return _unknown(kind, version, payload)


def _unknown(kind: str, version: int, payload: str) -> UnknownEvent:
    return UnknownEvent(kind=kind, version=version, payload=json.loads(payload))


def _dump(adapter: TypeAdapter[Any], value: object, *, exclude: set[str] | None) -> bytes:
    try:
        # What `adapter.dump_json` does too, after more work than writing an event is.
        text = adapter.serializer.to_json(value, exclude=exclude)
    except (PydanticSerializationError, UnicodeEncodeError):
        # A lone surrogate, which UTF-8 does not have.
        return _dump_cleaned(adapter, value, exclude=exclude)
    # A NUL always looks like this; so does the harmless text "\u0000", which is only slower.
    return _dump_cleaned(adapter, value, exclude=exclude) if b"\\u0000" in text else text


def _dump_cleaned(adapter: TypeAdapter[Any], value: object, *, exclude: set[str] | None) -> bytes:
    return to_json(storable_tree(adapter.dump_python(value, exclude=exclude)))
