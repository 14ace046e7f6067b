"""The workspace on real repositories, with an agent that does to them what it likes."""

from pathlib import Path

import pytest

from runners.worker.commits import Story
from runners.worker.errors import BranchUnknown, GitFailed, NotARepository, NothingToPublish, RepositoryEmpty
from runners.worker.workspace import Author, Source, Workspace
from tests.repositories import ENVIRONMENT, commit, git, make_remote, make_repository

BRANCH = "viberator/4f2ab-fix"
STORY = Story(title="Fix it", ticket="4f2ab", requester="Dana <dana@example.org>")
AUTHOR = Author(name="Dana", email="dana@example.org")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    source = make_repository(tmp_path / "source")
    commit(source, {"app.py": "answer = 41\n", "data.bin": "x"}, "Add the app")
    return make_remote(source, tmp_path / "mirror.git")


def workspace(tmp_path: Path, mirror: Path, commit_: str | None = None) -> Workspace:
    base = commit_ or git(mirror, "rev-parse", "main")
    source = Source(mirror=mirror, base="main", commit=base, branch=BRANCH)
    (tmp_path / "state").mkdir(exist_ok=True)
    return Workspace(tmp_path / "workspace", tmp_path / "state", source, AUTHOR, {"PATH": ENVIRONMENT["PATH"]})


def list_names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def published(tmp_path: Path, mirror: Path, bundle: Path) -> str:
    git(mirror, "fetch", "-q", str(bundle), f"{BRANCH}:published")
    return git(mirror, "log", "--format=%an|%cn|%s", "main..published")


async def test_changes_become_one_commit_of_the_requester(tmp_path: Path, mirror: Path) -> None:
    made = workspace(tmp_path, mirror)
    assert await made.prepare()
    assert not await made.changed()
    (made.path / "app.py").write_text("answer = 42\n")
    (made.path / "new").mkdir()
    (made.path / "new/file.txt").write_text("1\n2\n")
    (made.path / ".viberator").mkdir()
    (made.path / ".viberator/research.md").write_text("not for git")
    assert await made.changed()
    done = await made.commit(STORY)
    assert (done.subject, done.diffstat.files, done.diffstat.added, done.diffstat.removed) == ("Fix it", 2, 3, 1)
    assert published(tmp_path, mirror, await made.bundle()) == "Dana|Viberator|Fix it"


async def test_what_running_a_program_leaves_behind_is_no_change(tmp_path: Path, mirror: Path) -> None:
    made = workspace(tmp_path, mirror)
    await made.prepare()
    for litter in ("pkg/__pycache__/app.cpython-311.pyc", "node_modules/left/pad.js", ".pytest_cache/README.md"):
        (made.path / litter).parent.mkdir(parents=True)
        (made.path / litter).write_text("x")
    assert not await made.changed()


async def test_no_change_is_nothing_to_publish(tmp_path: Path, mirror: Path) -> None:
    made = workspace(tmp_path, mirror)
    await made.prepare()
    with pytest.raises(NothingToPublish):
        await made.commit(STORY)


async def test_the_agents_own_commits_are_kept_with_what_it_left_uncommitted(tmp_path: Path, mirror: Path) -> None:
    made = workspace(tmp_path, mirror)
    await made.prepare()
    commit(made.path, {"app.py": "answer = 43\n"}, "Try 43")
    (made.path / "app.py").write_text("answer = 42\n")
    await made.commit(STORY)
    assert published(tmp_path, mirror, await made.bundle()) == "Dana|Viberator|Fix it\nDana|Dana|Try 43"


@pytest.mark.parametrize("how", [("switch", "-q", "-c", "mine"), ("checkout", "-q", "--detach")])
async def test_commits_on_another_branch_are_brought_to_ours(
    tmp_path: Path, mirror: Path, how: tuple[str, ...]
) -> None:
    made = workspace(tmp_path, mirror)
    await made.prepare()
    git(made.path, *how)
    commit(made.path, {"app.py": "answer = 42\n"}, "Mine")
    assert await made.changed()
    await made.commit(STORY)
    assert git(made.path, "rev-parse", "--abbrev-ref", "HEAD") == BRANCH
    assert published(tmp_path, mirror, await made.bundle()) == "Dana|Dana|Mine"


async def test_a_history_that_was_rewritten_becomes_one_commit_on_the_base(tmp_path: Path, mirror: Path) -> None:
    made = workspace(tmp_path, mirror)
    await made.prepare()
    git(made.path, "checkout", "-q", "--orphan", "fresh")
    commit(made.path, {"app.py": "answer = 42\n"}, "Begin again")
    await made.commit(STORY)
    assert published(tmp_path, mirror, await made.bundle()) == "Dana|Viberator|Fix it"
    assert git(mirror, "diff", "--name-only", "main", "published") == "app.py"


async def test_hooks_and_settings_of_the_agent_do_not_run(tmp_path: Path, mirror: Path) -> None:
    made = workspace(tmp_path, mirror)
    await made.prepare()
    hooks = made.path / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-checkout"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (hooks / name).chmod(0o755)
    for setting in ("core.fsmonitor", "diff.external", "core.editor", "core.pager", "gpg.program"):
        git(made.path, "config", setting, f"touch {tmp_path}/ran; false")
    git(made.path, "config", "commit.gpgSign", "true")
    (made.path / "app.py").write_text("answer = 42\n")
    await made.commit(STORY)
    await made.bundle()
    assert await made.checkpoint() is not None
    assert list_names(tmp_path).isdisjoint({"ran"})


async def test_a_checkpoint_keeps_all_files_and_moves_nothing(tmp_path: Path, mirror: Path) -> None:
    made = workspace(tmp_path, mirror)
    await made.prepare()
    assert await made.checkpoint() is None
    (made.path / "app.py").write_text("answer = 42\n")
    (made.path / "new.txt").write_text("new")
    git(made.path, "add", "new.txt")
    before = git(made.path, "status", "--porcelain")
    saved = await made.checkpoint()
    assert saved is not None
    sha, files = saved
    assert files == 2
    assert git(made.path, "show", f"{sha}:new.txt") == "new"
    assert git(made.path, "status", "--porcelain") == before
    assert git(made.path, "rev-parse", "HEAD") == git(mirror, "rev-parse", "main")


async def test_a_workspace_that_is_there_is_used_again_from_where_it_began(tmp_path: Path, mirror: Path) -> None:
    made = workspace(tmp_path, mirror)
    await made.prepare()
    (made.path / "app.py").write_text("answer = 42\n")
    moved = commit(tmp_path / "source", {"other.py": "x\n"}, "Meanwhile")
    git(mirror, "fetch", "-q", str(tmp_path / "source"), "main:main")
    again = workspace(tmp_path, mirror, moved)
    assert not await again.prepare()
    done = await again.commit(STORY)
    assert done.diffstat.files == 1
    await again.bundle()


async def test_half_a_clone_is_made_again(tmp_path: Path, mirror: Path) -> None:
    (tmp_path / "workspace.part").mkdir()
    (tmp_path / "workspace/.git").mkdir(parents=True)
    made = workspace(tmp_path, mirror)
    assert await made.prepare()
    assert not await made.changed()


async def test_the_agent_cannot_push_to_the_mirror_by_mistake(tmp_path: Path, mirror: Path) -> None:
    made = workspace(tmp_path, mirror)
    await made.prepare()
    assert git(made.path, "remote", "get-url", "--push", "origin").startswith("viberator://")


async def test_a_binary_file_counts_no_lines(tmp_path: Path, mirror: Path) -> None:
    made = workspace(tmp_path, mirror)
    await made.prepare()
    (made.path / "image.bin").write_bytes(bytes(range(256)) * 10)
    (made.path / "na\tme\n.txt").write_text("odd name\n")
    done = await made.commit(STORY)
    assert (done.diffstat.files, done.diffstat.added) == (2, 1)


async def test_an_unfinished_merge_is_told(tmp_path: Path, mirror: Path) -> None:
    made = workspace(tmp_path, mirror)
    await made.prepare()
    (made.path / ".git/index.lock").write_text("")
    (made.path / "app.py").write_text("answer = 42\n")
    with pytest.raises(GitFailed, match=r"index\.lock"):
        await made.commit(STORY)


async def test_bad_mirrors_are_told_apart(tmp_path: Path, mirror: Path) -> None:
    unknown = "1" * 40
    with pytest.raises(BranchUnknown) as branch:
        await workspace(tmp_path, mirror, unknown).prepare()
    assert branch.value.known == ("main",)
    with pytest.raises(NotARepository):
        await workspace(tmp_path, tmp_path / "nothing", unknown).prepare()
    empty = tmp_path / "empty.git"
    empty.mkdir()
    git(empty, "init", "-q", "--bare")
    with pytest.raises(RepositoryEmpty):
        await workspace(tmp_path, empty, unknown).prepare()
