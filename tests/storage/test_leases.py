"""What only one replica may do at a time."""

import asyncio
from datetime import datetime

import pytest

from storage.database import Database
from storage.leases import PostgresLeases
from storage.system import System
from tests.eventually import eventually_so


@pytest.fixture
def leases(database: Database) -> PostgresLeases:
    return PostgresLeases(system=System(database))


async def test_a_lease_is_one_owners(leases: PostgresLeases) -> None:
    async with leases.held("slack:T1", owner="a") as mine:
        assert mine is not None
        async with leases.held("slack:T1", owner="b") as theirs:
            assert theirs is None
        async with leases.held("slack:T2", owner="b") as another:
            assert another is not None


async def test_a_lease_that_was_given_back_is_free_with_a_higher_fence(leases: PostgresLeases) -> None:
    async with leases.held("slack:T1", owner="a") as first:
        pass
    async with leases.held("slack:T1", owner="b") as second:
        assert first is not None
        assert second is not None
        assert second.fence == first.fence + 1


async def test_of_many_who_want_it_at_once_one_has_it(leases: PostgresLeases) -> None:
    everybody = asyncio.Barrier(5)

    async def want(owner: str) -> bool:
        async with leases.held("slack:T1", owner=owner) as lease:
            await everybody.wait()
            return lease is not None

    assert sorted(await asyncio.gather(*(want(str(n)) for n in range(5)))) == [False, False, False, False, True]


async def test_a_lease_is_renewed_while_it_is_held(database: Database) -> None:
    leases = PostgresLeases(system=System(database), time_limit_s=0.3)
    async with leases.held("slack:T1", owner="a"):
        given_until = await until(database)

        async def renewed() -> bool:
            return await until(database) > given_until

        await eventually_so(renewed)


async def test_a_killed_owners_lease_ends_by_itself(database: Database) -> None:
    leases = PostgresLeases(system=System(database), time_limit_s=0.1)
    # Taken as by a process that was killed right after.
    await System(database).rows("take_lease", "slack:T1", "dead", 0.1)
    fences: list[int] = []

    async def taken() -> bool:
        async with leases.held("slack:T1", owner="b") as lease:
            fences.extend([lease.fence] if lease else [])
            return lease is not None

    await eventually_so(taken)
    assert fences == [2]


async def test_a_restarted_owner_has_its_own_lease_at_once(database: Database) -> None:
    await System(database).rows("take_lease", "slack:T1", "a", 60.0)
    async with PostgresLeases(system=System(database)).held("slack:T1", owner="a") as lease:
        assert lease is not None
        assert lease.fence == 2


async def test_a_lost_lease_is_not_given_back_in_anothers_place(database: Database, leases: PostgresLeases) -> None:
    async with leases.held("slack:T1", owner="a"), database.system() as connection:
        await connection.execute("UPDATE leases SET owner = 'b', fence = fence + 1")
    async with leases.held("slack:T1", owner="c") as lease:
        assert lease is None


async def until(database: Database) -> datetime:
    async with database.system() as connection:
        found: datetime = await connection.fetchval("SELECT until FROM leases")
    return found
