"""What tells two messages apart: the same digest on every machine and in every process."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from hashlib import sha256
from uuid import UUID

from conversations.messages import Message
from sessions.models import Digest


def digest(message: Message) -> Digest:
    """sha256 of the message in a canonical form: every value with the name of its type, in the order of its fields."""
    canonical = json.dumps(_canonical(message), ensure_ascii=True, separators=(",", ":"))
    return Digest(sha256(canonical.encode()).hexdigest())


def _canonical(value: object) -> object:
    match value:
        case Enum():
            return str(value.value)
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat()
        case UUID():
            return str(value)
        case tuple():
            return [_canonical(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            named = {field.name: _canonical(getattr(value, field.name)) for field in fields(value)}
            return [type(value).__name__, named]
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")
