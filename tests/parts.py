"""The optional parts: what some tests need and a machine may not have.

A test says `@pytest.mark.needs("pg15")`. `make test` leaves such tests out, `make test-all` runs those whose parts are
here, and a part named in `VIBERATOR_TEST_NEEDS` must be here: the run is refused without it.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

NEEDS_VARIABLE = "VIBERATOR_TEST_NEEDS"
AGENT_VARIABLE = "VIBERATOR_TEST_AGENT_DIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`absence` says why the part is not here, and nothing where it is; `remedy` says how to get it."""

    name: str
    absence: Callable[[Mapping[str, str]], str | None]
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which parts a run uses, and why it leaves each of the others out."""

    used: frozenset[str]
    left_out: Mapping[str, str]


class PartUnknown(Exception):
    """`name` is no part; `known` are those there are."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no optional part {name!r}; there are {', '.join(known)}")


class PartMissing(Exception):
    """A part that must be here is not."""

    def __init__(self, part: Part, reason: str) -> None:
        super().__init__(f"{NEEDS_VARIABLE} names {part.name}, but {reason}; get it by {part.remedy}")


def choose(parts: Mapping[str, Part], environ: Mapping[str, str], *, all_present: bool) -> Choice:
    """The parts that this run uses; raises `PartUnknown` and `PartMissing` for what `VIBERATOR_TEST_NEEDS` asks."""
    needed = tuple(name.strip() for name in environ.get(NEEDS_VARIABLE, "").split(",") if name.strip())
    for name in needed:
        if name not in parts:
            raise PartUnknown(name, parts)
        if reason := parts[name].absence(environ):
            raise PartMissing(parts[name], reason)
    left_out = {
        name: reason
        for name, part in parts.items()
        if name not in needed and (reason := _reason(part, environ, all_present=all_present))
    }
    return Choice(used=frozenset(parts) - frozenset(left_out), left_out=left_out)


def postgres_binaries(version: int) -> Path | None:
    """Where a distribution keeps the programs of that PostgreSQL, if it is installed."""
    places = (Path(f"/usr/lib/postgresql/{version}/bin"), Path(f"/usr/pgsql-{version}/bin"))
    return next((place for place in places if (place / "initdb").exists()), None)


def _reason(part: Part, environ: Mapping[str, str], *, all_present: bool) -> str | None:
    if not all_present:
        return "`make test` runs without it"
    return part.absence(environ)


def _no_postgres_15(_environ: Mapping[str, str]) -> str | None:
    return None if postgres_binaries(15) else "there is no /usr/lib/postgresql/15/bin/initdb"


def _no_agent(environ: Mapping[str, str]) -> str | None:
    directory = environ.get(AGENT_VARIABLE)
    if not directory:
        return f"{AGENT_VARIABLE} is not set"
    program = Path(directory) / "bin" / "kimi"
    return None if os.access(program, os.X_OK) else f"{program} is no program"


def _no_program(*names: str) -> Callable[[Mapping[str, str]], str | None]:
    def absence(environ: Mapping[str, str]) -> str | None:
        missing = [name for name in names if shutil.which(name, path=environ.get("PATH")) is None]
        return f"there is no {' and no '.join(missing)} on the PATH" if missing else None

    return absence


def _never_missing(_environ: Mapping[str, str]) -> str | None:
    return None


PARTS: Mapping[str, Part] = {
    part.name: part
    for part in (
        Part(
            name="docker",
            absence=_no_program("docker", "dockerd"),
            remedy="`apt-get install docker.io iptables busybox-static`",
        ),
        Part(name="redis", absence=_no_program("redis-server"), remedy="`apt-get install redis-server`"),
        Part(name="pg15", absence=_no_postgres_15, remedy="`apt-get install postgresql-15`"),
        Part(name="chromium", absence=_no_program("chromium"), remedy="`apt-get install chromium`"),
        Part(
            name="agent",
            absence=_no_agent,
            remedy=f"`tests/agents/install DIRECTORY` and `export {AGENT_VARIABLE}=DIRECTORY`",
        ),
        Part(name="failpoints", absence=_never_missing, remedy="`make test-all`, which takes the minutes they need"),
    )
}
