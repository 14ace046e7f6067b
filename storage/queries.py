"""Named SQL statements, read from `storage/sql/*.sql`.

A statement begins with `-- name: claim_session`; comment lines right below it document it. Parameters are `$1`, `$2` ….
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from storage.errors import DuplicateStatement, UnknownStatement, UnnamedStatement

FOLDER = Path(__file__).with_name("sql")

_NAME = re.compile(r"^-- name: *([a-z][a-z0-9_]*) *$", re.MULTILINE)
_COMMENT = re.compile(r"^ *--.*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Queries:
    """Statements by name."""

    statements: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        try:
            return self.statements[name]
        except KeyError:
            raise UnknownStatement(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.statements)


def load(name: str, folder: Path = FOLDER) -> Queries:
    """The statements of `<folder>/<name>.sql`."""
    file = folder / f"{name}.sql"
    return parse(file.read_text(encoding="utf-8"), source=file.name)


def parse(text: str, *, source: str) -> Queries:
    """The statements in a file's text; raises `DuplicateStatement` or `UnnamedStatement`."""
    preamble, *parts = _NAME.split(text)
    if _COMMENT.sub("", preamble).strip():
        raise UnnamedStatement(source)
    statements: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in statements:
            raise DuplicateStatement(name)
        statements[name] = _COMMENT.sub("", body).strip().removesuffix(";")
    return Queries(statements)
