"""The sample project of `viberator demo`: a small billing package whose tests are red, with a bare remote beside it.

Its files and its history are in `project/`; commits come out with the same ids on every machine.
"""

import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = "widgets"
BRANCH = "main"
TITLE = "Fix the failing billing test"
DESCRIPTION = "The tests are red since customers may have no discount. Find out why, and make them green."
TEST_COMMAND = "python3 -m tests"

_SOURCE = Path(__file__).with_name("project")
_GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """`remote` is the bare repository that work is taken from and pushed to, `checkout` a clone to look at."""

    remote: Path
    checkout: Path


def make(directory: Path) -> Sample:
    """Make the sample below `directory`, which need not exist; what is made already is left as it is."""
    made = Sample(remote=directory / f"{PROJECT}.git", checkout=directory / PROJECT)
    directory.mkdir(parents=True, exist_ok=True)
    if _git("--git-dir", str(made.remote), "rev-parse", "--verify", "--quiet", f"refs/heads/{BRANCH}").returncode:
        _checked("init", "--quiet", "--bare", "--template=", f"--initial-branch={BRANCH}", str(made.remote))
        _checked("--git-dir", str(made.remote), "fast-import", "--quiet", given=b"".join(_history()))
    if not made.checkout.exists():
        _checked("clone", "--quiet", "--template=", str(made.remote), str(made.checkout))
    return made


def _history() -> Iterator[bytes]:
    """The commits as git-fast-import(1) reads them."""
    listed = tomllib.loads((_SOURCE / "commits.toml").read_text(encoding="utf-8"))
    for commit in listed["commits"]:
        yield f"commit refs/heads/{BRANCH}\n".encode()
        yield f"author {commit['author']} {commit['date']} +0000\n".encode()
        yield f"committer {commit['author']} {commit['date']} +0000\n".encode()
        yield _data(f"{commit['message']}\n".encode())
        folder = _SOURCE / commit["folder"]
        for file in sorted(path for path in folder.rglob("*.txt") if path.is_file()):
            name = file.relative_to(folder).as_posix().removesuffix(".txt").replace("dot-", ".")
            yield f"M 100644 inline {name}\n".encode() + _data(file.read_bytes())


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _git(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*_GIT, *arguments], input=given, capture_output=True, check=False)


def _checked(*arguments: str, given: bytes = b"") -> None:
    done = _git(*arguments, given=given)
    if done.returncode:
        raise SampleFailed(done.stderr.decode(errors="replace").strip())


class SampleFailed(Exception):
    """The sample could not be made; `words` is what git said."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words
