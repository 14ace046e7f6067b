"""Claiming, launching, watching, and going on after whatever happened."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sessions.book import inputs_topic
from sessions.errors import RunnerUnavailable
from sessions.events import InputTaken, LaunchLost, QuestionFiled, SessionQueued, TurnEnded, WorkerEnded, WorkerFrame
from sessions.models import FailureKind, InstallationId, LaunchId, Session, SessionState, Severity, SleepReason, Ticket
from sessions.ports import Claim, LaunchContext, LaunchOrder, LiveLaunch, RepositoryUnusable
from sessions.redaction import Redactor
from sessions.supervisor import Engine, Supervisor
from sessions.tokens import hashed
from storage.dispatch import PostgresDispatch
from storage.signals import LocalSignals
from tests.bureau import ENGINE, SECRET, TOKEN, Bureau
from tests.eventually import eventually
from tests.fakes import FakeRunner
from tests.fakes_desk import FakeMirrors

BRANCHES = "no branch main; there are trunk and dev"


@dataclass
class WatchedDispatch:
    """The real one; counts how often a supervisor looked. While there is `trouble`, no launch can be noted."""

    real: PostgresDispatch
    looks: int = 0
    trouble: Exception | None = None

    async def claim(
        self,
        *,
        engine: str,
        runner: str,
        launch: LaunchId,
        token_hash: bytes,
        installation: InstallationId | None = None,
    ) -> Claim | None:
        return await self.real.claim(
            engine=engine, runner=runner, launch=launch, token_hash=token_hash, installation=installation
        )

    async def launched(self, launch: LaunchId, *, reference: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        await self.real.launched(launch, reference=reference)

    async def live(self, *, engine: str) -> Sequence[LiveLaunch]:
        self.looks += 1
        return await self.real.live(engine=engine)

    async def locate(self, launch: LaunchId) -> LiveLaunch:
        return await self.real.locate(launch)


@dataclass
class Office:
    """A supervisor over fakes, and what its workers say. With `deaf` it hears of nothing that others do."""

    bureau: Bureau
    runner: FakeRunner = field(default_factory=FakeRunner)
    mirrors: FakeMirrors = field(default_factory=FakeMirrors)
    dispatch: WatchedDispatch = field(init=False)
    room: int = 4
    deaf: LocalSignals | None = None

    def __post_init__(self) -> None:
        self.dispatch = WatchedDispatch(self.bureau.dispatch)

    def supervisor(self) -> Supervisor:
        return Supervisor(
            engine=Engine(
                name=ENGINE,
                socket=Path("/run/workers.sock"),
                directory=Path("/srv/sessions"),
                max_sessions=self.room,
                sweep_s=0.05,
            ),
            ledger=self.bureau.ledger,
            dispatch=self.dispatch,
            runner=self.runner,
            mirrors=self.mirrors,
            signals=self.deaf or self.bureau.signals,
            clock=self.bureau.clock,
            ids=self.bureau.ids,
            redactor=Redactor([SECRET]),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Supervisor]:
        supervisor = self.supervisor()
        task = asyncio.create_task(supervisor.run(), name="supervisor")
        try:
            yield supervisor
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def order(self, number: int = 1) -> LaunchOrder:
        """The launch of that number, as soon as there is one."""
        await self.until(lambda: self._launched(number))
        return self.runner.orders[number - 1]

    async def _launched(self, number: int) -> bool:
        if len(self.runner.orders) < number:
            return False
        rows = await self.bureau.rows("launches")
        launch = self.runner.orders[number - 1].launch
        return any(row["id"] == launch and (row["reference"] or row["ended_at"]) for row in rows)

    async def session(self, ticket: Ticket) -> Session:
        return (await self.bureau.standing(ticket.id)).session

    async def asleep(self, ticket: Ticket) -> Session:
        async def holds() -> bool:
            return (await self.session(ticket)).state is SessionState.ASLEEP

        await self.until(holds)
        return await self.session(ticket)

    async def looks(self, times: int = 3) -> None:
        """Return when the supervisor has looked so many times more."""
        wanted = self.dispatch.looks + times
        await eventually(lambda: self.dispatch.looks >= wanted)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(10):
            while not await holds():  # noqa: ASYNC110 (what is waited for is in the database, and has no event)
                await asyncio.sleep(0.01)

    async def report(self, order: LaunchOrder, ticket: Ticket, *frames: WorkerFrame) -> None:
        row = next(row for row in await self.bureau.rows("launches") if row["id"] == order.launch)
        calling = LaunchContext(
            workspace=self.bureau.workspace,
            ticket=ticket.id,
            session=order.session,
            launch=order.launch,
            fence=row["fence"],
        )
        await self.bureau.desk.take(calling, first=row["last_frame"] + 1, frames=frames)

    def end(self, order: LaunchOrder) -> None:
        self.runner.end(f"worker-{order.launch}")


@pytest.fixture
def office(bureau: Bureau) -> Office:
    return Office(bureau)


async def test_a_filed_ticket_is_launched_with_its_own_directory_and_token(office: Office) -> None:
    async with office.running():
        ticket = await office.bureau.file()
        order = await office.order()
        session = await office.session(ticket)
        assert (order.session, order.directory) == (session.id, Path("/srv/sessions") / str(session.id))
        assert (order.socket, order.mirror) == (Path("/run/workers.sock"), office.mirrors.at)
        context = await office.bureau.desk.authenticate(order.launch, order.token)
        assert context.session == session.id
        assert session.state is SessionState.WORKING


async def test_no_more_sessions_run_than_there_is_room_for(office: Office) -> None:
    office.room = 2
    async with office.running():
        tickets = [await office.bureau.file() for _ in range(4)]
        await office.order(2)
        await office.looks()
        assert len(office.runner.orders) == 2
        await office.report(office.runner.orders[0], tickets[0], WorkerEnded(reason="idle"))
        office.end(office.runner.orders[0])
        await office.order(3)


async def test_sessions_that_wait_for_people_hold_up_nobody(office: Office) -> None:
    office.room = 2
    async with office.running():
        for number in (1, 2, 3):
            ticket = await office.bureau.file()
            await office.report(await office.order(number), ticket, QuestionFiled(text="Which?"))
        await office.bureau.file()
        await office.order(4)


async def test_sessions_that_went_on_take_their_places_again(office: Office) -> None:
    office.room = 1
    async with office.running():
        first = await office.bureau.file()
        order = await office.order()
        await office.report(order, first, QuestionFiled(text="Which?"))
        await office.bureau.service.answer(office.bureau.act(), first.id, 1, "the first")
        await office.report(order, first, InputTaken(ordinal=1))
        await office.looks()
        await office.bureau.file()
        await office.looks()
    assert len(office.runner.orders) == 1


async def test_only_so_many_sessions_wait_beside_those_at_work(office: Office) -> None:
    office.room = 1
    async with office.running():
        for number in range(1, 6):
            ticket = await office.bureau.file()
            await office.report(await office.order(number), ticket, QuestionFiled(text="Which?"))
        await office.bureau.file()
        await office.looks()
    assert len(office.runner.orders) == 5


async def test_a_repository_that_cannot_be_used_is_a_failure_with_its_reason(office: Office) -> None:
    office.mirrors.trouble = RepositoryUnusable("/srv/widgets.git", f"{BRANCHES} {SECRET}")
    async with office.running():
        ticket = await office.bureau.file()
        session = await office.asleep(ticket)
        lost = (await office.bureau.events(ticket.id))[-1]
    assert session.reason is SleepReason.FAILED
    assert isinstance(lost, LaunchLost)
    assert lost.failure is not None
    assert (lost.failure.kind, lost.failure.detail) == (FailureKind.REPOSITORY, f"{BRANCHES} [redacted]")
    assert office.runner.orders == []


async def test_a_runner_that_starts_nothing_is_asked_again_later_and_then_given_up(office: Office) -> None:
    office.runner.refuse = RunnerUnavailable("no room for another process")
    async with office.running():
        ticket = await office.bureau.file()

        async def lost_twice_or_more() -> bool:
            office.bureau.clock.move(1)
            return (await office.session(ticket)).reason is SleepReason.FAILED

        await office.until(lost_twice_or_more)
        losses = [event for event in await office.bureau.events(ticket.id) if isinstance(event, LaunchLost)]
    assert len(losses) == 3
    assert losses[-1].failure is not None
    assert losses[-1].failure.kind is FailureKind.RUNNER
    assert "no room for another process" in losses[-1].failure.detail


async def test_a_refused_launch_is_not_tried_again_at_once(office: Office) -> None:
    office.runner.refuse = RunnerUnavailable("no room")
    async with office.running():
        ticket = await office.bureau.file()

        async def queued_again() -> bool:
            return SessionQueued(cause="restart") in await office.bureau.events(ticket.id)

        await office.until(queued_again)
        await office.looks()
        assert (await office.session(ticket)).losses == 1
        office.runner.refuse = None
        office.bureau.clock.move(2)
        await office.order()


async def test_a_worker_that_dies_is_replaced_and_its_last_words_kept(office: Office) -> None:
    office.runner.words = f"Traceback … {SECRET}"
    async with office.running():
        ticket = await office.bureau.file()
        office.end(await office.order())
        await office.order(2)
    lost = next(event for event in await office.bureau.events(ticket.id) if isinstance(event, LaunchLost))
    assert (lost.last_words, lost.failure, lost.blameless) == ("Traceback … [redacted]", None, False)


async def test_a_worker_that_always_dies_is_not_started_for_ever(office: Office) -> None:
    async with office.running():
        ticket = await office.bureau.file()
        for number in (1, 2, 3):
            office.end(await office.order(number))
        session = await office.asleep(ticket)
        lost = (await office.bureau.events(ticket.id))[-1]
        assert session.reason is SleepReason.FAILED
        assert isinstance(lost, LaunchLost)
        assert lost.failure is not None
        await office.bureau.service.retry(office.bureau.act(), ticket.id)
        await office.order(4)
        assert len(office.runner.orders) == 4


async def test_a_worker_that_died_before_its_launch_was_noted_is_replaced(office: Office) -> None:
    office.runner.stillborn = 1
    async with office.running():
        await office.bureau.file()
        await office.order(2)
    assert len(office.runner.alive) == 1


async def test_what_fails_for_one_worker_fails_for_no_other(office: Office) -> None:
    office.dispatch.trouble = RuntimeError("of a sort that nobody thought of")
    async with office.running():
        await office.bureau.file()
        await eventually(lambda: len(office.runner.orders) == 1)
        await office.looks()
        office.dispatch.trouble = None
        await office.bureau.file()
        await office.order(2)
        # What was not noted is noted later.
        await office.order(1)
    assert len(office.runner.alive) == 2


async def test_a_turn_that_ended_between_them_forgives_the_deaths(office: Office) -> None:
    async with office.running():
        ticket = await office.bureau.file()
        for number in (1, 2, 3, 4, 5):
            order = await office.order(number)
            await office.report(order, ticket, TurnEnded(turn=number, stop_reason="end_turn"))
            office.end(order)
        await office.order(6)


async def test_a_worker_that_dies_while_people_decide_is_not_replaced(office: Office) -> None:
    async with office.running():
        ticket = await office.bureau.file()
        order = await office.order()
        await office.report(order, ticket, QuestionFiled(text="Which?"))
        office.end(order)
        assert (await office.asleep(ticket)).reason is SleepReason.INTERRUPTED
        await office.bureau.service.answer(office.bureau.act(), ticket.id, 1, "the first")
        await office.order(2)


async def test_what_was_said_before_the_death_was_noticed_wakes_the_session(office: Office) -> None:
    ticket = await office.bureau.file()
    async with office.running():
        order = await office.order()
        await office.report(order, ticket, QuestionFiled(text="Which?"))
        await office.bureau.service.answer(office.bureau.act(), ticket.id, 1, "the first")
        office.end(order)
        await office.order(2)


async def test_a_worker_that_said_goodbye_is_not_lost(office: Office) -> None:
    async with office.running():
        ticket = await office.bureau.file()
        order = await office.order()
        await office.report(order, ticket, WorkerEnded(reason="idle"))
        office.end(order)
        await office.looks()
    assert not [event for event in await office.bureau.events(ticket.id) if isinstance(event, LaunchLost)]


@pytest.mark.parametrize("what", ["said", "discarded"])
async def test_a_worker_that_was_not_woken_is_woken_by_the_next_look(office: Office, what: str) -> None:
    office.deaf = LocalSignals()
    async with office.running():
        ticket = await office.bureau.file()
        order = await office.order()
        polling = office.deaf.subscribe(inputs_topic(order.session))
        if what == "said":
            await office.bureau.service.say(office.bureau.act(), ticket.id, "and the docs")
        else:
            await office.bureau.service.discard(office.bureau.act(), ticket.id)
        assert await polling.wait(time_limit_s=10)
        # Once is enough, since whoever polls looks by itself.
        assert not await polling.wait(time_limit_s=0.2)


async def test_a_stop_that_is_not_carried_out_is_carried_out_for_the_worker(office: Office) -> None:
    async with office.running():
        ticket = await office.bureau.file()
        await office.order()
        await office.bureau.service.stop(office.bureau.act(), ticket.id)
        await office.looks()
        assert office.runner.stops == []
        office.bureau.clock.move(11)
        assert (await office.asleep(ticket)).reason is SleepReason.STOPPED
    assert len(office.runner.stops) == 1
    assert (await office.bureau.events(ticket.id))[-1] == WorkerEnded(reason="stopped")


async def test_a_worker_that_heard_of_the_stop_and_hangs_is_stopped(office: Office) -> None:
    async with office.running():
        ticket = await office.bureau.file()
        order = await office.order()
        await office.bureau.service.stop(office.bureau.act(), ticket.id)
        await office.report(order, ticket, InputTaken(ordinal=1))
        await office.looks()
        office.bureau.clock.move(11)
        assert (await office.asleep(ticket)).reason is SleepReason.STOPPED


async def test_a_worker_whose_session_is_over_is_stopped(office: Office) -> None:
    async with office.running():
        ticket = await office.bureau.file()
        await office.order()
        await office.bureau.service.discard(office.bureau.act(), ticket.id)
        await office.looks()
        assert office.runner.stops == []

        async def stopped() -> bool:
            office.bureau.clock.move(3)
            return not office.runner.alive

        await office.until(stopped)
        await office.until(lambda: drained(office, ticket))


async def drained(office: Office, ticket: Ticket) -> bool:
    return await office.bureau.violations(ticket.id, drained=True) == []


async def test_a_worker_that_ended_its_launch_and_stays_is_stopped(office: Office) -> None:
    async with office.running():
        ticket = await office.bureau.file()
        await office.report(await office.order(), ticket, WorkerEnded(reason="idle"))

        async def stopped() -> bool:
            office.bureau.clock.move(3)
            return not office.runner.alive

        await office.until(stopped)


async def test_a_worker_that_is_not_heard_of_is_replaced(office: Office) -> None:
    async with office.running():
        await office.bureau.file()
        await office.order()

        async def replaced() -> bool:
            office.bureau.clock.move(50)
            return len(office.runner.orders) > 1

        await office.until(replaced)


async def test_running_workers_are_adopted_by_the_next_start(office: Office) -> None:
    async with office.running():
        ticket = await office.bureau.file()
        order = await office.order()
    async with office.running():
        await office.looks()
        assert (await office.session(ticket)).state is SessionState.WORKING
        office.end(order)
        await office.order(2)
    assert len(office.runner.orders) == 2


async def test_workers_that_died_with_the_bot_are_replaced_and_nobody_is_blamed(office: Office) -> None:
    ticket = await office.bureau.file()
    for number in range(1, 6):
        async with office.running():
            await office.order(number)
        office.runner.alive.clear()
    async with office.running():
        await office.order(6)
    session = await office.session(ticket)
    assert (session.state, session.losses) == (SessionState.WORKING, 0)


async def test_a_claim_whose_launch_never_started_is_taken_up_again(office: Office) -> None:
    await office.bureau.file()
    await office.bureau.dispatch.claim(
        engine=ENGINE, runner="fake", launch=LaunchId(office.bureau.ids.uuid()), token_hash=hashed(TOKEN)
    )
    async with office.running():
        await office.order()


async def test_launches_of_another_engine_are_left_alone(office: Office) -> None:
    await office.bureau.file()
    await office.bureau.claim(engine="engine-2")
    async with office.running():
        await office.looks()
    assert office.runner.orders == []
    assert [row["ended_at"] for row in await office.bureau.rows("launches")] == [None]


async def test_draining_stops_the_workers_and_queues_what_was_at_work(office: Office) -> None:
    async with office.running() as supervisor:
        working, waiting = await office.bureau.file(), await office.bureau.file()
        orders = [await office.order(number) for number in (1, 2)]
        session = await office.session(waiting)
        waits = next(order for order in orders if order.session == session.id)
        await office.report(waits, waiting, QuestionFiled(text="Which?"))
        await supervisor.drain()
        assert office.runner.alive == set()
        assert (await office.session(working)).state is SessionState.QUEUED
        assert (await office.session(waiting)).reason is SleepReason.INTERRUPTED
        await office.looks()
        assert len(office.runner.orders) == 2
    async with office.running():
        await office.order(3)
    assert (await office.session(working)).losses == 0


async def test_nothing_is_started_while_draining(office: Office) -> None:
    async with office.running() as supervisor:
        await supervisor.drain()
        await office.bureau.file()
        await office.looks()
    assert office.runner.orders == []


async def test_urgent_work_is_taken_first(office: Office) -> None:
    office.room = 1
    slow, urgent = office.bureau.new_ticket(title="slow"), office.bureau.new_ticket(title="urgent")
    for new in (slow, replace(urgent, severity=Severity.URGENT)):
        assert await office.bureau.service.file(office.bureau.act(), new) is not None
    async with office.running():
        order = await office.order()
    rows = {row["id"]: row["branch"] for row in await office.bureau.rows("sessions")}
    assert rows[order.session].endswith("urgent")
