"""What can go wrong between us and the database."""

from dataclasses import dataclass


class StorageError(Exception):
    """The base of everything this package raises."""


@dataclass
class DatabaseUnavailable(StorageError):
    """The database did not answer; the same call may succeed later."""

    reason: str


@dataclass
class EmbeddedUnavailable(DatabaseUnavailable):
    """Our own PostgreSQL cannot run here; `advice` is the operator's next step."""

    advice: str


@dataclass
class DatabaseFull(DatabaseUnavailable):
    """The database has no room left on its disk."""


@dataclass
class StatementTimedOut(StorageError):
    """A statement ran longer than it may."""

    reason: str


@dataclass
class ConstraintBroken(StorageError):
    """A write was refused; the constraint's name says what it forbids."""

    constraint: str


@dataclass
class Deadlocked(StorageError):
    """Two transactions waited for each other; this one lost and may be tried again."""

    reason: str


@dataclass
class DuplicateStatement(StorageError):
    """Two named statements share a name."""

    name: str


@dataclass
class UnnamedStatement(StorageError):
    """SQL stands outside any named statement."""

    file: str


@dataclass
class UnknownStatement(StorageError):
    """No statement has this name."""

    name: str


@dataclass
class MigrationRefused(StorageError):
    """The database and our migrations disagree; nothing was changed by the refused one."""

    number: int
    reason: str
