"""A bare repository of our own for one branch that is to be published, thrown away afterwards.

It borrows the objects of the bot's mirror. What comes in by the bundle is checked object by object before anything uses it.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from runners.bundles import Header
from runners.errors import GitFailed
from runners.git import Git, Outcome
from sessions.models import Diffstat

_QUIET_DIFF = ("--no-ext-diff", "--no-textconv", "--no-renames", "-z")


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The repository at `path`."""

    git: Git
    path: Path

    async def prepare(self, mirror: Path) -> Outcome:
        """Make the repository, with what the mirror holds and `transfer.fsckObjects`."""
        made = await self.git(self.path, "init", "--quiet", "--bare", "--template=", str(self.path))
        if made.succeeded:
            alternates = self.path / "objects/info/alternates"
            await asyncio.to_thread(alternates.parent.mkdir, exist_ok=True)
            await asyncio.to_thread(alternates.write_text, f"{mirror / 'objects'}\n")
            await self.git(self.path, "config", "transfer.fsckObjects", "true")
        return made

    async def take(self, bundle: Path, header: Header, *, limit_bytes: int) -> Outcome:
        """Unpack the bundle's pack; fails for an object that is broken, malicious, or points to one that is not there."""
        # `git fetch` checks what comes in a bundle only since 2.46, so the pack goes to the checker itself.
        arguments = ("--stdin", "--fix-thin", "--strict", f"--max-input-size={limit_bytes}")
        with await asyncio.to_thread(bundle.open, "rb") as file:
            file.seek(header.pack_at)
            return await self.git(self.path, "index-pack", *arguments, source=file)

    async def has_commit(self, commit: str) -> bool:
        return (await self.git(self.path, "cat-file", "-e", f"{commit}^{{commit}}")).succeeded

    async def whole(self, head: str, needs: tuple[str, ...]) -> Outcome:
        """Whether everything that the head leads to is there."""
        return await self.git(self.path, "rev-list", "--objects", "--quiet", head, "--not", *needs)

    async def merge_base(self, base: str, head: str) -> str:
        """Where the two part; empty when they have nothing in common."""
        found = await self.git(self.path, "merge-base", base, head)
        return found.output.partition("\n")[0] if found.succeeded else ""

    async def touched(self, base: str, head: str) -> list[str]:
        """Every path that some commit of the head's own changes; a merge counts where it differs from all its parents.

        Raises `GitFailed`: what is not known to be harmless must not pass for it.
        """
        log = await self._told("log", "-c", "--format=", "--name-only", *_QUIET_DIFF, f"{base}..{head}")
        return sorted({path.strip("\n") for path in log.split("\0")} - {""})

    async def diffstat(self, base: str, head: str) -> Diffstat:
        """Raises `GitFailed`."""
        diff = await self._told("diff", "--numstat", *_QUIET_DIFF, base, head)
        counts = [line.split("\t")[:2] for line in diff.split("\0") if line]
        return Diffstat(
            files=len(counts),
            added=sum(int(added) for added, _ in counts if added.isdigit()),
            removed=sum(int(removed) for _, removed in counts if removed.isdigit()),
        )

    async def _told(self, *arguments: str) -> str:
        outcome = await self.git(self.path, *arguments)
        if not outcome.succeeded:
            raise GitFailed(outcome.words)
        return outcome.output
