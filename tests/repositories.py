"""Real git repositories for tests, the same at every run: fixed names, dates and no configuration of the machine's."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT: Mapping[str, str] = {
    "PATH": f"{Path(shutil.which('git') or '/usr/bin/git').parent}:/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Dana",
    "GIT_AUTHOR_EMAIL": "dana@example.org",
    "GIT_AUTHOR_DATE": "2026-11-20T12:00:00Z",
    "GIT_COMMITTER_NAME": "Dana",
    "GIT_COMMITTER_EMAIL": "dana@example.org",
    "GIT_COMMITTER_DATE": "2026-11-20T12:00:00Z",
    "GIT_ALLOW_PROTOCOL": "file",
}


def git(directory: Path, *arguments: str) -> str:
    """Run git there; what it says on its output. Raises when it says no."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *arguments],
        cwd=directory,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def make_repository(directory: Path, *, branch: str = "main") -> Path:
    """A repository with a working tree and one commit of `README.md`."""
    directory.mkdir(parents=True)
    git(directory, "init", "--quiet", f"--initial-branch={branch}")
    commit(directory, {"README.md": "# widgets\n"}, "Begin")
    return directory


def make_remote(source: Path, directory: Path) -> Path:
    """A bare repository with all that is in the source."""
    git(source, "clone", "--quiet", "--bare", str(source), str(directory))
    return directory


def commit(directory: Path, files: Mapping[str, str], message: str) -> str:
    """Write the files and commit them; answers the commit."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(directory, "rev-parse", "HEAD")
