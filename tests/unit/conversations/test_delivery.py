"""The courier on a platform and a store in memory: crashes, lost answers, deletions, limits."""

import asyncio
from collections import deque
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.delivery import Courier
from conversations.errors import FenceLost
from conversations.models import SlotState
from conversations.rendering import Links, view
from sessions.events import Recorded
from sessions.models import ThreadId
from storage.signals import LocalSignals
from tests import stories
from tests.eventually import eventually
from tests.fakes import FakeClock
from tests.fakes_outlet import EDITABLE, PIPE, Crash, Fault, JournalOutlet
from tests.fakes_threads import FakeLeases, FakeThreads
from tests.stories import told

FAULTS: tuple[Fault, ...] = ("none", "unclear_before", "unclear_after", "busy", "crash_before", "crash_after")


class Post:
    """One outlet, its threads, and couriers that come and go."""

    def __init__(self, outlet: JournalOutlet | None = None) -> None:
        self.outlet = outlet or JournalOutlet()
        self.leases = FakeLeases()
        self.threads = FakeThreads(self.leases)
        self.clock = FakeClock()
        self.signals = LocalSignals()
        self.thread = self.threads.open()
        self.courier = self.hire()

    def hire(self, owner: str = "one") -> Courier:
        """A process that has just started."""
        outlets = {self.outlet.key: self.outlet}
        return Courier(self.threads, self.leases, outlets, self.signals, self.clock, owner)

    async def deliver(self) -> None:
        """Until nothing is wanted any more, through crashes and pauses."""
        for _ in range(100):
            try:
                await self.courier.deliver_all()
            except Crash:
                self.courier = self.hire()
            if not await self.threads.dirty(outlets=[self.outlet.key], limit=1):
                return
            self.clock.move(60)
        raise AssertionError("it never comes to an end")

    def shown(self, events: list[Recorded], thread: ThreadId | None = None) -> None:
        """The thread shows exactly what the events come to, in order, once each."""
        wanted = view(told(events), capabilities=self.outlet.capabilities, links=Links())
        slots = self.threads.threads[thread or self.thread].slots
        assert self.outlet.posts == [card.slot for card in wanted]
        assert [self.outlet.messages[slots[card.slot].message_id] for card in wanted] == [
            card.message for card in wanted
        ]


async def test_thread_shows_what_its_history_comes_to() -> None:
    post, events = Post(), stories.final_card().events
    post.threads.happen(post.thread, events)
    await post.deliver()
    post.shown(events)


async def test_delivering_again_calls_nobody() -> None:
    post = Post()
    post.threads.happen(post.thread, stories.executing().events)
    await post.deliver()
    calls, loads = post.outlet.calls, post.threads.loads
    await post.deliver()
    assert (post.outlet.calls, post.threads.loads) == (calls, loads)


async def test_courier_outlives_troubles_that_nobody_thought_of() -> None:
    post, events = Post(), stories.root_card().events
    post.threads.troubles = [RuntimeError("of a sort"), RuntimeError("of another sort")]
    running = asyncio.create_task(post.courier.run())
    post.threads.happen(post.thread, events)

    def looked(times: int) -> bool:
        return post.threads.scans >= times

    for _ in range(3):
        before = post.threads.scans
        await post.signals.notify("threads")
        await eventually(partial(looked, before + 1))
    await eventually(lambda: post.threads.threads[post.thread].thread.delivered_event == events[-1].position)
    running.cancel()
    await asyncio.wait([running])
    post.shown(events)


async def test_courier_that_is_to_finish_waits_for_what_is_on_its_way() -> None:
    post, events = Post(), stories.root_card().events
    post.outlet.hold = asyncio.Event()
    post.threads.happen(post.thread, events)
    running = asyncio.create_task(post.courier.run())
    await eventually(lambda: post.outlet.calls == 1)
    finishing = asyncio.create_task(post.courier.deliver_all())
    for _ in range(50):
        await asyncio.sleep(0)
    post.outlet.hold.set()
    async with asyncio.timeout(10):
        await finishing
    running.cancel()
    await asyncio.wait([running])
    post.shown(events)


async def test_courier_that_is_to_finish_does_not_wait_for_a_thread_that_cannot_be_drawn() -> None:
    post, events = Post(), stories.root_card().events
    post.outlet.faults = deque(["busy"])
    post.threads.happen(post.thread, events)
    running = asyncio.create_task(post.courier.run())
    await eventually(lambda: post.outlet.calls == 1)
    async with asyncio.timeout(0.5):
        await post.courier.deliver_all()
    running.cancel()
    await asyncio.wait([running])


@given(
    faults=st.lists(st.sampled_from(FAULTS), max_size=12),
    cuts=st.lists(st.integers(1, 60), max_size=6).map(sorted),
)
async def test_no_crash_or_lost_answer_makes_a_thread_say_anything_twice(faults: list[Fault], cuts: list[int]) -> None:
    post, events = Post(JournalOutlet(faults=deque(faults))), stories.final_card().events
    for cut in (*cuts, len(events)):
        post.threads.happen(post.thread, events[: min(cut, len(events))])
        try:
            await post.courier.deliver_all()
        except Crash:
            post.courier = post.hire()
        post.clock.move(60)
    await post.deliver()
    post.shown(events)


@given(faults=st.lists(st.sampled_from(FAULTS), max_size=12), cut=st.integers(1, 60))
async def test_platform_with_an_idempotency_key_ends_up_true_as_well(faults: list[Fault], cut: int) -> None:
    keyed = replace(EDITABLE, has_idempotency_key=True)
    post, events = Post(JournalOutlet(faults=deque(faults), capabilities=keyed)), stories.error_card().events
    post.threads.happen(post.thread, events[:cut])
    await post.deliver()
    post.threads.happen(post.thread, events)
    await post.deliver()
    post.shown(events)


async def test_message_that_was_found_again_is_edited_to_be_sure() -> None:
    post, events = Post(JournalOutlet(faults=deque(["crash_after"]))), stories.root_card().events
    post.threads.happen(post.thread, events[:2])
    with pytest.raises(Crash):
        await post.courier.deliver_all()
    post.threads.happen(post.thread, events)
    post.courier = post.hire()
    await post.deliver()
    assert post.outlet.posts.count("root") == 1
    assert post.outlet.edits[0] == "root"
    post.shown(events)


async def test_two_thousand_events_stay_in_two_messages() -> None:
    post, events = Post(), stories.long_story(2000).events
    for position in range(200, 2000, 100):
        post.threads.happen(post.thread, events[:position])
        await post.deliver()
    assert post.outlet.posts == ["root", "progress/1"]


async def test_deleted_message_is_posted_once_more_and_then_the_thread_is_left_alone() -> None:
    post, events = Post(), stories.executing().events
    post.threads.happen(post.thread, events[:-3])
    await post.deliver()
    post.outlet.delete("progress/3")
    post.threads.happen(post.thread, events[:-1])
    await post.deliver()
    assert post.outlet.posts.count("progress/3+") == 1
    post.outlet.delete("progress/3+")
    post.threads.happen(post.thread, events)
    await post.deliver()
    assert post.threads.threads[post.thread].parked
    assert post.threads.threads[post.thread].slots["progress/3+"].state is SlotState.GONE


async def test_thread_that_is_gone_is_parked() -> None:
    post = Post(JournalOutlet(faults=deque(["thread_gone"])))
    post.threads.happen(post.thread, stories.executing().events)
    await post.deliver()
    assert post.threads.threads[post.thread].parked == "archived"
    assert post.outlet.calls == 1


async def test_platform_that_is_busy_is_called_again_when_it_said() -> None:
    post, events = Post(JournalOutlet(faults=deque(["busy"]))), stories.root_card().events
    post.threads.happen(post.thread, events)
    await post.courier.deliver_all()
    assert post.outlet.calls == 1
    post.clock.move(4.9)
    await post.courier.deliver_all()
    assert post.outlet.calls == 1
    post.clock.move(0.2)
    await post.courier.deliver_all()
    post.shown(events)


async def test_edits_of_progress_wait_and_decisions_do_not() -> None:
    post = Post(JournalOutlet(capabilities=replace(EDITABLE, edit_interval_s=3.0)))
    events = stories.permission_card().events
    post.threads.happen(post.thread, events[:-4])
    await post.deliver()
    post.threads.happen(post.thread, events[:-3])
    post.clock.move(60)
    await post.courier.deliver_all()
    edits = len(post.outlet.edits)
    post.clock.move(0.5)
    post.threads.happen(post.thread, events)
    await post.courier.deliver_all()
    assert post.outlet.posts[-1] == "approval/4"
    assert "progress/3" not in post.outlet.edits[edits:]
    post.clock.move(3)
    await post.courier.deliver_all()
    assert post.outlet.edits[-1] == "progress/3"


async def test_where_nothing_can_be_edited_nothing_is_edited() -> None:
    post, events = Post(JournalOutlet(capabilities=PIPE)), stories.final_card().events
    for position in range(1, len(events) + 1):
        post.threads.happen(post.thread, events[:position])
        await post.deliver()
    assert post.outlet.edits == []
    assert post.outlet.posts[0] == "root"
    assert post.outlet.posts[-1] == "final/3"


async def test_sender_that_lost_its_lease_changes_nothing_any_more() -> None:
    post, events = Post(), stories.executing().events
    post.threads.happen(post.thread, events[:-1])
    zombie = post.courier._senders[post.outlet.key]
    async with post.leases.held(post.outlet.key, owner="zombie") as lease:
        assert lease is not None
        await zombie.round(lease)
        post.leases.holders.clear()
        post.threads.happen(post.thread, events)
        stale = await zombie._draft(post.thread)
        assert stale is not None
        post.clock.move(20)
        await post.hire("two").deliver_all()
        calls = post.outlet.calls
        for operation in stale.operations:
            with pytest.raises(FenceLost):
                await zombie._carry_out(stale, operation, lease)
    assert stale.operations
    assert post.outlet.calls == calls
    post.shown(events)


async def test_thread_that_cannot_be_drawn_silences_no_other() -> None:
    post, events = Post(), stories.root_card().events
    other = post.threads.open(number=2)
    broken = replace(events[0], event=replace(events[0].event, phases=None))  # type: ignore[arg-type]
    post.threads.happen(post.thread, [broken, *events[1:]])
    post.threads.happen(other, events)
    await post.courier.deliver_all()
    post.shown(events, other)


# ── the long-lived loop ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_wake_up_is_answered_at_once() -> None:
    post, events = Post(), stories.executing().events
    running = asyncio.create_task(post.courier.run())
    await eventually(lambda: post.threads.scans > 0)
    for count in (3, 10, len(events)):
        post.threads.happen(post.thread, events[:count])
        await post.signals.notify("threads")
        await eventually(
            lambda: post.threads.threads[post.thread].thread.delivered_event == count,  # noqa: B023
            within_s=1.0,
        )
    post.shown(events)
    running.cancel()
    await asyncio.wait([running])
    assert post.leases.holders == {}
    assert post.signals.subscriptions == {}


async def test_two_processes_say_everything_once() -> None:
    post, events = Post(), stories.final_card().events
    couriers = [post.hire("one"), post.hire("two")]
    running = [asyncio.create_task(courier.run()) for courier in couriers]
    for count in range(1, len(events) + 1, 7):
        post.threads.happen(post.thread, events[:count])
        await post.signals.notify("threads")
        await asyncio.sleep(0)
    post.threads.happen(post.thread, events)
    await post.signals.notify("threads")
    await eventually(lambda: post.threads.threads[post.thread].thread.delivered_event == len(events))
    post.shown(events)
    for task in running:
        task.cancel()
    await asyncio.wait(running)
