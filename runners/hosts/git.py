"""A plain git remote as the place where branches are published: a path, ssh or https."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sessions.models import Project, Publication, Session
from sessions.ports import Mirrors


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishLimits:
    """What a branch may be at most."""

    bundle_bytes: int = 256 << 20
    branch_prefix: str = "viberator/"


class GitHost:
    """Checks bundles in a bare repository of its own below `directory` and pushes them with the bot's credential."""

    def __init__(
        self,
        mirrors: Mirrors,
        directory: Path,
        *,
        environment: Mapping[str, str],
        limits: PublishLimits = PublishLimits(),
    ) -> None:
        self._mirrors = mirrors
        self._directory = directory
        self._environment = environment
        self._limits = limits

    async def publish(
        self, *, project: Project, session: Session, bundle: Path, branch: str, base: str, head: str
    ) -> Publication:
        """Check the bundle and push it; doing it again with the same head changes nothing. Raises `PublishRefused`."""
        raise NotImplementedError
