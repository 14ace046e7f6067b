"""The repository's own files, as the tests about it read them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("bot", "conversations", "runners", "sessions", "storage", "web")


def tracked() -> list[Path]:
    """Every file git knows of that is still there, relative to the root."""
    # Another user's clone is what CI tests, and git refuses to read it unless told that it may.
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def texts() -> Iterator[tuple[Path, str]]:
    """Every tracked file that is text, with what it says."""
    for path in tracked():
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def sources() -> Iterator[tuple[Path, str]]:
    """Every tracked Python file."""
    return ((path, text) for path, text in texts() if path.suffix == ".py")
