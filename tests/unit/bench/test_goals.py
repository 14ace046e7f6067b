from bench.goals import AtLeast, AtMost, Never, Verdict, judge


def test_a_ratio_on_the_goal_passes() -> None:
    assert judge(AtMost(5), ours=[5.0], base=[1.0], ratio=5.0) is Verdict.PASS
    assert judge(AtLeast(0.4), ours=[4.0], base=[10.0], ratio=0.4) is Verdict.PASS


def test_a_ratio_past_the_goal_fails() -> None:
    assert judge(AtMost(5), ours=[5.1], base=[1.0], ratio=5.1) is Verdict.FAIL
    assert judge(AtLeast(0.4), ours=[3.9], base=[10.0], ratio=0.39) is Verdict.FAIL


def test_a_base_that_varies_more_than_threefold_is_noisy_whatever_the_ratio() -> None:
    assert judge(AtMost(5), ours=[1.0, 1.0], base=[1.0, 3.1], ratio=0.5) is Verdict.NOISY
    assert judge(AtMost(5), ours=[90.0, 90.0], base=[1.0, 3.1], ratio=50.0) is Verdict.NOISY


def test_a_base_that_varies_just_threefold_is_judged() -> None:
    assert judge(AtMost(5), ours=[1.0, 1.0], base=[1.0, 3.0], ratio=0.5) is Verdict.PASS


def test_our_own_spread_is_no_excuse() -> None:
    assert judge(AtMost(1), ours=[1.0, 99.0], base=[1.0, 1.0], ratio=50.0) is Verdict.FAIL


def test_a_base_that_measured_nothing_in_one_repetition_is_noisy() -> None:
    assert judge(AtMost(5), ours=[1.0, 1.0], base=[0.0, 1.0], ratio=2.0) is Verdict.NOISY


def test_what_may_never_happen_fails_when_it_happened_once() -> None:
    assert judge(Never(), ours=[0, 0, 0], base=[], ratio=None) is Verdict.PASS
    assert judge(Never(), ours=[0, 1, 0], base=[], ratio=None) is Verdict.FAIL
