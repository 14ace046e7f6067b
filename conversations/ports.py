"""What conversations need from outside, and what they offer to the platforms."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from conversations.messages import Answer, Message
from conversations.models import IncomingMessage, IncomingPress, PostedSlot, Thread
from conversations.progress import Progress
from sessions.events import Recorded
from sessions.models import Digest, ThreadId, WorkspaceId
from sessions.ports import Place


class Inlet(Protocol):
    """The one way in, for every platform. Both return when the effect is stored; only then may the platform be told."""

    async def message(self, incoming: IncomingMessage) -> Answer: ...

    async def press(self, incoming: IncomingPress) -> Answer: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a platform can do; rendering and delivery adapt. `text_limit` is in characters of one message.

    `calls_per_minute` is the platform's own limit for the outlet, 0 where it has none; `edit_interval_s` the least time
    between two edits of one progress card.
    """

    can_edit: bool
    has_buttons: bool
    has_modals: bool
    has_idempotency_key: bool
    text_limit: int
    calls_per_minute: float = 0.0
    edit_interval_s: float = 0.0


class Outlet(Protocol):
    """One platform's identity that sends. Raises the errors named in `conversations.errors`."""

    key: str
    capabilities: Capabilities

    async def post(self, place: Place, message: Message, *, slot: str, nonce: str) -> tuple[Place, str]:
        """Answers the place (with the thread's id, now that it is known) and the message's id."""

    async def edit(self, place: Place, message_id: str, message: Message, *, slot: str) -> None: ...

    async def find(self, place: Place, *, slot: str, nonce: str) -> tuple[Place, str] | None:
        """Read back whether a post whose answer was lost is there after all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A fold up to `position`; `version` is that of the fold's code, another version's is thrown away."""

    version: int
    position: int
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadWork:
    """All delivery needs for one thread, read in one go: the snapshot, the events after it, and what was posted."""

    thread: Thread
    snapshot: Snapshot | None
    events: Sequence[Recorded]
    slots: Sequence[PostedSlot]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    key: str
    owner: str
    fence: int


class ThreadStore(Protocol):
    """What delivery knows of threads. A `fence` is that of the lease whose key is the thread's outlet."""

    async def dirty(self, *, outlets: Sequence[str], limit: int) -> Sequence[ThreadId]:
        """Threads that want more than was delivered, oldest first, by one indexed query."""

    async def load(self, thread: ThreadId) -> ThreadWork:
        """Raises `ThreadUnknown`."""

    async def intend(self, thread: ThreadId, slot: str, digest: Digest, *, fence: int) -> None:
        """Record that a post is about to be tried. Raises `FenceLost` under an older fence."""

    async def posted(self, thread: ThreadId, slot: PostedSlot, place: Place, *, fence: int) -> None:
        """Record what the platform answered to a post or an edit. Raises `FenceLost`."""

    async def delivered(self, work: ThreadWork, position: int, snapshot: Snapshot | None, *, fence: int) -> bool:
        """Move the cursor from where `work` read it to `position`; False when somebody else moved it."""

    async def is_shown(self, workspace: WorkspaceId, place: Place, slot: str) -> bool:
        """Whether the slot's message stands in the thread there."""

    async def park(self, thread: ThreadId, reason: str) -> None:
        """Deliver nothing more to a thread that is gone, until it is unparked."""


class Leases(Protocol):
    def held(self, key: str, *, owner: str) -> AbstractAsyncContextManager[Lease | None]:
        """The lease while the block runs, renewed in time; None when another owner holds it."""
