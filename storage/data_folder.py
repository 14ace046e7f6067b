"""The embedded PostgreSQL's folder: who may enter it, where its socket goes, and its passwords."""

import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from storage.binaries import ServerUser
from storage.cluster import write_private
from storage.errors import EmbeddedUnavailable

_SOCKET_PATH_LIMIT = 100
_SOCKET_NAME = "/.s.PGSQL.5432"
_SHORT_DIR = Path("/tmp")  # noqa: S108 - the socket's own directory in it is checked to be ours alone


def make_folder(data_dir: Path, user: ServerUser | None) -> Path:
    """`data_dir`/postgres, made if missing, which `user` can enter but not list."""
    folder = data_dir.resolve() / "postgres"
    if user is not None:
        _require_way(folder.parent.parent, user)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if user is not None:
        for ours in (folder, folder.parent):
            _let_enter(ours)
        _require_way(folder, user)
    return folder


def socket_dir(folder: Path, user: ServerUser | None) -> Path:
    """Where the server's socket is; a short path when `folder` lies too deep for one (`sun_path` has 104 bytes)."""
    beside = folder / "run"
    if len(os.fsencode(beside)) + len(_SOCKET_NAME) < _SOCKET_PATH_LIMIT:
        return beside
    uid = user.uid if user else os.geteuid()
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()
    return _SHORT_DIR / f"viberator-{uid}-{digest[:12]}"


def passwords(folder: Path, roles: Sequence[str]) -> dict[str, str]:
    """Each role's password, made on first use; the file is its owner's alone."""
    file = folder / "passwords.json"
    if not file.exists():
        made = {role: secrets.token_urlsafe(24) for role in roles}
        write_private(file.with_suffix(".new"), json.dumps(made))
        file.with_suffix(".new").replace(file)
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _require_way(folder: Path, user: ServerUser) -> None:
    for step in (folder, *folder.parents):
        if step.exists() and not _can_enter(step, user):
            raise EmbeddedUnavailable(
                reason=f"PostgreSQL does not run as root, and the user {user.name} cannot enter {step}",
                advice="choose a data_dir outside it, such as /var/lib/viberator, or run as an ordinary user",
            )


def _let_enter(folder: Path) -> None:
    status = folder.stat()
    if status.st_uid == os.geteuid() and not status.st_mode & 0o001:
        folder.chmod(status.st_mode | 0o001)


def _can_enter(folder: Path, user: ServerUser) -> bool:
    status = folder.stat()
    if status.st_uid == user.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == user.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)
