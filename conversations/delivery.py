"""Making threads agree with their views: a pure core that says what to do, and the courier that does it."""

from collections.abc import Mapping

from conversations.messages import View
from conversations.models import Operation, PostedSlot
from conversations.ports import Capabilities, Leases, Outlet, ThreadStore
from conversations.rendering import Links
from sessions.ports import Clock, Signals


def plan(view: View, posted: Mapping[str, PostedSlot], *, capabilities: Capabilities) -> tuple[Operation, ...]:
    """What is to be posted and edited, the most urgent first, so that the thread shows the view; () when it does."""
    raise NotImplementedError


class Courier:
    """Keeps the threads of its outlets up to date, as long as `run` runs. Owns no timer and no task for any thread.

    `owner` names this process in leases; `outlets` are by their key.
    """

    def __init__(  # noqa: PLR0913 (its collaborators, each named)
        self,
        store: ThreadStore,
        leases: Leases,
        outlets: Mapping[str, Outlet],
        signals: Signals,
        clock: Clock,
        owner: str,
        *,
        links: Links | None = None,
    ) -> None:
        self._store = store
        self._leases = leases
        self._outlets = outlets
        self._signals = signals
        self._clock = clock
        self._owner = owner
        self._links = links or Links()

    async def run(self) -> None:
        """Deliver whatever is wanted, woken by the signal `threads` and every two seconds, until cancelled."""
        raise NotImplementedError

    async def deliver_all(self) -> int:
        """One round over all dirty threads; answers how many of them are up to date now. For tests and `--once` runs."""
        raise NotImplementedError
