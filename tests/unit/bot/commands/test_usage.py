"""Command lines that cannot be meant: told in a sentence, with the nearest right one, before anything is started."""

from pathlib import Path

import pytest

from bot.cli import WRONG_USAGE, main


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but the defaults."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIBERATOR_DATA_DIR", str(tmp_path / "data"))


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("chat", ("say which repository",)),
        ("chat --repo .", ("say which agent", "--agent-command")),
        ("chat --repo . --agent claude", ("no such agent", "[[agents]]")),
        ("chat --repo . --agent-command=", ("is empty",)),
        ("chat --repo . --agent-command 'a", ("check its quotes",)),
        ("chat --repo . --agent-command a --agent b", ("give one of them",)),
        ("chat --repo . --agent-command a --agent-env NOT_THERE", ("NOT_THERE", "set it first")),
        ("chat --resume abcde --repo .", ("leave --repo out",)),
        ("serve --only web,dilevery", ("no dilevery", "delivery, supervisor, web, worker-api")),
        ("project add Bad! . --agent-command a", ("small letters",)),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str, pieces: tuple[str, ...]
) -> None:
    assert main(line.split(" ")) == WRONG_USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("viberator: ")
    assert all(piece in err for piece in pieces), err
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("chat --rpeo x", "viberator chat: error: there is no --rpeo here; did you mean --repo?"),
        ("session list --jsn", "viberator session list: error: there is no --jsn here; did you mean --json?"),
        ("demo please", "there is no please here"),
        ("dmeo", "invalid choice: 'dmeo'"),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest_right_one(
    capsys: pytest.CaptureFixture[str], line: str, sentence: str
) -> None:
    assert main(line.split(" ")) == WRONG_USAGE
    assert sentence in capsys.readouterr().err
