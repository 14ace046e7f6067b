"""How often an outlet may be called: a token bucket with a share kept back, and a pause between edits of one card.

Pure: the time comes in as seconds of some clock that never goes back. One sender an outlet means that this lives in
memory and loses nothing when the sender changes: a new one begins with a full bucket, after the lease's time.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from conversations.messages import Urgency

KEPT_BACK: Final = 0.2
"""The share of the bucket that progress may not use, so that a decision or a final always finds room."""

BURST_S: Final = 10.0
"""The bucket holds what may be spent in so many seconds."""

EDITS_SHARE: Final = 0.8
"""Of the calls a minute, what all live progress cards together may use."""

_UNHURRIED: Final = frozenset({Urgency.PROGRESS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """`level` calls may be made at once at time `at_s`; `per_s` more come every second, up to `capacity`."""

    capacity: float
    per_s: float
    level: float
    at_s: float


def full_bucket(*, calls_per_minute: float, now_s: float) -> Bucket:
    per_s = calls_per_minute / 60
    capacity = max(1.0, per_s * BURST_S)
    return Bucket(capacity=capacity, per_s=per_s, level=capacity, at_s=now_s)


def take(bucket: Bucket, *, now_s: float, keep: float = 0.0) -> tuple[Bucket, float]:
    """The bucket after one call and 0, or unchanged with the seconds to wait until `keep` is left after a call."""
    level = min(bucket.capacity, bucket.level + max(0.0, now_s - bucket.at_s) * bucket.per_s)
    filled = replace(bucket, level=level, at_s=max(now_s, bucket.at_s))
    missing = 1.0 + keep - level
    if missing <= 0:
        return replace(filled, level=level - 1.0), 0.0
    return filled, missing / bucket.per_s


def edit_interval_s(live: int, *, least_s: float, edits_per_minute: float) -> float:
    """Seconds between two edits of a card while `live` cards are being edited: all together keep to the rate."""
    return max(least_s, 60.0 * live / edits_per_minute) if edits_per_minute else least_s


@dataclass(slots=True)
class Pace:
    """What one outlet has done lately. `calls_per_minute` 0 means that it may do as it likes."""

    calls_per_minute: float
    edit_interval_s: float
    bucket: Bucket | None = None
    blocked_until_s: float = 0.0
    edited_at_s: dict[str, float] = field(default_factory=dict)

    def wait_s(self, urgency: Urgency, card: str, *, edit: bool, now_s: float) -> float:
        """0 when the call may be made now, which is then counted; else the seconds to wait.

        `card` names the card among all of the outlet; only edits of progress are held to the interval.
        """
        if now_s < self.blocked_until_s:
            return self.blocked_until_s - now_s
        slow = edit and urgency in _UNHURRIED
        if slow and (wait_s := self._interval_left_s(card, now_s)) > 0:
            return wait_s
        wait_s = self._take(urgency, now_s)
        if slow and not wait_s:
            self.edited_at_s[card] = now_s
        return wait_s

    def block(self, retry_after_s: float, *, now_s: float) -> None:
        """The platform said that it was too much."""
        self.blocked_until_s = max(self.blocked_until_s, now_s + max(0.0, retry_after_s))

    def _interval_left_s(self, card: str, now_s: float) -> float:
        self._forget(now_s)
        live = len(self.edited_at_s.keys() | {card})
        interval_s = edit_interval_s(
            live, least_s=self.edit_interval_s, edits_per_minute=self.calls_per_minute * EDITS_SHARE
        )
        return self.edited_at_s.get(card, now_s - interval_s) + interval_s - now_s

    def _forget(self, now_s: float) -> None:
        """A card that was not edited for a minute is not live."""
        for card, at_s in list(self.edited_at_s.items()):
            if now_s - at_s > max(60.0, self.edit_interval_s):
                del self.edited_at_s[card]

    def _take(self, urgency: Urgency, now_s: float) -> float:
        if not self.calls_per_minute:
            return 0.0
        bucket = self.bucket or full_bucket(calls_per_minute=self.calls_per_minute, now_s=now_s)
        keep = KEPT_BACK * bucket.capacity if urgency in _UNHURRIED else 0.0
        self.bucket, wait_s = take(bucket, now_s=now_s, keep=keep)
        return wait_s
