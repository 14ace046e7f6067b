"""Token buckets and the pause between edits."""

from conversations.limits import Pace, edit_interval_s, full_bucket, take
from conversations.messages import Urgency


def test_bucket_holds_a_burst_and_then_fills_at_its_rate() -> None:
    bucket = full_bucket(calls_per_minute=60, now_s=0)
    for _ in range(10):
        bucket, wait_s = take(bucket, now_s=0)
        assert wait_s == 0
    bucket, wait_s = take(bucket, now_s=0)
    assert wait_s == 1
    bucket, wait_s = take(bucket, now_s=1)
    assert wait_s == 0


def test_clock_that_stands_still_fills_nothing() -> None:
    bucket = full_bucket(calls_per_minute=6, now_s=100)
    bucket, _ = take(bucket, now_s=100)
    assert take(bucket, now_s=90)[1] == 10


def test_share_of_the_bucket_is_kept_for_decisions() -> None:
    pace = Pace(calls_per_minute=60, edit_interval_s=0)
    spent = sum(pace.wait_s(Urgency.PROGRESS, f"card/{n}", edit=False, now_s=0) == 0 for n in range(20))
    assert spent == 8
    assert pace.wait_s(Urgency.DECISION, "card/d", edit=False, now_s=0) == 0
    assert pace.wait_s(Urgency.FINAL, "card/f", edit=True, now_s=0) == 0


def test_interval_grows_with_the_cards_that_are_live() -> None:
    assert edit_interval_s(1, least_s=3, edits_per_minute=40) == 3
    assert edit_interval_s(4, least_s=3, edits_per_minute=40) == 6
    assert edit_interval_s(500, least_s=3, edits_per_minute=0) == 3


def test_only_edits_of_progress_are_held_to_the_interval() -> None:
    pace = Pace(calls_per_minute=0, edit_interval_s=3)
    assert pace.wait_s(Urgency.PROGRESS, "p", edit=True, now_s=0) == 0
    assert pace.wait_s(Urgency.PROGRESS, "p", edit=True, now_s=1) == 2
    assert pace.wait_s(Urgency.PROGRESS, "q", edit=True, now_s=1) == 0
    assert pace.wait_s(Urgency.RECEIPT, "p", edit=True, now_s=1) == 0
    assert pace.wait_s(Urgency.PROGRESS, "p", edit=True, now_s=3) == 0


def test_cards_that_were_not_edited_for_a_minute_are_forgotten() -> None:
    pace = Pace(calls_per_minute=50, edit_interval_s=3)
    for n in range(100):
        pace.wait_s(Urgency.PROGRESS, f"card/{n}", edit=True, now_s=n * 10)
    assert len(pace.edited_at_s) < 10


def test_platform_that_had_too_much_is_left_alone() -> None:
    pace = Pace(calls_per_minute=0, edit_interval_s=0)
    pace.block(30, now_s=0)
    assert pace.wait_s(Urgency.DECISION, "d", edit=False, now_s=10) == 20
    assert pace.wait_s(Urgency.DECISION, "d", edit=False, now_s=30) == 0
