"""The clock and the randomness of a running program, behind the ports that tests replace."""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

KEY_LETTERS = "23456789abcdefghjkmnpqrstvwxyz"
"""Without the letters and digits that people take for one another."""
KEY_LENGTH = 5


@dataclass(frozen=True, slots=True)
class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class RandomIds:
    def uuid(self) -> UUID:
        """UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then random bits, so that newer ids sort later."""
        value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
        value = value & ~(0xF << 76) | 0x7 << 76
        return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)

    def key(self) -> str:
        return "".join(secrets.choice(KEY_LETTERS) for _ in range(KEY_LENGTH))

    def token(self) -> str:
        return secrets.token_urlsafe(32)
