"""Forward-only migrations: `storage/migrations/NNNN_name.sql`, each applied once, in order, in one transaction.

What was applied is remembered with its checksum. An edited file, a gap in the numbers and a database newer than this
program are refused before anything is changed. Programs that start together take turns by an advisory lock.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from storage.database import LoneConnection, lone_connection
from storage.errors import MigrationRefused

log = structlog.get_logger()

FOLDER = Path(__file__).with_name("migrations")

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
# Any number that no other program is likely to lock.
_LOCK = 0x7669_6265
_REMEMBERED = "SELECT number, name, checksum FROM schema_migrations ORDER BY number"
_REMEMBER = "INSERT INTO schema_migrations (number, name, checksum) VALUES ($1, $2, $3)"
_MAKE_MEMORY = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(folder: Path = FOLDER) -> Sequence[Migration]:
    """All of them in order; raises `MigrationRefused` for a gap, a repeated number or a strange name."""
    found: list[Migration] = []
    for wanted, file in enumerate(sorted(folder.glob("*.sql")), start=1):
        match = _FILE.fullmatch(file.name)
        if match is None or int(match[1]) != wanted:
            raise MigrationRefused(
                reason=f"{file.name} is not migration {wanted:04}", advice="restore the files of this release"
            )
        # Python reads CRLF as LF, so a checkout on another system has the same checksum.
        found.append(Migration(number=wanted, name=match[2], sql=file.read_text(encoding="utf-8")))
    return found


async def migrate(dsn: str, migrations: Sequence[Migration] | None = None) -> Sequence[Migration]:
    """Bring the database up to date as its owner; answers what was applied now."""
    ours = read_migrations() if migrations is None else migrations
    async with lone_connection(dsn) as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_MAKE_MEMORY)
        pending = await _pending(connection, ours)
        for migration in pending:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(_REMEMBER, migration.number, migration.name, migration.checksum)
            log.info("database.migrated", number=migration.number, name=migration.name)
        # Closing the connection gives the lock back.
        return pending


async def pending_migrations(dsn: str, migrations: Sequence[Migration] | None = None) -> Sequence[Migration]:
    """What `migrate` would apply; changes nothing, and raises `MigrationRefused` as it would."""
    ours = read_migrations() if migrations is None else migrations
    async with lone_connection(dsn) as connection:
        if await connection.fetchval("SELECT to_regclass('schema_migrations') IS NULL"):
            return ours
        return await _pending(connection, ours)


async def _pending(connection: LoneConnection, ours: Sequence[Migration]) -> Sequence[Migration]:
    applied = await connection.fetch(_REMEMBERED)
    if len(applied) > len(ours):
        newest = applied[-1]
        raise MigrationRefused(
            reason=f"the database is newer than this program: it has migration {newest['number']:04}_{newest['name']}",
            advice="install the version that made it, or a later one",
        )
    for row, migration in zip(applied, ours, strict=False):
        if (row["number"], row["checksum"]) != (migration.number, migration.checksum):
            raise MigrationRefused(
                reason=f"migration {migration.number:04}_{migration.name} was changed after it was applied",
                advice="restore the file of this release; a change of the schema is a new migration",
            )
    return ours[len(applied) :]
