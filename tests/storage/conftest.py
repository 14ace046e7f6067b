"""The servers and databases of these tests."""

from tests.database import database_url, fresh_database, postgres, postgres15

__all__ = ["database_url", "fresh_database", "postgres", "postgres15"]
