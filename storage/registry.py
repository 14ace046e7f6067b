"""What is set up: workspaces, installations, projects and which channel belongs to which of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import asyncpg

from conversations.models import Installation
from sessions.models import AgentProfile, InstallationId, Person, Project, ProjectId, Role, Session, WorkspaceId
from storage import rows
from storage.codec import codec
from storage.database import Database
from storage.errors import ConstraintBroken
from storage.ledger import LEDGER
from storage.queries import load
from storage.statements import Statements
from storage.system import System

REGISTRY: Final = load("registry")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSession:
    """A session as lists show it, with its ticket's key and title."""

    session: Session
    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Registry:
    database: Database

    async def ensure_workspace(self, name: str, *, new: WorkspaceId) -> WorkspaceId:
        """The workspace by that name, made with the id `new` if there is none."""
        row = await System(self.database).row("ensure_workspace", new, name)
        assert row is not None
        return WorkspaceId(row["id"])

    async def ensure_installation(self, installation: Installation) -> Installation:
        """The installation by its platform's id, made if there is none; an id that it has already stays.

        Raises `ConstraintBroken` when another workspace has it.
        """
        try:
            async with self.database.app(installation.workspace) as connection:
                found = await Statements(connection, REGISTRY).value(
                    "put_installation",
                    installation.id,
                    installation.platform,
                    installation.external_id,
                    installation.outlet,
                )
        except asyncpg.InsufficientPrivilegeError as error:
            raise ConstraintBroken("installations_one_per_external_id", installation.external_id) from error
        assert isinstance(found, UUID)
        return replace(installation, id=InstallationId(found))

    async def find_installation(self, platform: str, external_id: str) -> Installation | None:
        row = await System(self.database).row("find_installation", platform, external_id)
        return _installation(row) if row else None

    async def installations(self) -> Sequence[Installation]:
        """Those of all workspaces."""
        return [_installation(row) for row in await System(self.database).rows("installations")]

    async def put_project(self, project: Project) -> Project:
        """Add or change the project of that name; an id that it has already stays."""
        async with self.database.app(project.workspace) as connection:
            found = await Statements(connection, REGISTRY).value(
                "put_project",
                project.id,
                project.name,
                project.repository,
                project.branch,
                codec(AgentProfile).dump(project.agent),
                project.phases,
                project.deciders,
                project.test_command,
                project.protected_paths,
                project.templates_dir,
                project.declared,
            )
        assert isinstance(found, UUID)
        return replace(project, id=ProjectId(found))

    async def projects(self, workspace: WorkspaceId) -> Sequence[Project]:
        async with self.database.app(workspace) as connection:
            return [rows.project(row) for row in await Statements(connection, LEDGER).rows("projects")]

    async def bind_channel(
        self, workspace: WorkspaceId, installation: InstallationId, channel: str, project: ProjectId
    ) -> None:
        async with self.database.app(workspace) as connection:
            await Statements(connection, REGISTRY).run("bind_channel", installation, channel, project)

    async def put_member(self, workspace: WorkspaceId, person: Person) -> None:
        values = (person.installation, person.external_id, person.name, person.email, person.role)
        async with self.database.app(workspace) as connection:
            await Statements(connection, REGISTRY).run("put_member", *values)

    async def find_member(
        self, workspace: WorkspaceId, installation: InstallationId, external_id: str
    ) -> Person | None:
        async with self.database.app(workspace) as connection:
            row = await Statements(connection, REGISTRY).row("member", installation, external_id)
        if row is None:
            return None
        return Person(
            installation=installation,
            external_id=external_id,
            name=row["name"],
            email=row["email"],
            role=Role(row["role"]),
        )

    async def sessions(self, workspace: WorkspaceId, *, limit: int = 50) -> Sequence[ListedSession]:
        """Those of the newest tickets, newest first."""
        async with self.database.app(workspace) as connection:
            found = await Statements(connection, REGISTRY).rows("all_sessions", limit)
        return [
            ListedSession(session=rows.session(row), key=row["ticket_key"], title=row["ticket_title"]) for row in found
        ]


def _installation(row: asyncpg.Record) -> Installation:
    return Installation(
        id=InstallationId(row["id"]),
        workspace=WorkspaceId(row["workspace_id"]),
        platform=row["platform"],
        external_id=row["external_id"],
        outlet=row["outlet"],
    )
