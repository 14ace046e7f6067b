"""What no file of the repository may hold."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.unit.house.repository import PACKAGES, ROOT, sources, texts, tracked

# Put together here, so that this file does not hold what it forbids.
_PACKAGE_INDEXES = tuple(
    ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"))
)
_HOMES = re.compile(r"/(?:home|Users)/(?!dana\b|lee\b)[a-z][\w.-]*/")
_REMINDER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b(?!\(\w+, \d{4}-\d{2}-\d{2}\))")
_LONGEST_MODULE = 350
# Lists of nouns, each read by itself.
_VOCABULARIES = {Path("sessions/events.py"), Path("sessions/models.py"), Path("sessions/ports.py")}


def test_no_file_names_a_package_index() -> None:
    named = [f"{path}: {index}" for path, text in texts() for index in _PACKAGE_INDEXES if index in text]
    assert named == []


def test_no_file_names_somebody_s_home_or_this_checkout() -> None:
    own = f"{ROOT}/"
    assert [str(path) for path, text in texts() if own in text or _HOMES.search(text)] == []


def test_no_lock_records_where_packages_were_downloaded() -> None:
    names = {path.name for path in tracked()}
    assert names.isdisjoint({"uv.lock", "poetry.lock", "Pipfile.lock", "yarn.lock", "pnpm-lock.yaml"})
    assert [str(path) for path, text in texts() if path.name == "package-lock.json" and '"resolved"' in text] == []


def test_a_reminder_has_an_owner_and_a_date() -> None:
    lines = ((path, line) for path, text in texts() for line in text.splitlines() if not line.startswith('#   "'))
    assert [f"{path}: {line.strip()}" for path, line in lines if _REMINDER.search(line)] == []


def test_nothing_is_mocked_or_patched() -> None:
    found = [f"{path}:{line}" for path, text in sources() for line in _mocking(ast.parse(text))]
    assert found == []


def test_the_library_s_web_is_never_taken_for_ours() -> None:
    assert [str(path) for path, text in sources() if "aiohttp.web" in _names_bound(ast.parse(text))] == []


def test_no_module_is_too_long_to_read() -> None:
    lengths = {
        path: text.count("\n") for path, text in sources() if path.parts[0] in PACKAGES and path not in _VOCABULARIES
    }
    assert {str(path): lines for path, lines in lengths.items() if lines > _LONGEST_MODULE} == {}


def test_no_package_hands_on_what_it_did_not_make() -> None:
    inits = ((path, ast.parse(text)) for path, text in sources() if path.name == "__init__.py")
    imports = (ast.Import, ast.ImportFrom)
    assert [str(path) for path, tree in inits if any(isinstance(node, imports) for node in ast.walk(tree))] == []


def test_unit_tests_mirror_the_packages() -> None:
    folders = {path.parts[2] for path in tracked() if path.parts[:2] == ("tests", "unit") and len(path.parts) > 3}
    assert folders <= {*PACKAGES, "bench", "house"}


def test_every_script_can_be_run_and_parsed() -> None:
    scripts = [(path, text) for path, text in texts() if text.startswith("#!")]
    assert [str(path) for path, _ in scripts if not (ROOT / path).stat().st_mode & 0o100] == []
    for path, text in scripts:
        shell = Path(text.splitlines()[0].split()[-1]).name
        if shell in {"sh", "bash"}:
            subprocess.run([shell, "-n", str(ROOT / path)], check=True)


def _mocking(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="unittest.mock") | ast.ImportFrom(module="mock"):
                yield node.lineno
            case ast.Import(names=names) if any(alias.name in {"mock", "unittest.mock"} for alias in names):
                yield node.lineno
            case ast.ImportFrom(module="unittest", names=names) if any(alias.name == "mock" for alias in names):
                yield node.lineno
            case ast.Attribute(value=ast.Name(id="monkeypatch"), attr="setattr" | "setitem" | "delattr"):
                yield node.lineno
            case _:
                pass


def _names_bound(tree: ast.Module) -> set[str]:
    """Modules that are imported as modules, by their full names."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {f"{module}.{alias.name}" for alias in names}
            case _:
                pass
    return found
