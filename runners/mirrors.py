"""Bare mirrors of the repositories that are worked on, one a repository, fetched when they are asked for."""

from collections.abc import Mapping
from pathlib import Path


class GitMirrors:
    """Mirrors below `directory` as `<hash of the address>.git`; `environment` is what git may see of the bot's."""

    def __init__(self, directory: Path, *, environment: Mapping[str, str], time_limit_s: float = 600.0) -> None:
        self._directory = directory
        self._environment = environment
        self._time_limit_s = time_limit_s

    async def refresh(self, repository: str) -> Path:
        """The mirror, fetched now; made or made again where that is needed. Raises `RepositoryUnusable`."""
        raise NotImplementedError

    async def find(self, repository: str) -> Path | None:
        """Where the mirror is, as it was last fetched; None when there is none yet."""
        raise NotImplementedError

    async def resolve(self, repository: str, branch: str) -> str:
        """The commit of a branch in the mirror; raises `RepositoryUnusable` with the branches there are."""
        raise NotImplementedError
