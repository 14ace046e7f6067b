"""Bare mirrors of the repositories that are worked on, one a repository, fetched when they are asked for.

A mirror holds the branches and tags of its repository and no configuration of anybody's, neither the remote's address nor a
credential: workers read it. Objects are never thrown away, since clones borrow them. One that cannot be read or fetched
into, while the remote answers, is made again.
"""

import asyncio
import contextlib
import difflib
import errno
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from runners.addresses import Address, read_address
from runners.git import Git, Outcome
from runners.locks import Lock, locked
from runners.refusals import classify, listed, told
from sessions.ports import RepositoryUnusable

log = structlog.get_logger()

BRANCHES_SHOWN = 10
REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_FETCH = ("fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "origin")


class GitMirrors:
    """Mirrors below `directory` as `<hash of the address>.git`; `environment` is the bot's (see `runners.git.PASSED`)."""

    def __init__(self, directory: Path, *, environment: Mapping[str, str], time_limit_s: float = 600.0) -> None:
        self._directory = directory
        self._git = Git(environment, time_limit_s=time_limit_s)
        self._fetched_at: dict[str, float] = {}

    async def refresh(self, repository: str) -> Path:
        """The mirror, fetched now; made or made again where that is needed. Raises `RepositoryUnusable`.

        Several who ask at once are served by one fetch that began after they asked.
        """
        asked_at = time.monotonic()
        address = _checked(repository)
        path = self._path(address)
        try:
            await asyncio.to_thread(self._directory.mkdir, parents=True, exist_ok=True)
            async with locked(path.with_suffix(".lock")) as lock:
                if self._fetched_at.get(address.key, -1.0) < asked_at:
                    began_at = time.monotonic()
                    with _in_time(address):
                        await self._bring(address, path, lock)
                    self._fetched_at[address.key] = began_at
        except OSError as problem:
            raise _unusable(address, _of_system(problem)) from problem
        return path

    async def find(self, repository: str) -> Path | None:
        """Where the mirror is, as it was last fetched; None when there is none yet."""
        path = self._path(read_address(repository))
        return path if await asyncio.to_thread((path / "HEAD").is_file) else None

    async def resolve(self, repository: str, branch: str) -> str:
        """The commit of a branch in the mirror; raises `RepositoryUnusable` with the branches there are."""
        address = _checked(repository)
        path = await self.find(repository) or await self.refresh(repository)
        with _in_time(address):
            # Looked up and not worked out, as main~2 or main@{yesterday} would be: a branch is its name.
            found = await self._git(path, "show-ref", "--verify", "--hash", f"refs/heads/{branch}")
            if found.succeeded:
                return found.output
            raise RepositoryUnusable(address.url, _no_branch(branch, await self._branches(address, path)))

    async def default_branch(self, repository: str) -> str:
        """The branch that the repository's HEAD names now; raises `RepositoryUnusable` when it names none there is."""
        path = await self.refresh(repository)
        address = read_address(repository)
        with _in_time(address):
            head, branches = await self._remote_head(address), await self._branches(address, path)
        if head in branches:
            return head
        shown = listed(branches, BRANCHES_SHOWN)
        raise RepositoryUnusable(address.url, f"It does not say which branch is its main one. Name one of: {shown}.")

    def _path(self, address: Address) -> Path:
        return self._directory / f"{address.key}.git"

    async def _bring(self, address: Address, path: Path, lock: Lock) -> None:
        if not await asyncio.to_thread((path / "HEAD").is_file):
            await self._make(address, path, lock)
        elif not (await self._fetch(address, path, lock)).succeeded or not await self._whole(address, path):
            await self._mend(address, path, lock)
        if not await self._branches(address, path):
            raise RepositoryUnusable(address.url, "It is empty: it has no branch yet. Push a first commit, then retry.")

    async def _mend(self, address: Address, path: Path, lock: Lock) -> None:
        """Tell a remote that does not answer from a mirror that is broken, and make the latter again."""
        heads = await self._git(None, "ls-remote", "--heads", "origin", remote=address)
        if not heads.succeeded:
            raise _unusable(address, heads.words)
        await asyncio.to_thread(_drop_locks, path)
        again = await self._fetch(address, path, lock)
        if again.succeeded and await self._whole(address, path):
            return
        log.warning("mirror.rebuilt", mirror=path.name, words=told(address, again.words))
        await self._make(address, path, lock)

    async def _make(self, address: Address, path: Path, lock: Lock) -> None:
        """Fetch everything beside its place and put it there whole."""
        await asyncio.to_thread(_sweep, path)
        part = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self._directory, prefix=f"{path.name}.part."))
        try:
            await self._git(part, "init", "--quiet", "--bare", "--template=", str(part))
            fetched = await self._fetch(address, part, lock)
            if not fetched.succeeded:
                raise _unusable(address, fetched.words)
            if head := await self._remote_head(address):
                await self._git(part, "symbolic-ref", "HEAD", f"refs/heads/{head}")
            await asyncio.to_thread(_put, part, path)
        finally:
            await asyncio.to_thread(shutil.rmtree, part, ignore_errors=True)

    async def _remote_head(self, address: Address) -> str:
        """The branch that the remote's HEAD names; empty where it stands on a bare commit or on nothing."""
        answer = await self._git(None, "ls-remote", "--symref", "origin", "HEAD", remote=address)
        head = next((line.split()[1] for line in answer.output.splitlines() if line.startswith("ref: ")), "")
        return head.removeprefix("refs/heads/")

    async def _fetch(self, address: Address, path: Path, lock: Lock) -> Outcome:
        try:
            return await self._git(path, *_FETCH, *REFSPECS, remote=address, keep=(lock.descriptor,))
        except TimeoutError:
            return Outcome(code=-1, output="", words="timed out")

    async def _whole(self, address: Address, path: Path) -> bool:
        """Whether all files of every branch are there. Looked at once a process: a fetch checks what it brings itself, but
        not what a machine lost that went down while it was written.
        """
        if address.key in self._fetched_at:
            return True
        return (await self._git(path, "rev-list", "--objects", "--no-walk", "--quiet", "--all")).succeeded

    async def _branches(self, address: Address, path: Path) -> list[str]:
        """Their names, the default one first."""
        answer = await self._git(path, "for-each-ref", "--format=%(HEAD)%(refname:lstrip=2)", "refs/heads")
        if not answer.succeeded:
            raise _unusable(address, answer.words)
        return [name[1:] for name in sorted(answer.output.splitlines(), key=lambda name: not name.startswith("*"))]


@contextlib.contextmanager
def _in_time(address: Address) -> Iterator[None]:
    """A git that ran out of time is a repository out of reach."""
    try:
        yield
    except TimeoutError as problem:
        raise _unusable(address, "timed out") from problem


def _checked(repository: str) -> Address:
    if not repository.strip() or repository.startswith("-") or not repository.isprintable():
        raise RepositoryUnusable(
            repository[:200], "That is no address of a repository. Give a path, or one with https:// or ssh://."
        )
    address = read_address(repository)
    if address.local is not None and not address.local.exists():
        raise RepositoryUnusable(address.url, f"There is nothing at {address.local}. Check the path, then retry.")
    return address


def _unusable(address: Address, words: str) -> RepositoryUnusable:
    _, advice = classify(words)
    said = told(address, words)
    return RepositoryUnusable(address.url, f"{advice} (git: {said})" if said else advice)


def _of_system(problem: OSError) -> str:
    return f"{errno.errorcode.get(problem.errno or 0, '')} {problem.strerror}".strip()


def _no_branch(branch: str, branches: list[str]) -> str:
    near = difflib.get_close_matches(branch, branches, n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    return f"It has no branch {branch}.{guess} There are: {listed(branches, BRANCHES_SHOWN)}."


def _put(part: Path, path: Path) -> None:
    """Put a mirror in its place; a broken one is moved away first, since a folder cannot be replaced in one step."""
    part.chmod(0o755)
    if path.exists():
        path.rename(path.with_suffix(".old"))
    part.rename(path)
    shutil.rmtree(path.with_suffix(".old"), ignore_errors=True)


def _sweep(path: Path) -> None:
    """Throw away what a run that was killed has left of this mirror."""
    for left in (*path.parent.glob(f"{path.name}.part.*"), path.with_suffix(".old")):
        shutil.rmtree(left, ignore_errors=True)


def _drop_locks(path: Path) -> None:
    """The locks of a git that was killed; we hold the lock that every living one would hold."""
    for left in (*path.glob("*.lock"), *(path / "refs").rglob("*.lock")):
        with contextlib.suppress(OSError):
            left.unlink()
