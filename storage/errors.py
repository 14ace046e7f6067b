"""What can go wrong between us and the database."""

from sessions.ports import Unavailable


class StorageError(Exception):
    """The base of everything this package raises."""


class DatabaseUnavailable(StorageError, Unavailable):
    """The database did not answer, or the connection broke; what an open transaction did is undone or unknown."""

    def __init__(self, detail: str) -> None:
        super().__init__("database", detail)


class DatabaseRefused(DatabaseUnavailable):
    """The server is there and lets us not in: a wrong address, name or password, or it was never migrated."""


class DatabaseFull(DatabaseUnavailable):
    """The database has no room left on its disk."""


class EmbeddedUnavailable(DatabaseUnavailable):
    """Our own PostgreSQL cannot run here; `advice` is the operator's next step."""

    def __init__(self, *, reason: str, advice: str) -> None:
        super().__init__(f"{reason}; {advice}")
        self.reason = reason
        self.advice = advice


class StatementTimedOut(DatabaseUnavailable):
    """A statement ran longer than it may; nothing was changed."""


class Deadlocked(DatabaseUnavailable):
    """Two transactions waited for each other; this one lost and may be tried again."""


class ConstraintBroken(StorageError):
    """A write was refused; the constraint's name says what it forbids."""

    def __init__(self, constraint: str, detail: str) -> None:
        super().__init__(constraint, detail)
        self.constraint = constraint
        self.detail = detail


class TransactionUndone(StorageError):
    """A statement of the transaction had failed, and so nothing of it was stored, though whoever ran it went on."""


class DuplicateStatement(StorageError):
    """Two named statements share a name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class UnnamedStatement(StorageError):
    """SQL stands outside any named statement."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.file = file


class UnknownStatement(StorageError):
    """No statement has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class MigrationRefused(StorageError):
    """The database and our migrations disagree; the refused one changed nothing. `advice` is the operator's next step."""

    def __init__(self, *, reason: str, advice: str) -> None:
        super().__init__(f"{reason}; {advice}")
        self.reason = reason
        self.advice = advice
