"""The schema as text, the same on every PostgreSQL that we support; `storage/schema.sql` is what the migrations make.

It is for reading and comparing, not for running. Write it anew with `python -m storage.schema URL`, the address of a
freshly migrated database.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from storage.database import LoneConnection, lone_connection
from storage.queries import load

SCHEMA: Final = load("schema")
FILE: Final = Path(__file__).with_name("schema.sql")

_PREAMBLE: Final = """\
-- What the migrations make, for reading; a test compares. Written by `python -m storage.schema URL`.
"""


async def describe(connection: LoneConnection) -> str:
    """Functions first, then each table with its constraints, indexes, policies and grants."""
    functions = await connection.fetch(SCHEMA["functions"])
    parts = [_PREAMBLE, *(f"{row['definition'].strip()};\n" for row in functions)]
    for table in await connection.fetch(SCHEMA["tables"]):
        oid = table["oid"]
        lines = await _lines(connection, ("columns", "constraints"), oid)
        parts.append(f"CREATE TABLE {table['name']} (\n    {_joined(lines)}\n){table['options']};\n")
        after = await _lines(connection, ("indexes", "row_security", "policies", "grants"), oid)
        parts.append("".join(f"{line};\n" for line in after))
    return "\n".join(part for part in parts if part)


async def _lines(connection: LoneConnection, kinds: Sequence[str], oid: int) -> list[str]:
    return [row["line"] for kind in kinds for row in await connection.fetch(SCHEMA[kind], oid)]


def _joined(lines: Sequence[str]) -> str:
    return ",\n    ".join(lines)


async def _write(url: str) -> None:
    async with lone_connection(url) as connection:
        FILE.write_text(await describe(connection), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_write(sys.argv[1]))
