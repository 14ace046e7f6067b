"""The servers and databases of these tests."""

from collections.abc import AsyncIterator

import pytest

from storage.database import Database
from tests.bureau import Bureau, opened
from tests.database import database_url, fresh_database, own_server, postgres
from tests.programs import program, served_program

__all__ = ["database_url", "fresh_database", "own_server", "postgres", "program", "served_program"]


@pytest.fixture
async def bureau(database: Database) -> AsyncIterator[Bureau]:
    async with opened(database) as ready:
        yield ready
