"""Which project a terminal's thread stands for, where several have one name."""

from dataclasses import replace
from uuid import UUID

from bot.commands.thread_project import free_name
from sessions.models import AgentProfile, Phase, Project, ProjectId, WorkspaceId

ONE, TWO = UUID(int=1), UUID(int=2)
PROJECT = Project(
    id=ProjectId(ONE),
    workspace=WorkspaceId(ONE),
    name="api",
    repository="/one/api",
    branch="main",
    agent=AgentProfile(name="agent", command=("agent",), environment=(("KEY", "k"),)),
)
STORED = replace(PROJECT, id=ProjectId(TWO), agent=replace(PROJECT.agent, environment=()))


def test_the_same_project_is_found_again() -> None:
    assert free_name(PROJECT, []) == "api"
    assert free_name(PROJECT, [STORED]) == "api"


def test_one_that_differs_gets_a_number_and_leaves_the_other_as_it_is() -> None:
    for other in (
        replace(PROJECT, repository="/two/api"),
        replace(PROJECT, branch="develop"),
        replace(PROJECT, phases=(Phase.EXECUTION,)),
        replace(PROJECT, agent=AgentProfile(name="agent", command=("other",))),
    ):
        assert free_name(other, [STORED]) == "api-2"
        assert free_name(other, [STORED, replace(other, name="api-2")]) == "api-2"


def test_one_that_the_settings_declare_is_left_to_them() -> None:
    assert free_name(PROJECT, [replace(STORED, declared=True)]) == "api-2"
