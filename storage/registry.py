"""What is set up: workspaces, installations, projects and which channel belongs to which of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import asyncpg

from conversations.models import Installation
from sessions.models import AgentProfile, InstallationId, Person, Project, ProjectId, WorkspaceId
from storage import rows
from storage.codec import codec
from storage.database import Database
from storage.errors import ConstraintBroken
from storage.ledger import LEDGER
from storage.queries import load
from storage.statements import Statements
from storage.system import System

REGISTRY: Final = load("registry")


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

    async def installations(self) -> Sequence[Installation]:
        """Those of all workspaces."""
        return [_installation(row) for row in await System(self.database).rows("installations")]

    async def find_terminal(self, ticket_key: str) -> Installation | None:
        """The terminal in which the ticket of that key was filed."""
        row = await System(self.database).row("terminal_of_ticket", ticket_key)
        return _installation(row) if row else None

    async def put_project(self, project: Project) -> Project | None:
        """Add or change the project of that name; an id that it has already stays.

        None when the settings declare it and this one does not come from there. The agent's environment is left out:
        it may hold keys, which stand in the settings only.
        """
        agent = replace(project.agent, environment=())
        async with self.database.app(project.workspace) as connection:
            found = await Statements(connection, REGISTRY).value(
                "put_project",
                project.id,
                project.name,
                project.repository,
                project.branch,
                codec(AgentProfile).dump(agent),
                project.phases,
                project.deciders,
                project.test_command,
                project.protected_paths,
                project.templates_dir,
                project.declared,
            )
        return replace(project, id=ProjectId(found)) if isinstance(found, UUID) else None

    async def undeclare_projects(self, workspace: WorkspaceId, *, still_declared: Sequence[str]) -> None:
        """What the settings no longer declare stays, and may be changed by command again."""
        async with self.database.app(workspace) as connection:
            await Statements(connection, REGISTRY).run("undeclare_projects", list(still_declared))

    async def projects(self, workspace: WorkspaceId) -> Sequence[Project]:
        async with self.database.app(workspace) as connection:
            return [rows.project(row) for row in await Statements(connection, LEDGER).rows("projects")]

    async def bind_channel(
        self, workspace: WorkspaceId, installation: InstallationId, channel: str, project: ProjectId
    ) -> None:
        async with self.database.app(workspace) as connection:
            await Statements(connection, REGISTRY).run("bind_channel", installation, channel, project)

    async def unbind_channels(self, workspace: WorkspaceId, project: ProjectId) -> None:
        """No channel stands for the project any more, but those of terminals."""
        async with self.database.app(workspace) as connection:
            await Statements(connection, REGISTRY).run("unbind_channels", project)

    async def put_member(self, workspace: WorkspaceId, person: Person) -> None:
        values = (person.installation, person.external_id, person.name, person.email, person.role)
        async with self.database.app(workspace) as connection:
            await Statements(connection, REGISTRY).run("put_member", *values)


def _installation(row: asyncpg.Record) -> Installation:
    return Installation(
        id=InstallationId(row["id"]),
        workspace=WorkspaceId(row["workspace_id"]),
        platform=row["platform"],
        external_id=row["external_id"],
        outlet=row["outlet"],
    )
