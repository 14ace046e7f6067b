"""Which project a new ticket belongs to: the one that was named, that of the channel, or the only one; never a guess."""

from collections.abc import Sequence
from typing import Protocol

from sessions.errors import ProjectUnknown
from sessions.models import Project, ProjectId
from sessions.ports import Place


class Bindings(Protocol):
    """Which project a channel is bound to."""

    async def project_of(self, place: Place) -> ProjectId | None: ...


class NoBindings:
    """No channel belongs to any project, as in a terminal."""

    async def project_of(self, place: Place) -> ProjectId | None:
        del place
        return None


def choose(projects: Sequence[Project], *, named: str, bound: ProjectId | None) -> Project | None:
    """None where somebody has to pick. Raises `ProjectUnknown` for a name that is none."""
    if named:
        return _named(projects, named)
    for project in projects:
        if project.id == bound:
            return project
    return projects[0] if len(projects) == 1 else None


def _named(projects: Sequence[Project], named: str) -> Project:
    """By its name, or by its repository as far as people write it."""
    wanted = named.casefold()
    for project in projects:
        if project.name.casefold() == wanted:
            return project
    same = [one for one in projects if wanted in {one.repository.casefold(), _short(one.repository)}]
    if len(same) != 1:
        raise ProjectUnknown(named, tuple(project.name for project in projects))
    return same[0]


def _short(repository: str) -> str:
    return repository.casefold().rstrip("/").removesuffix(".git").rpartition("/")[2]
