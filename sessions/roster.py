"""The workers that one engine knows of, and how many more it has room for."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sessions.models import LaunchId, SessionId, TicketId, WorkspaceId

WAITING_PER_PLACE: Final = 4
"""So many sessions may wait for people beside each one at work: their workers do nothing but hold some memory."""


@dataclass(slots=True, kw_only=True, eq=False)
class Worker:
    """A worker of ours: `reference` is empty while it is being started; times are of the monotonic clock.

    `heard` is the database's time of its last call, and `heard_at` when we saw that change; `ending_since` when it was
    first seen to have no reason to run any more. `waiting`: when last seen, its session waited for a person; `news` were
    the last input then, and whether the session was over.
    """

    workspace: WorkspaceId
    ticket: TicketId
    session: SessionId
    launch: LaunchId
    fence: int
    reference: str = ""
    heard: object = None
    heard_at: float = 0.0
    ending_since: float | None = None
    stopping: bool = False
    waiting: bool = False
    news: tuple[int, bool] = (0, False)


def has_room(workers: Collection[Worker], *, places: int) -> bool:
    """Whether another worker may start where `places` may be at work; those that wait count apart."""
    waiting = sum(worker.waiting for worker in workers)
    return len(workers) - min(waiting, WAITING_PER_PLACE * places) < places
