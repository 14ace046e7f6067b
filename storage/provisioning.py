"""What must be there before anybody files a ticket: workspaces, installations, projects and the people of a terminal.

These statements run as `system`, since they make the very rows by which workspaces are told apart.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg

from conversations.models import Installation
from sessions.models import InstallationId, Person, Project, ProjectId, WorkspaceId
from sessions.ports import Ids
from storage.database import Database
from storage.queries import load

_SQL = load("provisioning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioning:
    database: Database
    ids: Ids

    async def workspace(self, name: str = "default") -> WorkspaceId:
        """The workspace of that name, made if need be."""
        async with self.database.system() as connection:
            found: UUID = await connection.fetchval(_SQL["ensure_workspace"], self.ids.uuid(), name)
        return WorkspaceId(found)

    async def installation(
        self, workspace: WorkspaceId, *, platform: str, external_id: str, outlet: str
    ) -> Installation:
        """The installation of that external id, made if need be."""
        async with self.database.system() as connection:
            rows = await connection.fetch(
                _SQL["ensure_installation"], self.ids.uuid(), workspace, platform, external_id, outlet
            )
        return _installation(rows[0])

    async def installations(self) -> Sequence[Installation]:
        """Those of all workspaces, but the terminals."""
        async with self.database.system() as connection:
            rows = await connection.fetch(_SQL["installations"])
        return [_installation(row) for row in rows]

    async def terminal_of(self, ticket_key: str) -> Installation | None:
        async with self.database.system() as connection:
            row = await connection.fetchrow(_SQL["terminal_of_ticket"], ticket_key)
        return None if row is None else _installation(row)

    async def put_project(self, project: Project) -> Project | None:
        """The project with its id, made or changed by its name; None when the settings declare it and this does not.

        The agent's environment is left out: what it may hold stands in the settings only.
        """
        agent = {"name": project.agent.name, "command": project.agent.command, "title": project.agent.title}
        async with self.database.system() as connection:
            found: UUID | None = await connection.fetchval(
                _SQL["put_project"],
                project.id,
                project.workspace,
                project.name,
                project.repository,
                project.branch,
                json.dumps(agent | {"instructions": project.agent.instructions}),
                [str(phase) for phase in project.phases],
                list(project.deciders),
                project.test_command,
                list(project.protected_paths),
                project.templates_dir,
                project.declared,
            )
        return None if found is None else replace(project, id=ProjectId(found))

    async def undeclare_projects(self, workspace: WorkspaceId, *, still_declared: Sequence[str]) -> None:
        async with self.database.system() as connection:
            await connection.execute(_SQL["undeclare_projects"], workspace, list(still_declared))

    async def project_repositories(self, workspace: WorkspaceId) -> Mapping[str, str]:
        """The repositories of all projects by the projects' names."""
        async with self.database.system() as connection:
            rows = await connection.fetch(_SQL["project_repositories"], workspace)
        return {row["name"]: row["repository"] for row in rows}

    async def bind_channel(self, installation: Installation, channel: str, project: Project) -> None:
        """What is asked for in the channel is meant for the project."""
        async with self.database.system() as connection:
            await connection.execute(_SQL["bind_channel"], installation.workspace, installation.id, channel, project.id)

    async def put_member(self, workspace: WorkspaceId, person: Person) -> None:
        async with self.database.system() as connection:
            await connection.execute(
                _SQL["put_member"],
                workspace,
                person.installation,
                person.external_id,
                person.name,
                person.email,
                str(person.role),
            )


def _installation(row: asyncpg.Record) -> Installation:
    return Installation(
        id=InstallationId(row["id"]),
        workspace=WorkspaceId(row["workspace_id"]),
        platform=row["platform"],
        external_id=row["external_id"],
        outlet=row["outlet"],
    )
