"""By what name a bot finds again what it left."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.engines import kept_name


def test_the_name_is_the_data_directorys_own_and_stays(tmp_path: Path) -> None:
    here, there = kept_name(tmp_path / "here"), kept_name(tmp_path / "there")
    assert here == kept_name(tmp_path / "here")
    assert here != there


def test_the_name_is_not_the_machines_which_changes_with_every_container(tmp_path: Path) -> None:
    name = kept_name(tmp_path / "here")
    moved = (tmp_path / "here").rename(tmp_path / "elsewhere")
    assert kept_name(moved) == name


def test_two_that_begin_at_once_have_the_same_name(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as several:
        assert len(set(several.map(kept_name, [tmp_path] * 8))) == 1
