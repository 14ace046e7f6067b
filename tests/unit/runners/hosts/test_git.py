"""Publishing to a plain git remote, with real repositories and real bundles."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from runners.errors import GitFailed
from runners.git import Git
from runners.hosts.git import GitHost, PublishLimits
from runners.hosts.quarantine import Quarantine
from runners.mirrors import GitMirrors
from sessions.errors import PublishRefused
from sessions.models import Diffstat, Project, Publication, Session
from tests.fakes_desk import PROJECT, SESSION
from tests.repositories import ENVIRONMENT, commit, git, make_remote, make_repository

BRANCH = SESSION.branch


@dataclass
class Work:
    """A remote, a clone with a branch of work in it, and the host that publishes it."""

    directory: Path
    remote: Path
    clone: Path
    project: Project
    session: Session = SESSION
    limits: PublishLimits = field(default_factory=PublishLimits)

    @property
    def mirrors(self) -> GitMirrors:
        return GitMirrors(self.directory / "mirrors", environment=ENVIRONMENT)

    def change(self, files: dict[str, str], message: str = "Change") -> str:
        return commit(self.clone, files, message)

    def bundle(self, *what: str) -> Path:
        path = self.directory / "work.bundle"
        git(self.clone, "bundle", "create", "--quiet", str(path), *(what or ("^origin/main", BRANCH)))
        return path

    async def publish(
        self, bundle: Path | None = None, *, branch: str = BRANCH, base: str = "main", head: str = ""
    ) -> Publication:
        host = GitHost(self.mirrors, self.directory / "hosts", environment=ENVIRONMENT, limits=self.limits)
        return await host.publish(
            project=self.project,
            session=self.session,
            bundle=bundle or self.bundle(),
            branch=branch,
            base=base,
            head=head or git(self.clone, "rev-parse", "HEAD"),
        )

    async def refusal(self, bundle: Path | None = None, *, branch: str = BRANCH, head: str = "") -> tuple[str, str]:
        with pytest.raises(PublishRefused) as refused:
            await self.publish(bundle, branch=branch, head=head)
        return refused.value.kind, refused.value.detail

    def published(self) -> str:
        return git(self.remote, "for-each-ref", "--format=%(objectname)", f"refs/heads/{BRANCH}")


@pytest.fixture
def work(tmp_path: Path) -> Work:
    remote = make_remote(make_repository(tmp_path / "source"), tmp_path / "remote.git")
    git(tmp_path, "clone", "--quiet", str(remote), "clone")
    git(tmp_path / "clone", "checkout", "--quiet", "-b", BRANCH)
    return Work(tmp_path, remote, tmp_path / "clone", replace(PROJECT, repository=str(remote)))


async def test_a_bundle_becomes_a_branch_of_the_remote(work: Work) -> None:
    work.change({"a.txt": "one\ntwo\n"})
    head = work.change({"README.md": "# better widgets\n"})
    published = await work.publish()
    assert work.published() == head
    assert published == Publication(
        branch=BRANCH,
        base="main",
        head=head,
        diffstat=Diffstat(files=2, added=3, removed=1),
        compare=f"git diff main...{BRANCH}",
    )


async def test_the_command_that_compares_runs_nothing_else(work: Work) -> None:
    odd = "main;echo${IFS}more"
    git(work.directory / "source", "push", "--quiet", str(work.remote), f"main:refs/heads/{odd}")
    work.change({"a.txt": "a"})
    published = await work.publish(base=odd)
    assert words_of_a_shell(published.compare) == ["git", "diff", f"{odd}...{BRANCH}"]


def words_of_a_shell(command: str) -> list[str]:
    said = subprocess.run(["sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True)
    return said.stdout.splitlines()


async def test_publishing_the_same_head_again_changes_nothing_and_answers_the_same(work: Work) -> None:
    work.change({"a.txt": "a"})
    first = await work.publish()
    refuse_all_pushes(work.remote, "no more pushes")
    assert await work.publish() == first


async def test_more_commits_move_the_branch_forward(work: Work) -> None:
    work.change({"a.txt": "a"})
    await work.publish()
    head = work.change({"b.txt": "b"})
    await work.publish()
    assert work.published() == head


async def test_a_branch_that_somebody_else_moved_is_not_overwritten(work: Work) -> None:
    work.change({"a.txt": "a"})
    await work.publish()
    git(work.directory, "clone", "--quiet", "--branch", BRANCH, str(work.remote), "other")
    theirs = commit(work.directory / "other", {"theirs.txt": "theirs"}, "Theirs")
    git(work.directory / "other", "push", "--quiet", "origin", BRANCH)
    work.change({"b.txt": "b"})
    kind, detail = await work.refusal()
    assert kind == "host_refused"
    assert "Somebody else" in detail
    assert work.published() == theirs


async def test_the_base_may_have_moved_on_meanwhile(work: Work) -> None:
    work.change({"a.txt": "a"})
    commit(work.directory / "source", {"main.txt": "main"}, "On main")
    git(work.directory / "source", "push", "--quiet", str(work.remote), "main")
    published = await work.publish()
    assert published.diffstat == Diffstat(files=1, added=1, removed=0)


async def test_nothing_is_left_behind(work: Work) -> None:
    work.change({"a.txt": "a"})
    (work.directory / "hosts").mkdir()
    (work.directory / "hosts" / f"{SESSION.id}.part.killed").mkdir()
    await work.publish()
    assert [path.name for path in (work.directory / "hosts").iterdir()] == [f"{SESSION.id}.lock"]


# ── policy ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("branch", ["main", "viberator/other", "viberator/../main", f"{BRANCH}:refs/heads/main"])
async def test_only_the_sessions_own_branch_may_be_published(work: Work, branch: str) -> None:
    work.change({"a.txt": "a"})
    assert (await work.refusal(branch=branch))[0] == "policy"


async def test_a_session_whose_branch_has_another_prefix_publishes_nothing(work: Work) -> None:
    work.change({"a.txt": "a"})
    work.session = replace(SESSION, branch="main")
    assert (await work.refusal(branch="main"))[0] == "policy"


async def test_the_head_must_be_the_one_the_bundle_brings(work: Work) -> None:
    before = work.change({"a.txt": "a"})
    work.change({"b.txt": "b"})
    assert (await work.refusal(head=before))[0] == "policy"
    assert (await work.refusal(head="main"))[0] == "policy"
    assert not work.published()


async def test_a_bundle_with_a_second_branch_is_refused(work: Work) -> None:
    work.change({"a.txt": "a"})
    git(work.clone, "branch", "viberator/second")
    bundle = work.bundle("^origin/main", BRANCH, "viberator/second")
    assert (await work.refusal(bundle))[0] == "policy"


async def test_a_branch_without_common_history_is_refused(work: Work) -> None:
    git(work.clone, "checkout", "--quiet", "--orphan", "new")
    work.change({"a.txt": "a"})
    git(work.clone, "branch", "--quiet", "--force", BRANCH)
    kind, detail = await work.refusal(work.bundle(BRANCH))
    assert (kind, "no history in common" in detail) == ("policy", True)


async def test_a_branch_without_a_commit_of_its_own_is_refused(work: Work) -> None:
    kind, detail = await work.refusal(work.bundle(BRANCH))
    assert (kind, "no commit" in detail) == ("policy", True)


async def test_a_branch_on_commits_that_the_repository_never_had_is_refused(work: Work) -> None:
    work.change({"secret.txt": "never pushed"})
    git(work.clone, "tag", "unknown")
    work.change({"a.txt": "a"})
    kind, detail = await work.refusal(work.bundle("^unknown", BRANCH))
    assert (kind, "never had" in detail) == ("policy", True)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("setup.py", "setup.py"),
        (".github/**", ".github/workflows/ci.yml"),
        (".github", ".github/workflows/ci.yml"),
        ("infra/", "infra/main.tf"),
        ("*.lock", "deep/down/poetry.lock"),
    ],
)
async def test_a_protected_path_is_not_published(work: Work, pattern: str, path: str) -> None:
    work.project = replace(work.project, protected_paths=(pattern,))
    work.change({path: "changed", "other.txt": "fine"})
    kind, detail = await work.refusal()
    assert (kind, path in detail) == ("policy", True)
    assert not work.published()


async def test_a_protected_path_changed_and_changed_back_is_still_refused(work: Work) -> None:
    """Every commit of the branch is published, not only its last."""
    work.project = replace(work.project, protected_paths=("README.md",))
    work.change({"README.md": "leak"})
    work.change({"README.md": "# widgets\n", "a.txt": "a"})
    assert (await work.refusal())[0] == "policy"


async def test_a_history_that_cannot_be_looked_through_is_not_taken_for_harmless(work: Work) -> None:
    work.change({"setup.py": "changed"})
    quarantine = Quarantine(Git(ENVIRONMENT), work.clone / ".git")
    for asked in (quarantine.touched, quarantine.diffstat):
        with pytest.raises(GitFailed):
            await asked("0" * 40, "HEAD")


async def test_a_path_that_only_looks_protected_is_published(work: Work) -> None:
    work.project = replace(work.project, protected_paths=("setup.py", "infra/"))
    head = work.change({"docs/setup.py": "", "infrastructure.md": "x"})
    await work.publish()
    assert work.published() == head


async def test_a_bundle_over_the_limit_is_refused(work: Work) -> None:
    work.limits = PublishLimits(bundle_bytes=2000)
    work.change({"big.txt": os.urandom(4000).hex()})
    kind, detail = await work.refusal()
    assert (kind, "0.0 MB" in detail) == ("policy", True)


# ── broken and malicious bundles ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "content", [b"", b"not a bundle", b"# v2 git bundle\n", b"# v3 git bundle\n@filter=blob:none\n\n", b"\0" * 10_000]
)
async def test_what_is_no_bundle_is_refused(work: Work, content: bytes) -> None:
    work.change({"a.txt": "a"})
    bundle = work.directory / "odd.bundle"
    bundle.write_bytes(content)
    assert (await work.refusal(bundle))[0] == "policy"


async def test_a_bundle_that_is_cut_short_is_refused(work: Work) -> None:
    work.change({"a.txt": os.urandom(2000).hex()})
    bundle = work.bundle()
    bundle.write_bytes(bundle.read_bytes()[:-500])
    kind, detail = await work.refusal(bundle)
    assert (kind, "git's checks" in detail) == ("policy", True)


async def test_a_tree_that_writes_into_dot_git_is_refused(work: Work) -> None:
    """`.git` as a path is what fsckObjects is for."""
    work.change({"payload": "#!/bin/sh\n"})
    blob = git(work.clone, "rev-parse", "HEAD:payload")
    entry = b"100755 .GIT\0" + bytes.fromhex(blob)
    tree = feed(work.clone, entry, "hash-object", "-t", "tree", "-w", "--stdin", "--literally")
    evil = git(work.clone, "commit-tree", tree, "-p", "HEAD", "-m", "Evil")
    git(work.clone, "update-ref", f"refs/heads/{BRANCH}", evil)
    kind, detail = await work.refusal(head=evil)
    assert (kind, "hasDotgit" in detail) == ("policy", True)
    assert not work.published()


async def test_a_bundle_that_lacks_an_object_is_refused(work: Work) -> None:
    work.change({"a.txt": "a"})
    git(work.clone, "tag", "first")
    work.change({"b.txt": "b"})
    whole = work.bundle("^first", BRANCH)
    head, _, pack = whole.read_bytes().partition(b"\n\n")
    lines = [line for line in head.split(b"\n") if not line.startswith(b"-")]
    whole.write_bytes(b"\n".join(lines) + b"\n\n" + pack)
    assert (await work.refusal(whole))[0] == "policy"


# ── what the remote says ────────────────────────────────────────────────────────────────────────────────────────────


def refuse_all_pushes(remote: Path, *words: str) -> None:
    hook = remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in words) + "exit 1\n")
    hook.chmod(0o755)


async def test_a_hook_that_refuses_is_quoted(work: Work) -> None:
    refuse_all_pushes(work.remote, "Only on Tuesdays.", "Ask \033[31mOps\033[0m; see https://bob:hunter2@wiki/rules.")
    work.change({"a.txt": "a"})
    kind, detail = await work.refusal()
    assert kind == "host_refused"
    assert detail.startswith("Only on Tuesdays.\nAsk Ops; see https://wiki/rules.")
    assert "pre-receive hook declined" in detail


async def test_a_remote_that_is_away_is_said(work: Work) -> None:
    work.change({"a.txt": "a"})
    bundle = work.bundle()
    await work.mirrors.refresh(str(work.remote))
    shutil.move(work.remote, work.directory / "away.git")
    assert await work.refusal(bundle)


async def test_a_push_whose_answer_was_lost_counts_when_the_branch_is_there(work: Work) -> None:
    """The remote takes the branch and then fails, as a connection that breaks after the effect."""
    hook = work.remote / "hooks/post-update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nkill -9 $PPID\n")
    hook.chmod(0o755)
    head = work.change({"a.txt": "a"})
    assert (await work.publish()).head == head
    assert work.published() == head


@pytest.fixture
def answering() -> Iterator[Callable[[int], str]]:
    """Starts a host that answers everything with one status; answers its address."""
    servers: list[HTTPServer] = []

    def start(status: int) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.send_header("WWW-Authenticate", 'Basic realm="widgets"')
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@dataclass
class KnownMirror:
    """The mirror of one repository under every address, for hosts that refuse even to be read."""

    mirrors: GitMirrors
    remote: str

    async def refresh(self, repository: str) -> Path:
        return await self.mirrors.refresh(self.remote)

    async def find(self, repository: str) -> Path | None:
        return await self.mirrors.find(self.remote)

    async def resolve(self, repository: str, branch: str) -> str:
        return await self.mirrors.resolve(self.remote, branch)

    async def default_branch(self, repository: str) -> str:
        return await self.mirrors.default_branch(self.remote)


@pytest.mark.parametrize(
    ("status", "kind", "words"), [(403, "host_refused", "403"), (401, "credentials", "credential")]
)
async def test_a_host_that_refuses_the_bot_is_quoted_without_the_password(
    work: Work, answering: Callable[[int], str], status: int, kind: str, words: str
) -> None:
    work.change({"a.txt": "a"})
    project = replace(work.project, repository=f"http://dana:hunter2@{answering(status)}/widgets.git")
    host = GitHost(KnownMirror(work.mirrors, str(work.remote)), work.directory / "hosts", environment=ENVIRONMENT)
    head = git(work.clone, "rev-parse", "HEAD")
    with pytest.raises(PublishRefused) as refused:
        await host.publish(
            project=project, session=SESSION, bundle=work.bundle(), branch=BRANCH, base="main", head=head
        )
    assert refused.value.kind == kind
    assert words in refused.value.detail
    assert "hunter2" not in str(refused.value)


@pytest.fixture
def somebodys(work: Work) -> Iterator[Path]:
    """The remote as another user's, where that user can reach it, with a hook that tells who runs it."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        moved = Path(shutil.copytree(work.remote, Path(directory) / "remote.git"))
        witness = moved / "hooks/post-update"
        witness.parent.mkdir(exist_ok=True)
        witness.write_text(f"#!/bin/sh\nid -u > {moved}/who\n")
        witness.chmod(0o755)
        subprocess.run(["chown", "-R", "12345:12345", str(moved)], check=True)
        yield moved


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a repository of somebody else's")
async def test_root_pushes_into_somebody_elses_repository_as_that_user(work: Work, somebodys: Path) -> None:
    work.project = replace(work.project, repository=str(somebodys))
    work.change({"a.txt": "a"})
    await work.publish()
    assert (somebodys / "who").read_text().strip() == "12345"
    assert {path.stat().st_uid for path in every(somebodys)} == {12345}


def every(directory: Path) -> list[Path]:
    return list(directory.rglob("*"))


def feed(directory: Path, content: bytes, *arguments: str) -> str:
    """What git answers to the content on its input."""
    done = subprocess.run(["git", *arguments], cwd=directory, input=content, capture_output=True, check=True)
    return done.stdout.decode().strip()
