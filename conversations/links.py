"""Which addresses in an agent's text may be followed, and which pretend to be others."""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote, urlsplit

LONGEST_LINK: Final = 500
"""Characters; a longer address is shown as text, since it would eat up a platform's limits."""

_SCHEMES: Final = ("http", "https", "mailto")
_FILE_ENDING: Final = re.compile(
    "c|cfg|conf|cpp|cs|css|csv|go|h|html|ini|java|js|json|jsx|kt|lock|md|php|py|rb|rs|rst|scss|sh|sql|swift"
    "|toml|ts|tsx|txt|xml|yaml|yml"
)
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"`|\\^{}\[\]]+")
_NOT_A_HOST: Final = re.compile(r"[^\w.-]+")


def is_followable(url: str) -> bool:
    """Whether a click on it is harmless enough: http, https or mailto, whole and not too long."""
    if len(url) > LONGEST_LINK or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.path if parts.scheme == "mailto" else parts.hostname)


def is_disguised(shown: str, url: str) -> bool:
    """Whether a followable link's text reads like an address that is not its own.

    A file's name at the end of its own path (`README.md`) is no disguise.
    """
    shown = unicodedata.normalize("NFKC", shown).strip()
    if "://" in shown or "@" in shown:
        return _bare(shown) != _bare(url)
    hosts = [word.strip(".").lower() for word in _NOT_A_HOST.split(shown)]
    return any(_reads_like_host(host) and not _belongs(host, url) for host in hosts)


def addresses(text: str) -> list[tuple[int, int]]:
    """Where followable http addresses stand bare in a text, as (start, end), without the sentence's punctuation."""
    return [(found.start(), found.start() + len(url)) for found, url in _trimmed(text) if is_followable(url)]


def _trimmed(text: str) -> list[tuple[re.Match[str], str]]:
    return [(found, _without_sentence(found[0])) for found in _ADDRESS.finditer(text)]


def _without_sentence(url: str) -> str:
    url = url.rstrip(".,;:!?'*_~…")
    if url.endswith(")") and url.count("(") < url.count(")"):
        url = url.rstrip(")").rstrip(".,;:!?'*_~…")
    return url


def _bare(address: str) -> str:
    return unquote(address).removeprefix("mailto:").rstrip("/").lower()


def _reads_like_host(word: str) -> bool:
    name, _, ending = word.rpartition(".")
    return bool(name) and len(ending) > 1 and ending.isalpha()


def _belongs(host: str, url: str) -> bool:
    parts = urlsplit(url)
    if _FILE_ENDING.fullmatch(host.rpartition(".")[2]) and unquote(parts.path).lower().endswith(f"/{host}"):
        return True
    return host.removeprefix("www.") == (parts.hostname or "").removeprefix("www.")
