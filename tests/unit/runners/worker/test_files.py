import os
from pathlib import Path

import pytest

from runners.worker.errors import PathOutside
from runners.worker.files import read_inside, read_text, write_inside


def test_a_file_inside_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.txt").write_text(" x \n")
    (tmp_path / "link").symlink_to("a/b.txt")
    assert read_text(tmp_path, "a/b.txt") == read_text(tmp_path, "link") == "x"


@pytest.mark.parametrize("path", ["../out", "link", "pipe", "folder", "/dev/zero", "large"])
def test_nothing_else_is_read(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "out").write_text("x")
    (root / "link").symlink_to("../out")
    (root / "large").write_bytes(b"x" * 2000)
    os.mkfifo(root / "pipe")
    with pytest.raises((PathOutside, OSError)):
        read_inside(root, path, limit=1000)
    assert read_text(root, path, limit=1000) is None


def test_an_empty_file_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(" \n")
    assert read_text(tmp_path, "a") is None
    assert read_text(tmp_path, "b") is None


def test_a_document_is_written_in_place_of_a_link_and_not_through_it(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / ".viberator").mkdir(parents=True)
    (tmp_path / "out").write_text("x")
    (root / ".viberator/research.md").symlink_to(tmp_path / "out")
    write_inside(root, Path(".viberator/research.md"), "text")
    assert (tmp_path / "out").read_text() == "x"
    assert read_text(root, ".viberator/research.md") == "text"


def test_a_folder_that_leads_out_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / ".viberator").symlink_to(tmp_path)
    with pytest.raises(PathOutside):
        write_inside(root, Path(".viberator/research.md"), "text")
