"""Wake-ups: one set of rules for both kinds, and what is special about those between replicas."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from sessions.ports import Signals, Subscription
from storage.database import Database, PoolLimits, database, lone_connection, served
from storage.signals import LocalSignals, PostgresSignals
from storage.system import System
from tests.eventually import eventually_so

Replica = Callable[[str], AbstractAsyncContextManager[PostgresSignals]]


@pytest.fixture
def replica(database: Database, database_url: str) -> Replica:
    @asynccontextmanager
    async def open_replica(name: str) -> AsyncIterator[PostgresSignals]:
        signals = PostgresSignals(system=System(database), dsn=database_url, replica=name, retry_s=0.05)
        listening = signals.subscribe("any")
        running = asyncio.create_task(signals.run())
        # Everybody is woken once it listens.
        assert await listening.wait(time_limit_s=10)
        listening.close()
        yield signals
        running.cancel()
        await asyncio.wait([running])

    return open_replica


@pytest.fixture(params=["local", "postgres"])
async def signals(request: pytest.FixtureRequest, replica: Replica) -> AsyncIterator[Signals]:
    if request.param == "local":
        yield LocalSignals()
        return
    async with replica("a") as opened:
        yield opened


async def test_a_waiter_is_woken_by_its_topics_only(signals: Signals) -> None:
    subscription = signals.subscribe("sessions", "threads")
    await signals.notify("inputs:1")
    assert not await subscription.wait(time_limit_s=0.02)
    for topic in ("sessions", "threads"):
        await signals.notify(topic)
        assert await subscription.wait(time_limit_s=5)


async def test_a_wake_up_between_two_waits_is_not_lost(signals: Signals) -> None:
    subscription = signals.subscribe("threads")
    await signals.notify("threads")
    await signals.notify("threads")
    assert await subscription.wait(time_limit_s=0)
    assert not await subscription.wait(time_limit_s=0.02)


async def test_all_waiters_of_a_topic_are_woken(signals: Signals) -> None:
    subscriptions = [signals.subscribe("threads") for _ in range(3)]
    await signals.notify("threads")
    assert [await subscription.wait(time_limit_s=5) for subscription in subscriptions] == [True] * 3


async def test_a_waiter_is_woken_while_it_waits(signals: Signals) -> None:
    waiting = asyncio.create_task(signals.subscribe("threads").wait(time_limit_s=10))
    await asyncio.sleep(0)
    await signals.notify("threads")
    assert await waiting


async def test_a_closed_subscription_is_woken_no_more(signals: Signals) -> None:
    subscription = signals.subscribe("threads")
    subscription.close()
    subscription.close()
    await signals.notify("threads")
    assert not await subscription.wait(time_limit_s=0.02)


async def test_other_replicas_are_woken(replica: Replica) -> None:
    async with replica("a") as here, replica("b") as there:
        subscription = there.subscribe("inputs:1")
        await here.notify("inputs:1")
        assert await subscription.wait(time_limit_s=10)


async def test_what_one_replica_says_wakes_its_own_once(replica: Replica) -> None:
    async with replica("a") as here, replica("b") as there:
        own, other = here.subscribe("threads"), there.subscribe("threads")
        await here.notify("threads")
        assert await own.wait(time_limit_s=5)
        assert await other.wait(time_limit_s=10)
        assert not await own.wait(time_limit_s=0.05)


async def test_many_wake_ups_at_once_all_arrive(replica: Replica) -> None:
    async with replica("a") as here, replica("b") as there:
        topics = [f"inputs:{n}" for n in range(200)]
        subscriptions: list[Subscription] = [there.subscribe(topic) for topic in topics]
        for topic in topics:
            await here.notify(topic)
        assert all([await subscription.wait(time_limit_s=10) for subscription in subscriptions])


async def test_a_wake_up_that_could_not_be_sent_is_sent_later(replica: Replica, database_url: str) -> None:
    limits = PoolLimits(system=1, connect_s=0.1, patience_s=0.0)
    async with replica("b") as there, database(served(database_url), limits=limits) as narrow:
        here = PostgresSignals(system=System(narrow), dsn=database_url, replica="a", retry_s=0.05)
        subscription, sending = there.subscribe("inputs:1"), asyncio.create_task(here.run())
        async with narrow.system():
            await here.notify("inputs:1")
            assert not await subscription.wait(time_limit_s=0.4)
        assert await subscription.wait(time_limit_s=10)
        sending.cancel()
        await asyncio.wait([sending])


async def test_a_wake_up_that_the_server_refuses_ends_nothing(replica: Replica) -> None:
    async with replica("a") as here, replica("b") as there:
        subscription = there.subscribe("threads")
        await here.notify("x" * 9000)

        async def heard() -> bool:
            await here.notify("threads")
            return await subscription.wait(time_limit_s=0.2)

        await eventually_so(heard)


async def test_a_broken_connection_is_made_again_and_everybody_woken(replica: Replica, database_url: str) -> None:
    async with replica("a") as here, replica("b") as there:
        subscription = there.subscribe("threads")
        await break_listeners(database_url)
        assert await subscription.wait(time_limit_s=10)

        async def heard_again() -> bool:
            await here.notify("threads")
            return await subscription.wait(time_limit_s=0.2)

        await eventually_so(heard_again)


async def break_listeners(url: str) -> None:
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND query LIKE 'LISTEN%' AND pid <> pg_backend_pid()"
    )
    async with lone_connection(url) as connection:
        assert len(await connection.fetch(kill)) == 2
