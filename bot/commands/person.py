"""Who sits at this terminal."""

import getpass
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sessions.models import InstallationId, Person, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """The person at this terminal: their login, and what git knows of them."""

    login: str
    name: str
    email: str | None

    def at(self, installation: InstallationId) -> Person:
        return Person(
            installation=installation, external_id=self.login, name=self.name, email=self.email, role=Role.ADMIN
        )


def somebody_here(environ: Mapping[str, str], directory: Path) -> Somebody:
    login = environ.get("USER") or environ.get("LOGNAME") or getpass.getuser()
    return Somebody(
        login=login, name=_git_config("user.name", directory) or login, email=_git_config("user.email", directory)
    )


def _git_config(key: str, directory: Path) -> str | None:
    found = subprocess.run(
        ["git", "config", "--get", key], cwd=directory, capture_output=True, text=True, check=False
    ).stdout.strip()
    return found or None
