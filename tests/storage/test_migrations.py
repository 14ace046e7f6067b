"""Migrations go forward only, one at a time, and never over something they do not know."""

from storage.database import Database


async def test_x(database: Database) -> None:
    async with database.system() as c:
        assert await c.fetchval("select current_user") == "viberator_system"
