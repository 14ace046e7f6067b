"""The demo's sample project."""

import subprocess
import sys
from pathlib import Path

from bot.demo import sample
from tests.repositories import git


def test_the_history_is_the_same_at_every_place(tmp_path: Path) -> None:
    made = [sample.make(tmp_path / place) for place in ("here", "there")]
    heads = {git(one.remote, "rev-parse", "main") for one in made}
    assert len(heads) == 1
    assert git(made[0].remote, "log", "--format=%an: %s", "main").splitlines() == [
        "Kim Ode: Let customers have no discount",
        "Robin Vale: Take discounts off the price",
        "Robin Vale: Charge for parts of a month",
    ]


def test_the_remote_is_bare_and_sound(tmp_path: Path) -> None:
    made = sample.make(tmp_path)
    assert git(made.remote, "rev-parse", "--is-bare-repository") == "true"
    assert git(made.remote, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert git(made.remote, "fsck", "--strict") == ""


def test_making_it_again_changes_nothing(tmp_path: Path) -> None:
    made = sample.make(tmp_path)
    git(made.remote, "branch", "viberator/kept", "main")
    (made.checkout / "mine.txt").write_text("mine")
    assert sample.make(tmp_path) == made
    assert git(made.remote, "rev-parse", "viberator/kept")
    assert (made.checkout / "mine.txt").exists()


def test_what_was_begun_and_not_finished_is_made(tmp_path: Path) -> None:
    (tmp_path / "widgets.git").mkdir()
    made = sample.make(tmp_path)
    assert git(made.checkout, "rev-parse", "HEAD") == git(made.remote, "rev-parse", "main")


def test_its_tests_are_red_for_the_missing_discount_alone(tmp_path: Path) -> None:
    made = sample.make(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-B", "-m", "tests"], cwd=made.checkout, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "FAIL  a customer without a discount pays the full price" in ran.stdout
    assert "widgets/billing.py:18" in ran.stdout
    assert "TypeError" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "4 tests: 3 passed, 1 failed"
    assert str(made.checkout) not in ran.stdout
