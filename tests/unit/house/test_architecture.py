"""`docs/architecture.md` names what is there."""

import re

import pytest

from tests.unit.house.repository import PACKAGES, ROOT, tracked

_DOCUMENT = ROOT / "docs" / "architecture.md"
_FIRST = "|".join((*PACKAGES, "bench", "tests"))
_MODULE = re.compile(rf"`((?:{_FIRST})(?:\.[A-Za-z_]\w*)+)`")
_PATH = re.compile(rf"`((?:{_FIRST}|docs)/[\w./*-]*)`")


@pytest.fixture(scope="module")
def document() -> str:
    return _DOCUMENT.read_text(encoding="utf-8")


def test_every_module_it_names_exists(document: str) -> None:
    named = _MODULE.findall(document)
    assert named, "it names no module at all"
    assert [name for name in named if not _exists(name)] == []


def test_every_path_it_names_exists(document: str) -> None:
    assert [path for path in _PATH.findall(document) if not list(ROOT.glob(path.rstrip("/")))] == []


def test_it_names_every_package(document: str) -> None:
    packages = {
        ".".join(path.parts[:-1]) for path in tracked() if path.name == "__init__.py" and path.parts[0] in PACKAGES
    }
    named = {name for name in packages if f"`{name}`" in document or f"`{name.replace('.', '/')}" in document}
    assert packages - named == set()


def _exists(name: str) -> bool:
    """As a module or a package; or as what a module defines, when the last part is a name in it."""
    place = ROOT.joinpath(*name.split("."))
    if place.is_dir() or place.with_suffix(".py").is_file():
        return True
    module = place.parent.with_suffix(".py")
    definition = rf"^(?:async def|def|class) {re.escape(place.name)}\b|^{re.escape(place.name)}\b.*="
    return module.is_file() and re.search(definition, module.read_text(encoding="utf-8"), re.MULTILINE) is not None
