"""A repository of a size that teams have, made the same on every machine."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

FILES = 800
COMMITS = 200
BRANCH = "main"
_LINES = "\n".join(f"    total += round(lines[{n}].price * lines[{n}].count, 2)" for n in range(40))
_AUTHOR = "Dana <dana@example.com> 1763640000 +0000"


def make(repository: Path) -> Path:
    """A bare repository."""
    subprocess.run(
        ["git", "init", "--quiet", "--bare", "--template=", f"--initial-branch={BRANCH}", str(repository)], check=True
    )
    subprocess.run(
        ["git", "-C", str(repository), "fast-import", "--quiet"], input="".join(_history()).encode(), check=True
    )
    return repository


def _history() -> Iterator[str]:
    """As git-fast-import(1) reads it."""
    for commit in range(COMMITS):
        message = f"Change {commit}\n"
        yield f"commit refs/heads/{BRANCH}\ncommitter {_AUTHOR}\ndata {len(message)}\n{message}\n"
        for file in range(FILES) if commit == 0 else range(commit, commit + 3):
            text = f"# {file}.{commit}\ndef total_{file}(lines):\n{_LINES}\n"
            yield f"M 100644 inline src/billing/part_{file // 40}/lines_{file}.py\ndata {len(text)}\n{text}\n"
