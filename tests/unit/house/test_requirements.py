"""The locked versions are those that `pyproject.toml` asks for, each with its hashes."""

import re
import tomllib
from collections.abc import Iterator, Mapping

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.house.repository import ROOT

_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;]+)")


def _locked(name: str) -> Mapping[str, str]:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return {canonicalize_name(pin[1]): pin[2] for line in text.splitlines() if (pin := _PIN.match(line))}


def _wanted(group: str) -> Iterator[Requirement]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]["dependencies"] if group == "dev" else []
    return (Requirement(line) for line in [*project, *settings["dependency-groups"][group]])


@pytest.mark.parametrize("group", ["dev", "bootstrap"])
def test_the_lock_holds_what_is_asked_for(group: str) -> None:
    lock = f"{group}.txt"
    locked = _locked(lock)
    for wanted in _wanted(group):
        version = locked.get(canonicalize_name(wanted.name))
        assert version is not None, f"{wanted.name} is not in requirements/{lock}: make lock"
        assert wanted.specifier.contains(version, prereleases=True), f"{wanted} is locked to {version}: make lock"


@pytest.mark.parametrize("lock", ["dev.txt", "bootstrap.txt"])
def test_every_locked_version_has_a_hash(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
