"""What is stored of a ticket, as `sessions.invariants` looks at it, what is found wrong with it, and the port that reads it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sessions.events import Recorded
from sessions.models import Approval, Input, Launch, Session, Ticket, WorkspaceId
from sessions.ports import InboxKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedFact:
    """A slot of a thread; `state` is `intended`, `done` or `gone`."""

    slot: str
    state: str
    message_id: str
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadFact:
    """A thread's cursors; `wanted_at` is since when it waits for what it was not told."""

    wanted_event: int
    delivered_event: int
    wanted_at: datetime
    parked: bool
    slots: tuple[PostedFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchFact:
    """`stored_frame` is the highest number of its frames that came to be an event, 0 where none did."""

    launch: Launch
    ended: bool
    stored_frame: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """All that is stored of one ticket as it was at one moment; rows in the order of their ordinals.

    `read_at` is no earlier than that moment, by the clock that all times here are of.
    """

    read_at: datetime
    ticket: Ticket
    history: Sequence[Recorded]
    sessions: Sequence[Session]
    launches: Sequence[LaunchFact]
    approvals: Sequence[Approval]
    inputs: Sequence[Input]
    threads: Sequence[ThreadFact]

    def name(self, session: Session) -> str:
        return f"{self.ticket.key}.{session.ordinal}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """Something that was said to us and has no visible outcome yet."""

    workspace: WorkspaceId
    key: InboxKey
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """`invariant` is its name in `sessions.invariants`. `subject` begins with a ticket's key; with `problem` it is a sentence."""

    invariant: str
    subject: str
    problem: str


class Evidence(Protocol):
    """What is stored in all workspaces. Reading it locks nothing, so that a bot may run meanwhile."""

    def proofs(self) -> AsyncIterator[Proof]:
        """One of every ticket, read one after the other."""

    async def unsettled(self, *, older_than_s: float) -> Sequence[Unsettled]:
        """The oldest ones first, and not more than a page of them."""
