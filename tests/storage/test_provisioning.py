"""Workspaces, installations and projects are made once, whoever asks for them."""

from dataclasses import replace

from bot.ambient import RandomIds
from sessions.models import AgentProfile, Project, ProjectId
from storage.database import Database
from storage.provisioning import Provisioning

AGENT = AgentProfile(name="scripted", command=("agent", "--acp"), environment=(("KEY", "s3cret"),))


async def test_the_same_names_lead_to_the_same_rows(database: Database) -> None:
    provisioning = Provisioning(database=database, ids=RandomIds())
    workspace = await provisioning.workspace()
    first = await provisioning.installation(workspace, platform="terminal", external_id="a", outlet="terminal:a")
    again = await provisioning.installation(workspace, platform="terminal", external_id="a", outlet="terminal:a")
    assert await provisioning.workspace() == workspace
    assert again == first


async def test_a_command_cannot_change_what_the_settings_declare(database: Database) -> None:
    ids = RandomIds()
    provisioning = Provisioning(database=database, ids=ids)
    workspace = await provisioning.workspace()
    declared = Project(
        id=ProjectId(ids.uuid()),
        workspace=workspace,
        name="widgets",
        repository="/srv/widgets",
        branch="main",
        agent=AGENT,
        declared=True,
    )
    stored = await provisioning.put_project(declared)
    assert stored == declared
    by_command = replace(declared, id=ProjectId(ids.uuid()), branch="other", declared=False)
    assert await provisioning.put_project(by_command) is None

    await provisioning.undeclare_projects(workspace, still_declared=())
    changed = await provisioning.put_project(by_command)
    assert changed is not None
    assert changed.id == declared.id


async def test_an_agents_environment_is_not_written_down(database: Database) -> None:
    ids = RandomIds()
    provisioning = Provisioning(database=database, ids=ids)
    workspace = await provisioning.workspace()
    await provisioning.put_project(
        Project(id=ProjectId(ids.uuid()), workspace=workspace, name="w", repository="/w", branch="main", agent=AGENT)
    )
    async with database.system() as connection:
        assert "s3cret" not in await connection.fetchval("SELECT agent::text FROM projects")


async def test_a_channel_stands_for_the_project_it_was_last_bound_to(database: Database) -> None:
    ids = RandomIds()
    provisioning = Provisioning(database=database, ids=ids)
    workspace = await provisioning.workspace()
    terminal = await provisioning.installation(workspace, platform="terminal", external_id="a", outlet="terminal:a")
    for name in ("one", "two"):
        project = await provisioning.put_project(
            Project(
                id=ProjectId(ids.uuid()), workspace=workspace, name=name, repository=name, branch="main", agent=AGENT
            )
        )
        assert project is not None
        await provisioning.bind_channel(terminal, "a", project)
    async with database.system() as connection:
        bound = await connection.fetchval(
            "SELECT name FROM channel_bindings AS b JOIN projects AS p ON p.id = b.project_id"
        )
    assert bound == "two"
    assert await provisioning.project_repositories(workspace) == {"one": "one", "two": "two"}
