"""The session's workspace: a clone that borrows from the bot's mirror, its branch, and what becomes of the changes in it.

Changes are committed in the requester's name. Commits that the agent made itself are kept as they are, since its
environment names the same author; commits that do not descend from where the work began are folded into ours.
"""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from runners.worker.commits import ChangedFile, Story, commit_message
from runners.worker.errors import BranchUnknown, NotARepository, NothingToPublish, RepositoryEmpty
from runners.worker.git import Git
from sessions.models import Diffstat

NOTES = ".viberator"
"""The folder in the workspace where agent and worker leave each other files; git does not see it."""

CHECKPOINT = "refs/viberator/checkpoint"
LITTER = (
    "__pycache__/",
    "*.py[co]",
    ".pytest_cache/",
    ".mypy_cache/",
    ".ruff_cache/",
    ".coverage",
    "node_modules/",
    ".DS_Store",
)
"""What running a program leaves behind and no person commits; not every project's own .gitignore says so."""

BEGINNING = "refs/viberator/beginning"
"""The commit where work began; the branch it was taken from may move on while people decide."""

COMMITTER_NAME = "Viberator"
COMMITTER_EMAIL = "viberator@noreply.invalid"
KNOWN_BRANCHES = 10
NO_PUSH = "viberator://commits-are-published-by-the-bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the work begins: commit `commit` of branch `base` in the bare repository `mirror`."""

    mirror: Path
    base: str
    commit: str
    branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    name: str
    email: str

    def environment(self) -> dict[str, str]:
        """What makes git commit in this name, by whoever it is run."""
        return {
            "GIT_AUTHOR_NAME": self.name,
            "GIT_AUTHOR_EMAIL": self.email,
            "GIT_COMMITTER_NAME": COMMITTER_NAME,
            "GIT_COMMITTER_EMAIL": COMMITTER_EMAIL,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    sha: str
    subject: str
    diffstat: Diffstat


class Workspace:
    """The clone at `path`; `scratch` is a folder of ours for temporary files."""

    def __init__(
        self, path: Path, scratch: Path, source: Source, author: Author, environment: Mapping[str, str]
    ) -> None:
        self.path = path
        self._scratch = scratch
        self._source = source
        self._environment = {**environment, **author.environment()}
        self._git = Git(directory=path, environment=self._environment)

    async def prepare(self) -> bool:
        """Make the clone and its branch if they are not there yet; False when work goes on in the one that is.

        Raises `NotARepository`, `RepositoryEmpty`, `BranchUnknown`, `GitFailed`.
        """
        if (self.path / ".git").is_dir() and await self._git.succeeds("rev-parse", "--verify", "-q", BEGINNING):
            self._source = replace(self._source, commit=await self._git("rev-parse", BEGINNING))
            return False
        part = self.path.with_name(f"{self.path.name}.part")
        for left in (part, self.path):
            await asyncio.to_thread(shutil.rmtree, left, ignore_errors=True)
        await self._clone(part)
        part.rename(self.path)
        return True

    async def changed(self) -> bool:
        """Whether anything differs from where the work began."""
        await self._gather()
        return bool(await self._git("status", "--porcelain")) or await self._head() != self._source.commit

    async def commit(self, story: Story) -> Commit:
        """Put all changes on the session's branch; with nothing new to commit, tell of what is there.

        Raises `NothingToPublish` when the branch has no commit of its own, `GitFailed` in the middle of a conflict.
        """
        await self._gather()
        await self._git("add", "--all")
        if not await self._git.succeeds("diff", "--cached", "--quiet", "--no-ext-diff"):
            message = commit_message(story, await self._numstat("--cached", "HEAD"))
            await self._git("commit", "--quiet", "--no-verify", "--file=-", text=message)
        head = await self._head()
        if head == self._source.commit:
            raise NothingToPublish
        return Commit(
            sha=head, subject=await self._git("log", "-1", "--format=%s", head), diffstat=await self.diffstat(head)
        )

    async def diffstat(self, until: str = "HEAD") -> Diffstat:
        """What differs between where the work began and `until`."""
        changed = await self._numstat(self._source.commit, until)
        return Diffstat(
            files=len(changed), added=sum(f.added for f in changed), removed=sum(f.removed for f in changed)
        )

    async def checkpoint(self) -> tuple[str, int] | None:
        """Save the whole working tree as a commit on a ref of its own, leaving branch and index as they are.

        Answers the commit and the number of files that differ from where the work began, None where none does.
        """
        index = {"GIT_INDEX_FILE": str(self._scratch / "checkpoint.index")}
        await self._git("read-tree", "HEAD", more=index)
        await self._git("add", "--all", more=index)
        tree = await self._git("write-tree", more=index)
        changed = await self._numstat(self._source.commit, tree)
        if not changed:
            return None
        sha = await self._git("commit-tree", tree, "-p", "HEAD", "-m", "Work in progress")
        await self._git("update-ref", CHECKPOINT, sha)
        return sha, len(changed)

    async def bundle(self) -> Path:
        """The commits from where the work began to the branch's head, as a git bundle."""
        path = self._scratch / "branch.bundle"
        commits = (f"^{self._source.commit}", f"refs/heads/{self._source.branch}")
        await self._git("bundle", "create", "--quiet", str(path), *commits)
        return path

    async def _clone(self, part: Path) -> None:
        source, git = self._source, Git(directory=part.parent, environment=self._environment)
        await self._check_mirror(git)
        await git("clone", "--quiet", "--shared", "--no-checkout", "--no-tags", str(source.mirror), str(part))
        inside = Git(directory=part, environment=self._environment)
        # The agent runs as we do and could reach the mirror; this keeps it from pushing there without meaning to.
        await inside("remote", "set-url", "--push", "origin", NO_PUSH)
        (part / ".git/info").mkdir(exist_ok=True)
        with (part / ".git/info/exclude").open("a") as file:
            file.write("\n".join([f"/{NOTES}/", *LITTER, ""]))
        await inside("checkout", "--quiet", "--no-track", "-B", source.branch, source.commit)
        await inside("update-ref", BEGINNING, source.commit)

    async def _check_mirror(self, git: Git) -> None:
        source = self._source
        at = f"--git-dir={source.mirror}"
        if not source.mirror.is_dir() or not await git.succeeds(at, "rev-parse", "--git-dir"):
            raise NotARepository(source.mirror)
        if await git.succeeds(at, "rev-parse", "--verify", "-q", f"{source.commit}^{{commit}}"):
            return
        listed = await git(at, "for-each-ref", "--format=%(refname:short)", "refs/heads")
        if not listed:
            raise RepositoryEmpty
        raise BranchUnknown(source.base, tuple(listed.splitlines()[:KNOWN_BRANCHES]))

    async def _gather(self) -> None:
        """Bring the session's branch to where the agent is, whatever branch that made; the files stay as they are."""
        source = self._source
        if not await self._git.succeeds("merge-base", "--is-ancestor", source.commit, "HEAD"):
            await self._git("reset", "--quiet", "--soft", source.commit)
        where = await self._git("rev-parse", "--symbolic-full-name", "HEAD")
        if where != f"refs/heads/{source.branch}":
            head = await self._head()
            await self._git("update-ref", f"refs/heads/{source.branch}", head)
            await self._git("symbolic-ref", "HEAD", f"refs/heads/{source.branch}")

    async def _head(self) -> str:
        return await self._git("rev-parse", "HEAD")

    async def _numstat(self, *what: str) -> tuple[ChangedFile, ...]:
        quiet = ("--no-ext-diff", "--no-textconv", "--no-renames")
        output = await self._git("diff", "--numstat", "-z", *quiet, *what)
        return tuple(_changed_file(line) for line in output.split("\0") if line)


def _changed_file(line: str) -> ChangedFile:
    """One entry of `git diff --numstat -z`; a binary file counts no lines."""
    added, removed, path = line.split("\t", 2)
    return ChangedFile(path=path, added=_count(added), removed=_count(removed))


def _count(field: str) -> int:
    return int(field) if field.isdigit() else 0
