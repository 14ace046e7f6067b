"""The servers and databases of these tests."""

from collections.abc import AsyncIterator

import pytest

from storage.database import Database
from tests.bureau import Bureau, opened
from tests.database import database_url, fresh_database, postgres

__all__ = ["database_url", "fresh_database", "postgres"]


@pytest.fixture
async def bureau(database: Database) -> AsyncIterator[Bureau]:
    async with opened(database) as ready:
        yield ready
