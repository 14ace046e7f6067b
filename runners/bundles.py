"""The head of a git bundle, read without git: what it needs, what it brings, and where its pack begins (gitformat-bundle(5))."""

import re
from dataclasses import dataclass
from pathlib import Path

HEADER_BYTES = 1 << 16
_SIGNATURES = (b"# v2 git bundle", b"# v3 git bundle")
_OID = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")
# A filter would leave objects out; a bundle of ours is whole.
_CAPABILITIES = (b"@object-format=sha1", b"@object-format=sha256")


class NotABundle(ValueError):
    """The file is no git bundle, or one of a kind that we do not make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """`needs` are commits that the receiver has already, `brings` commits by ref; the pack begins at byte `pack_at`."""

    needs: tuple[str, ...]
    brings: tuple[tuple[str, str], ...]
    pack_at: int


def read_header(bundle: Path) -> Header:
    """Raises `NotABundle`."""
    with bundle.open("rb") as file:
        start = file.read(HEADER_BYTES)
    head, blank, _ = start.partition(b"\n\n")
    signature, *lines = head.split(b"\n")
    if not blank or signature not in _SIGNATURES:
        raise NotABundle
    needs: list[str] = []
    brings: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith(b"@"):
            if line not in _CAPABILITIES:
                raise NotABundle
        elif line.startswith(b"-"):
            needs.append(_oid(line[1:].split(b" ", 1)[0]))
        else:
            oid, _, ref = line.partition(b" ")
            brings.append((ref.decode(errors="replace"), _oid(oid)))
    return Header(needs=tuple(needs), brings=tuple(brings), pack_at=len(head) + len(blank))


def _oid(text: bytes) -> str:
    if _OID.fullmatch(text) is None:
        raise NotABundle
    return text.decode()
