"""The program as people run it: processes of their own, in an environment of their own."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.database import short_folder

LIMIT_S = 60.0
PERSON = "dana"
_SCRIPTED = Path(__file__).parent / "agents" / "scripted.py"
_GIT_CONFIG = "[user]\n\tname = Dana Seed\n\temail = dana@example.org\n[init]\n\tdefaultBranch = main\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """`viberator` for one person in one folder: HOME and data are below it. `extra` is more of its environment."""

    folder: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],  # noqa: TID251 (the programs that a test machine has)
            "HOME": str(self.folder / "home"),
            "USER": PERSON,
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "VIBERATOR_DATA_DIR": str(self.data),
            **self.extra,
        }

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "bot", *words]

    def run(self, *words: str, lines: str = "", limit_s: float = LIMIT_S) -> Ended:
        """Run it to its end with these lines piped in."""
        done = subprocess.run(
            self.command(*words),
            input=lines,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            timeout=limit_s,
            check=False,
        )
        return Ended(code=done.returncode, out=done.stdout, err=done.stderr)

    @contextmanager
    def started(self, *words: str) -> Iterator["subprocess.Popen[str]"]:
        """The running program, with pipes at all sides; ended with the block."""
        with subprocess.Popen(
            self.command(*words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                    process.communicate(timeout=LIMIT_S)

    def agent(self, script: Mapping[str, object], name: str = "the script.json") -> str:
        """The command line of an agent that does what the script says (tests/agents/scripted.py)."""
        file = self.folder / name
        file.write_text(json.dumps(script), encoding="utf-8")
        return shlex.join([sys.executable, str(_SCRIPTED), str(file)])

    def repository(self, name: str, *branches: str) -> Path:
        """A repository with one commit, and these branches beside main."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        self.git(folder, "init", "--quiet")
        (folder / "README.md").write_text("# Hello\n")
        self.git(folder, "add", ".")
        self.git(folder, "commit", "--quiet", "--message", "First")
        for branch in branches:
            self.git(folder, "branch", branch)
        return folder

    def git(self, folder: Path, *words: str) -> str:
        """Git as the person runs it; its output."""
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", *words],
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def but(self, **extra: str) -> "Program":
        """The same with more in its environment."""
        return replace(self, extra={**self.extra, **extra})


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder with a HOME in it, in which git knows who the person is."""
    with short_folder() as folder:
        # A server of ours runs as an ordinary user where we are root, and passes through here.
        folder.chmod(0o755)
        (folder / "home").mkdir()
        (folder / "home" / ".gitconfig").write_text(_GIT_CONFIG)
        yield folder


@pytest.fixture
def program() -> Iterator[Program]:
    """The program with an empty HOME, nothing in its data directory, and a private database."""
    with own_folder() as folder:
        yield Program(folder=folder)


@pytest.fixture
def served_program(program: Program, database_url: str) -> Program:
    """The program on a database server that runs already, which spares each test the start of one."""
    return program.but(DATABASE_URL=database_url)


def normalised(text: str, folder: Path) -> str:
    """The text without what differs between two runs of the same story."""
    told = text.replace(str(folder), "FOLDER")
    told = re.sub(r"viberator/[2-9a-z]{5}-", "viberator/KEY-", told)
    told = re.sub(r"(?<=\()[2-9a-z]{5}(?= (is over|waits|rests|has failed))", "KEY", told)
    told = re.sub(r"\b\d+m\d\ds\b", "0m00s", told)
    told = re.sub(r"\b\d\d:\d\d\b", "00:00", told)
    return re.sub(r"(?m)^[0-9a-f]{7,} ", "SHA ", told)


def assert_in_order(text: str, *pieces: str) -> None:
    """Each of the pieces comes after the one before it."""
    at = 0
    for piece in pieces:
        found = text.find(piece, at)
        assert found >= 0, f"{piece!r} does not come where it should in\n{text}"
        at = found + len(piece)
