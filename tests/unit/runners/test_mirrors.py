"""Mirrors, with real repositories."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.mirrors import GitMirrors
from runners.refusals import classify
from sessions.ports import RepositoryUnusable
from tests.repositories import ENVIRONMENT, commit, git, make_remote, make_repository

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "source")


@pytest.fixture
def remote(source: Path, tmp_path: Path) -> Path:
    return make_remote(source, tmp_path / "remote.git")


@pytest.fixture
def mirrors(tmp_path: Path) -> GitMirrors:
    return GitMirrors(tmp_path / "mirrors", environment=ENVIRONMENT)


async def refusal(mirrors: GitMirrors, repository: str | Path) -> str:
    with pytest.raises(RepositoryUnusable) as refused:
        await mirrors.refresh(str(repository))
    return refused.value.detail


async def test_a_mirror_is_a_bare_repository_with_the_branches_of_its_repository(
    mirrors: GitMirrors, remote: Path
) -> None:
    mirror = await mirrors.refresh(str(remote))
    assert git(mirror, "rev-parse", "--is-bare-repository") == "true"
    assert git(mirror, "show", "main:README.md") == "# widgets"


async def test_a_second_refresh_brings_what_is_new_and_drops_what_is_gone(
    mirrors: GitMirrors, source: Path, remote: Path
) -> None:
    git(source, "push", "--quiet", str(remote), "main:passing")
    await mirrors.refresh(str(remote))
    head = commit(source, {"new.txt": "new"}, "Add")
    git(source, "push", "--quiet", str(remote), "main", ":passing")
    mirror = await mirrors.refresh(str(remote))
    assert await mirrors.resolve(str(remote), "main") == head
    assert git(mirror, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


async def test_a_history_that_was_rewritten_is_followed(mirrors: GitMirrors, source: Path, remote: Path) -> None:
    before = git(source, "rev-parse", "HEAD")
    mirror = await mirrors.refresh(str(remote))
    git(source, "commit", "--quiet", "--amend", "--message", "Begin again")
    git(source, "push", "--quiet", "--force", str(remote), "main")
    await mirrors.refresh(str(remote))
    assert await mirrors.resolve(str(remote), "main") == git(source, "rev-parse", "HEAD")
    assert git(mirror, "cat-file", "-t", before) == "commit"


@pytest.mark.parametrize("branch", ["main~0", "main^{tree}^", "main@{0}", "../tags/v1", "main:README.md", "-h", ""])
async def test_what_is_no_branches_name_is_no_branch(mirrors: GitMirrors, remote: Path, branch: str) -> None:
    git(remote, "tag", "v1", "main")
    await mirrors.refresh(str(remote))
    with pytest.raises(RepositoryUnusable):
        await mirrors.resolve(str(remote), branch)


async def test_a_git_that_takes_too_long_is_told_as_a_remote_out_of_reach(tmp_path: Path, remote: Path) -> None:
    hasty = GitMirrors(tmp_path / "hasty", environment=ENVIRONMENT, time_limit_s=0.0)
    assert "out of reach" in await refusal(hasty, remote)
    with pytest.raises(RepositoryUnusable, match="out of reach"):
        await hasty.resolve(str(remote), "main")
    with pytest.raises(RepositoryUnusable, match="out of reach"):
        await hasty.default_branch(str(remote))


async def test_a_mirror_that_does_not_answer_is_told_too(tmp_path: Path, mirrors: GitMirrors, remote: Path) -> None:
    await mirrors.refresh(str(remote))
    hasty = GitMirrors(tmp_path / "mirrors", environment=ENVIRONMENT, time_limit_s=0.0)
    with pytest.raises(RepositoryUnusable, match="out of reach"):
        await hasty.resolve(str(remote), "main")


async def test_a_mirror_is_found_once_it_was_fetched(mirrors: GitMirrors, remote: Path) -> None:
    assert await mirrors.find(str(remote)) is None
    assert await mirrors.refresh(str(remote)) == await mirrors.find(str(remote))


async def test_a_path_and_its_file_address_share_a_mirror(mirrors: GitMirrors, remote: Path) -> None:
    assert await mirrors.refresh(str(remote)) == await mirrors.refresh(f"file://{remote}")


async def test_the_default_branch_is_the_remotes(mirrors: GitMirrors, tmp_path: Path) -> None:
    source = make_repository(tmp_path / "other", branch="trunk")
    git(source, "branch", "aside")
    assert await mirrors.default_branch(str(source)) == "trunk"


async def test_a_default_branch_that_was_renamed_is_followed(mirrors: GitMirrors, source: Path) -> None:
    assert await mirrors.default_branch(str(source)) == "main"
    git(source, "branch", "--move", "trunk")
    assert await mirrors.default_branch(str(source)) == "trunk"


async def test_a_head_that_names_no_branch_is_answered_with_those_there_are(mirrors: GitMirrors, remote: Path) -> None:
    git(remote, "symbolic-ref", "HEAD", "refs/heads/gone")
    with pytest.raises(RepositoryUnusable) as refused:
        await mirrors.default_branch(str(remote))
    assert "Name one of: main." in refused.value.detail


async def test_many_who_ask_at_once_get_the_same_whole_mirror(tmp_path: Path, remote: Path) -> None:
    """Two processes would be two objects, as here."""
    both = [GitMirrors(tmp_path / "mirrors", environment=ENVIRONMENT) for _ in range(2)]
    found = await asyncio.gather(*(mirrors.refresh(str(remote)) for mirrors in both * 3))
    assert len(set(found)) == 1
    assert git(found[0], "fsck") == ""


async def test_no_configuration_of_the_mirror_names_the_remote(mirrors: GitMirrors, remote: Path) -> None:
    mirror = await mirrors.refresh(str(remote))
    every = b"".join(path.read_bytes() for path in mirror.rglob("*") if path.is_file())
    assert str(remote).encode() not in every


# ── what cannot be used ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_path_with_nothing_there_is_said_to_hold_nothing(mirrors: GitMirrors, tmp_path: Path) -> None:
    assert "nothing at" in await refusal(mirrors, tmp_path / "nowhere")


async def test_a_folder_that_is_no_repository_is_said_to_be_none(mirrors: GitMirrors, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert "no git repository there" in await refusal(mirrors, tmp_path / "plain")


async def test_an_empty_repository_is_told_to_get_a_first_commit(mirrors: GitMirrors, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "--quiet")
    assert "first commit" in await refusal(mirrors, tmp_path / "empty")


async def test_an_empty_repository_can_be_used_once_it_has_a_commit(mirrors: GitMirrors, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "--quiet", "--initial-branch=main")
    await refusal(mirrors, tmp_path / "empty")
    head = commit(tmp_path / "empty", {"a": "a"}, "Begin")
    await mirrors.refresh(str(tmp_path / "empty"))
    assert await mirrors.resolve(str(tmp_path / "empty"), "main") == head


async def test_a_missing_branch_is_answered_with_the_nearest_and_the_others(mirrors: GitMirrors, source: Path) -> None:
    for name in ("develop", "release"):
        git(source, "branch", name)
    with pytest.raises(RepositoryUnusable) as refused:
        await mirrors.resolve(str(source), "devlop")
    assert refused.value.detail == "It has no branch devlop. Did you mean develop? There are: main, develop, release."


@pytest.mark.parametrize("branch", ["", "--all", "a b", "main:README.md", "../../HEAD", "main^{tree}"])
async def test_what_cannot_be_a_branch_is_a_missing_branch(mirrors: GitMirrors, source: Path, branch: str) -> None:
    with pytest.raises(RepositoryUnusable, match="no branch"):
        await mirrors.resolve(str(source), branch)


@pytest.mark.parametrize("address", ["https://127.0.0.1:9/widgets.git", "ssh://git@127.0.0.1:9/widgets.git"])
async def test_a_host_that_does_not_answer_is_out_of_reach(mirrors: GitMirrors, address: str) -> None:
    said = await refusal(mirrors, address)
    if address.startswith("ssh:") and shutil.which("ssh") is None:
        assert "no ssh" in said
    else:
        assert "out of reach" in said or "is not known" in said or "no credential" in said


def test_a_machine_without_ssh_is_told_to_get_one() -> None:
    """The words are dash's and bash's, when git asks a shell to start what is not there."""
    for words in ("ssh -o BatchMode=yes: 1: ssh: not found", "bash: line 1: ssh: command not found"):
        assert "no ssh" in classify(words)[1]


@pytest.mark.parametrize("address", ["ext::sh -c touch% marker", "git://127.0.0.1/x", "ftp://127.0.0.1/x"])
async def test_other_protocols_are_refused(mirrors: GitMirrors, tmp_path: Path, address: str) -> None:
    assert "https:// or ssh://" in await refusal(mirrors, address)


@pytest.mark.parametrize("address", ["", " ", "--upload-pack=touch marker", "a\0b", "a\nb"])
async def test_what_is_no_address_is_refused(mirrors: GitMirrors, address: str) -> None:
    assert "no address" in await refusal(mirrors, address)


async def test_a_password_in_an_address_is_told_to_nobody(mirrors: GitMirrors) -> None:
    with pytest.raises(RepositoryUnusable) as refused:
        await mirrors.refresh("https://dana:hunter2@127.0.0.1:9/widgets.git")
    assert "hunter2" not in f"{refused.value.detail} {refused.value.repository} {refused.value}"


# ── hostile and broken ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_nothing_that_a_repository_configures_is_run(mirrors: GitMirrors, source: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for setting in ("core.fsmonitor", "core.sshCommand", "uploadpack.packObjectsHook", "core.alternateRefsCommand"):
        git(source, "config", setting, f"touch {marker};")
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        path = source / ".git/hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {marker}\n")
        path.chmod(0o755)
    await mirrors.refresh(str(source))
    commit(source, {"more": "more"}, "More")
    await mirrors.refresh(str(source))
    assert not marker.exists()


@pytest.mark.parametrize("damage", ["commit", "tree", "blob", "objects", "head", "config", "garbage"])
async def test_a_broken_mirror_is_made_again(tmp_path: Path, remote: Path, damage: str) -> None:
    mirror = await GitMirrors(tmp_path / "mirrors", environment=ENVIRONMENT).refresh(str(remote))
    match damage:
        case "commit" | "tree" | "blob":
            lost = git(mirror, "rev-parse", {"commit": "main", "tree": "main:", "blob": "main:README.md"}[damage])
            (mirror / "objects" / lost[:2] / lost[2:]).unlink()
        case "objects":
            shutil.rmtree(mirror / "objects")
            (mirror / "objects").mkdir()
        case "head":
            (mirror / "HEAD").write_text("")
        case "config":
            (mirror / "config").write_text("[core\n")
        case _:
            for name in mirror.rglob("*"):
                if name.is_file():
                    name.chmod(0o600)
                    name.write_bytes(b"\0garbage")
    await GitMirrors(tmp_path / "mirrors", environment=ENVIRONMENT).refresh(str(remote))
    assert git(mirror, "show", "main:README.md") == "# widgets"


async def test_locks_of_a_git_that_was_killed_do_not_make_a_mirror_again(
    mirrors: GitMirrors, source: Path, remote: Path
) -> None:
    mirror = await mirrors.refresh(str(remote))
    inode = mirror.stat().st_ino
    head = commit(source, {"new.txt": "new"}, "Add")
    git(source, "push", "--quiet", str(remote), "main")
    for lock in ("packed-refs.lock", "refs/heads/main.lock", "HEAD.lock"):
        (mirror / lock).touch()
    await mirrors.refresh(str(remote))
    assert await mirrors.resolve(str(remote), "main") == head
    assert mirror.stat().st_ino == inode


async def test_a_mirror_survives_its_remote_being_away(mirrors: GitMirrors, remote: Path, tmp_path: Path) -> None:
    mirror = await mirrors.refresh(str(remote))
    shutil.move(remote, tmp_path / "away.git")
    await refusal(mirrors, remote)
    assert git(mirror, "show", "main:README.md") == "# widgets"


async def test_what_a_killed_run_left_is_swept_away(mirrors: GitMirrors, remote: Path, tmp_path: Path) -> None:
    name = (await mirrors.refresh(str(remote))).name
    shutil.rmtree(tmp_path / "mirrors" / name)
    (tmp_path / "mirrors" / f"{name}.part.abc").mkdir()
    await mirrors.refresh(str(remote))
    assert [path.name for path in (tmp_path / "mirrors").iterdir() if path.is_dir()] == [name]


async def test_a_data_directory_that_cannot_be_written_is_said(tmp_path: Path, remote: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    mirrors = GitMirrors(tmp_path / "file" / "mirrors", environment=ENVIRONMENT)
    assert await refusal(mirrors, remote)


@pytest.mark.skipif(not IS_ROOT, reason="only root can make a repository of somebody else's")
async def test_root_may_use_a_repository_that_belongs_to_somebody_else(mirrors: GitMirrors, somebodys: Path) -> None:
    mirror = await mirrors.refresh(str(somebodys))
    assert git(mirror, "show", "main:README.md") == "# widgets"


@pytest.fixture
def somebodys(remote: Path) -> Iterator[Path]:
    """A repository of another user's, where that user can reach it."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        moved = Path(shutil.copytree(remote, Path(directory) / "remote.git"))
        subprocess.run(["chown", "-R", "12345:12345", str(moved)], check=True)
        yield moved
