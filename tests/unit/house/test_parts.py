"""The rules by which a run uses optional parts, leaves them out, or refuses to begin."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import PARTS, Part, PartMissing, PartUnknown, choose

_HERE = Part(name="here", absence=lambda _: None, remedy="nothing")
_GONE = Part(name="gone", absence=lambda _: "it is not built", remedy="building it")
_BOTH = {"here": _HERE, "gone": _GONE}
_ROOT = Path(__file__).parents[3]


def test_a_plain_run_leaves_every_part_out() -> None:
    choice = choose(_BOTH, {}, all_present=False)
    assert choice.used == frozenset()
    assert choice.left_out["here"] == "`make test` runs without it"


def test_a_whole_run_uses_the_parts_that_are_here() -> None:
    choice = choose(_BOTH, {}, all_present=True)
    assert choice.used == {"here"}
    assert choice.left_out == {"gone": "it is not built"}


def test_a_part_that_must_be_here_and_is_not_refuses_the_run() -> None:
    with pytest.raises(PartMissing, match=r"names gone, but it is not built; get it by building it"):
        choose(_BOTH, {"VIBERATOR_TEST_NEEDS": "here, gone"}, all_present=True)


def test_a_part_that_must_be_here_is_used_in_a_plain_run_too() -> None:
    assert choose(_BOTH, {"VIBERATOR_TEST_NEEDS": "here"}, all_present=False).used == {"here"}


def test_a_part_nobody_knows_refuses_the_run() -> None:
    with pytest.raises(PartUnknown, match="there are here, gone"):
        choose(_BOTH, {"VIBERATOR_TEST_NEEDS": "hear"}, all_present=False)


def test_an_agent_is_missing_until_its_program_can_be_run(tmp_path: Path) -> None:
    absence = PARTS["agent"].absence
    environ = {"VIBERATOR_TEST_AGENT_DIR": str(tmp_path)}
    assert absence({}) == "VIBERATOR_TEST_AGENT_DIR is not set"
    assert "is no program" in (absence(environ) or "")
    program = tmp_path / "bin" / "kimi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert absence(environ) is None


def test_the_summary_says_what_was_left_out_and_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(
        "import pytest\n@pytest.mark.needs('pg15')\n@pytest.mark.parametrize('n', [1, 2])\ndef test_it(n): pass\n"
    )
    command = (sys.executable, "-m", "pytest", "-n2", "-c", f"{_ROOT}/pyproject.toml", f"--rootdir={_ROOT}")
    ran = subprocess.run(
        [*command, "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=_ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "left out: pg15 (2 tests) because `make test` runs without it; get it by `apt-get" in ran.stdout, ran.stdout
    assert "no test in this run needs: docker, redis, chromium, agent, failpoints" in ran.stdout
