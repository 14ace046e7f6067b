"""Where a repository is: a path, or an address that git understands, with a credential that must not be shown."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from sessions.sanitising import without_logins

_SCP = re.compile(r"(?P<host>[\w.@\[\]:-]+?):(?!//)(?P<path>.+)")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """`url` holds no password; `local` is set for a path on this machine."""

    url: str
    local: Path | None = None
    user: str = ""
    password: str = ""

    @property
    def key(self) -> str:
        """A name for a file; the same for the same place, whoever asks."""
        return hashlib.sha256(self.url.encode(errors="surrogateescape")).hexdigest()[:32]

    @property
    def protocols(self) -> str:
        """What git may speak there (GIT_ALLOW_PROTOCOL); plain http only with ourselves."""
        host = urlsplit(self.url).hostname if self.url.startswith("http://") else None
        return "file:https:ssh:http" if host in _LOOPBACK else "file:https:ssh"

    def redact(self, text: str) -> str:
        """The text without credentials."""
        shown = without_logins(text)
        return shown.replace(self.password, "***") if self.password else shown


def read_address(repository: str) -> Address:
    """The address as an operator wrote it."""
    text = repository.strip()
    if "://" in text:
        return _from_url(text)
    if _is_path(text):
        path = Path(text).expanduser().resolve()
        return Address(url=str(path), local=path)
    return Address(url=text)


def _is_path(text: str) -> bool:
    """As git decides: a colon before the first slash makes it an address of ssh."""
    return text.startswith(("/", ".", "~")) or _SCP.fullmatch(text) is None or "/" in text.partition(":")[0]


def _from_url(text: str) -> Address:
    try:
        parts = urlsplit(text)
    except ValueError:
        return Address(url=text)
    if parts.scheme == "file":
        path = Path(unquote(parts.path)).resolve()
        return Address(url=str(path), local=path)
    if parts.scheme not in {"http", "https"} or parts.username is None:
        return Address(url=text)
    return Address(url=_without_user(parts), user=unquote(parts.username), password=unquote(parts.password or ""))


def _without_user(parts: SplitResult) -> str:
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
