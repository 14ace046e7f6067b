"""The cards look as they were last reviewed; `python -m tests.golden --update` draws them anew."""

from pathlib import Path

import pytest

from tests.drawings import HERE, drawings

DRAWINGS = drawings()


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: str(path.relative_to(HERE)))
def test_card_is_drawn_as_reviewed(path: Path) -> None:
    assert path.read_text() == DRAWINGS[path]


def test_no_golden_file_is_left_behind() -> None:
    kept = {path for ending in ("*/*.txt", "*/*.json") for path in HERE.glob(ending)}
    assert kept == set(DRAWINGS)
