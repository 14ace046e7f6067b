"""The servers and databases of these tests."""

import pytest

from storage.database import Database
from tests.database import database_url, fresh_database, own_server, postgres, postgres15
from tests.storage.estate import Estate, settle_in

__all__ = ["database_url", "fresh_database", "own_server", "postgres", "postgres15"]


@pytest.fixture
async def estate(database: Database) -> Estate:
    return await settle_in(database)
