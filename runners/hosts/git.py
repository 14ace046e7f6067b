"""A plain git remote as the place where branches are published: a path, ssh or https."""

import asyncio
import re
import shlex
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import structlog

from runners.addresses import Address, read_address
from runners.bundles import Header, NotABundle, read_header
from runners.errors import GitFailed
from runners.git import Git, Outcome
from runners.hosts.quarantine import Quarantine
from runners.locks import locked
from runners.refusals import classify, listed, said_by_remote, told
from sessions.errors import PublishRefused
from sessions.models import FailureKind, Project, Publication, Session
from sessions.ports import Mirrors, RepositoryUnusable

log = structlog.get_logger()

PATHS_SHOWN = 5
_OID = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishLimits:
    """What a branch may be at most, and how its name begins."""

    bundle_bytes: int = 256 << 20
    branch_prefix: str = "viberator/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked to be published where."""

    address: Address
    protected: tuple[str, ...]
    bundle: Path
    branch: str
    base: str
    head: str

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.branch}"


class GitHost:
    """Checks bundles in bare repositories of its own below `directory` and pushes them with the bot's credential."""

    def __init__(
        self,
        mirrors: Mirrors,
        directory: Path,
        *,
        environment: Mapping[str, str],
        limits: PublishLimits = PublishLimits(),
        time_limit_s: float = 300.0,
    ) -> None:
        self._mirrors = mirrors
        self._directory = directory
        self._git = Git(environment, time_limit_s=time_limit_s)
        self._limits = limits

    async def publish(
        self, *, project: Project, session: Session, bundle: Path, branch: str, base: str, head: str
    ) -> Publication:
        """Check the bundle and push it; doing it again with the same head changes nothing. Raises `PublishRefused`."""
        order = Order(
            address=read_address(project.repository),
            protected=project.protected_paths,
            bundle=bundle,
            branch=branch,
            base=base,
            head=head,
        )
        self._check_names(order, session)
        try:
            async with self._quarantine(session) as quarantine:
                return await self._publish(order, project, quarantine)
        except TimeoutError as problem:
            raise _refused(FailureKind.HOST_REFUSED, "The host took too long to answer. Retry.") from problem
        except OSError as problem:
            kind, advice = classify(problem.strerror or "")
            raise _refused(kind, advice) from problem
        except RepositoryUnusable as problem:
            raise _refused(FailureKind.REPOSITORY, problem.detail) from problem
        except GitFailed as problem:
            words = told(order.address, problem.words)
            raise _refused(FailureKind.REPOSITORY, f"The branch could not be looked through: {words}") from problem

    async def _publish(self, order: Order, project: Project, quarantine: Quarantine) -> Publication:
        repository = project.repository
        mirror = await self._mirrors.find(repository) or await self._mirrors.refresh(repository)
        base = await self._mirrors.resolve(repository, order.base)
        await self._receive(order, quarantine, mirror)
        parting = await self._check_history(order, quarantine, base)
        await self._push(order, quarantine)
        return Publication(
            branch=order.branch,
            base=order.base,
            head=order.head,
            diffstat=await quarantine.diffstat(parting, order.head),
            # Somebody pastes it into a shell, and names of branches may hold what a shell acts upon.
            compare=shlex.join(["git", "diff", f"{order.base}...{order.branch}"]),
        )

    # ── what may be published ───────────────────────────────────────────────────────────────────────────────────────

    def _check_names(self, order: Order, session: Session) -> None:
        prefix = self._limits.branch_prefix
        if not order.branch.startswith(prefix) or order.branch != session.branch:
            raise _against(f"Only the session's own branch {session.branch} may be published, not {order.branch!r}.")
        if _OID.fullmatch(order.head) is None:
            raise _against("The head of the branch is no commit id.")

    async def _receive(self, order: Order, quarantine: Quarantine, mirror: Path) -> None:
        limit = self._limits.bundle_bytes
        size = (await asyncio.to_thread(order.bundle.stat)).st_size
        if size > limit:
            raise _against(f"The branch is {_megabytes(size)} large; at most {_megabytes(limit)} may be published.")
        header = await asyncio.to_thread(_read, order)
        _need(await quarantine.prepare(mirror), order)
        for needed in header.needs:
            if not await quarantine.has_commit(needed):
                raise _against(f"The branch begins at {needed[:12]}, which {order.base} never had or has no more.")
        _need(await quarantine.take(order.bundle, header, limit_bytes=limit), order)
        _need(await quarantine.whole(order.head, header.needs), order)

    async def _check_history(self, order: Order, quarantine: Quarantine, base: str) -> str:
        """Where the branch parts from its base; raises where it may not be published."""
        parting = await quarantine.merge_base(base, order.head)
        if not parting:
            raise _against(f"The branch has no history in common with {order.base}.")
        if parting == order.head:
            raise _against(f"The branch holds no commit that {order.base} has not.")
        touched = await quarantine.touched(base, order.head)
        if hit := [path for path in touched if _protected(path, order.protected)]:
            raise _against(
                f"The project protects {listed(hit, PATHS_SHOWN)}. Take the change back, or let a person make it."
            )
        return parting

    # ── the push ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _push(self, order: Order, quarantine: Quarantine) -> None:
        if await self._at_remote(order) == order.head:
            log.info("publish.already_there", branch=order.branch)
            return
        pushed = await self._send(order, quarantine)
        # A push whose answer was lost may have happened, so the remote has the last word.
        if not pushed.succeeded and await self._at_remote(order) != order.head:
            raise _turned_down(order, pushed)
        log.info("publish.pushed", branch=order.branch, head=order.head)

    async def _send(self, order: Order, quarantine: Quarantine) -> Outcome:
        refspec = f"{order.head}:{order.ref}"
        try:
            return await self._git(
                quarantine.path, "push", "--porcelain", "--no-verify", "origin", refspec, remote=order.address
            )
        except TimeoutError:
            return Outcome(code=-1, output="", words="timed out")

    async def _at_remote(self, order: Order) -> str:
        """The commit of the branch at the remote; empty where it has none."""
        answer = await self._git(None, "ls-remote", "origin", order.ref, remote=order.address)
        if not answer.succeeded:
            raise _turned_down(order, answer)
        return next((line.split("\t")[0] for line in answer.output.splitlines() if line.endswith(f"\t{order.ref}")), "")

    @asynccontextmanager
    async def _quarantine(self, session: Session) -> AsyncIterator[Quarantine]:
        """A repository for one publication; two of the same session take turns, also from two processes."""
        await asyncio.to_thread(self._directory.mkdir, parents=True, exist_ok=True)
        async with locked(self._directory / f"{session.id}.lock"):
            await asyncio.to_thread(_sweep, self._directory, f"{session.id}.part.")
            path = await asyncio.to_thread(tempfile.mkdtemp, dir=self._directory, prefix=f"{session.id}.part.")
            try:
                yield Quarantine(self._git, Path(path))
            finally:
                await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)


def _read(order: Order) -> Header:
    try:
        header = read_header(order.bundle)
    except NotABundle:
        raise _against("What the worker sent is no git bundle.") from None
    if header.brings != ((order.ref, order.head),):
        raise _against(f"The bundle does not bring {order.branch} at {order.head[:12]}, and nothing else.")
    return header


def _need(outcome: Outcome, order: Order) -> None:
    if not outcome.succeeded:
        words = told(order.address, outcome.words)
        kind, advice = classify(words)
        if kind is FailureKind.DISK_FULL:
            raise _refused(kind, advice)
        raise _against(f"The commits did not pass git's checks: {words}")


def _turned_down(order: Order, outcome: Outcome) -> PublishRefused:
    """The remote's own words, whatever the reason; a full disk of ours is the one that is not the remote's."""
    words = told(order.address, said_by_remote(outcome))
    kind, advice = classify(words)
    if kind is FailureKind.DISK_FULL and "remote" not in outcome.words:
        return _refused(kind, advice)
    if "[rejected]" in words:
        return _moved(order)
    if kind is FailureKind.CREDENTIALS:
        return _refused(kind, f"{advice} (git: {words})")
    return _refused(FailureKind.HOST_REFUSED, words or "The host refused the push and did not say why.")


def _moved(order: Order) -> PublishRefused:
    return _refused(
        FailureKind.HOST_REFUSED,
        f"Somebody else has moved {order.branch}, and the bot overwrites nothing. "
        "Rename or delete that branch at the host, then retry.",
    )


def _against(detail: str) -> PublishRefused:
    return _refused(FailureKind.POLICY, detail)


def _refused(kind: FailureKind, detail: str) -> PublishRefused:
    return PublishRefused(kind, detail)


def _protected(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a pattern means the path, or a folder that it lies in."""
    folders = [path, *(str(parent) for parent in Path(path).parents if str(parent) != ".")]
    return any(fnmatchcase(place, pattern.strip("/")) for pattern in patterns for place in folders)


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):.1f} MB"


def _sweep(directory: Path, prefix: str) -> None:
    """Throw away what a run that was killed has left."""
    for left in directory.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
