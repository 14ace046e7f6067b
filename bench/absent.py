"""A runner whose workers do nothing and a mirror that is always there: for what happens before a worker starts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sessions.ports import LaunchOrder


@dataclass(slots=True)
class AbsentRunner:
    """Implements `sessions.ports.Runner`: every worker is started at once and runs until it is stopped."""

    name: str = "absent"

    async def launch(self, order: LaunchOrder) -> str:
        return str(order.launch)

    async def running(self, reference: str) -> bool:
        return True

    async def stop(self, reference: str, *, grace_s: float = 10.0) -> None:
        """Nothing runs, so nothing is left."""

    async def wait_any(self, *, time_limit_s: float) -> Sequence[str]:
        await asyncio.sleep(time_limit_s)
        return ()

    async def last_words(self, reference: str) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class FetchedMirrors:
    """Implements `sessions.ports.Mirrors`: one repository, fetched a moment ago."""

    at: Path = Path("/srv/mirrors/widgets.git")

    async def refresh(self, repository: str) -> Path:
        return self.at

    async def find(self, repository: str) -> Path | None:
        return self.at

    async def resolve(self, repository: str, branch: str) -> str:
        return "c" * 40

    async def default_branch(self, repository: str) -> str:
        return "main"
