"""The tables of `viberator.toml`, each with its defaults. What they hold is read by `bot.settings`."""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from sessions.models import AgentProfile, Limits, Phase, Project, ProjectId, WorkspaceId

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_PLATFORM_ID = re.compile(r"[a-z]+:\S+")
_PHASES = tuple(Phase)


def _address(value: str, info: ValidationInfo) -> str:
    """An address with scheme and host, without the slash at its end."""
    parts = urlsplit(value)
    wanted = ("ws", "wss") if info.field_name == "gateway_url" else ("http", "https")
    if parts.scheme not in wanted or not parts.hostname:
        raise ValueError(f"should be an address that begins with {wanted[1]}:// or {wanted[0]}://")
    return value.rstrip("/")


def _beside_file(value: Path, info: ValidationInfo) -> Path:
    """A relative path is meant from the settings file, whose directory is the validation's context."""
    directory = info.context
    return directory / value.expanduser() if isinstance(directory, Path) else value.expanduser()


def name_of(value: str) -> str:
    """The value, if projects and agents may be called so; raises `ValueError`."""
    if not _NAME.fullmatch(value):
        raise ValueError("should be small letters, digits, points, hyphens and underscores")
    return value


def platform_id_of(value: str) -> str:
    """The value, if it names a channel or a person with the platform; raises `ValueError`."""
    if not _PLATFORM_ID.fullmatch(value):
        raise ValueError("should be platform:id, such as slack:C0123")
    return value


Address = Annotated[str, AfterValidator(_address)]
FilePath = Annotated[Path, AfterValidator(_beside_file)]
Name = Annotated[str, AfterValidator(name_of)]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Text = Annotated[str, Field(min_length=1)]
PlatformId = Annotated[str, AfterValidator(platform_id_of)]
"""A channel or a person as `platform:id`, such as `slack:C0123`."""


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True)


class SlackTable(Table):
    """How Slack is reached, once there is a connection to it; until then, only `viberator doctor` looks here."""

    mode: Literal["socket", "http"] = "socket"
    api_url: Address = "https://slack.com/api"
    bot_token: SecretStr | None = None
    app_token: SecretStr | None = None
    signing_secret: SecretStr | None = None


class DiscordTable(Table):
    """How Discord is reached, once there is a connection to it; until then, only `viberator doctor` looks here."""

    api_url: Address = "https://discord.com/api/v10"
    gateway_url: Address = "wss://gateway.discord.gg"
    token: SecretStr | None = None


class GitHubTable(Table):
    """Where GitHub is. Nothing asks it yet."""

    url: Address = "https://github.com"
    api_url: Address = "https://api.github.com"
    token: SecretStr | None = None


class GitLabTable(Table):
    """Where GitLab is. Nothing asks it yet."""

    url: Address = "https://gitlab.com"


class JiraTable(Table):
    """Where Jira is. Nothing asks it yet."""

    url: Address | None = None


class WebTable(Table):
    """`public_url` is what links in cards begin with; without it there are none."""

    host: Text = "127.0.0.1"
    port: Port = 8080
    public_url: Address | None = None


class DatabaseTable(Table):
    """Without `url`, a private PostgreSQL in the data directory is started."""

    url: SecretStr | None = None


class RedisTable(Table):
    """Where Redis is. Nothing uses it yet: wake-ups go through PostgreSQL."""

    url: SecretStr | None = None


class LogsTable(Table):
    """`format` `auto` is lines for people on a terminal and JSON elsewhere; without `file`, to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "lines", "json"] = "auto"
    file: FilePath | None = None


class LimitsTable(Table):
    """Bounds of one session, in seconds and counts, as `sessions.models.Limits` names them."""

    idle_s: Seconds = Limits().idle_s
    turn_s: Seconds = Limits().turn_s
    start_s: Seconds = Limits().start_s
    test_s: Seconds = Limits().test_s
    unreachable_s: Seconds = Limits().unreachable_s
    repairs: Annotated[int, Field(ge=0)] = Limits().repairs

    def limits(self) -> Limits:
        return Limits(
            idle_s=self.idle_s,
            turn_s=self.turn_s,
            start_s=self.start_s,
            test_s=self.test_s,
            unreachable_s=self.unreachable_s,
            repairs=self.repairs,
        )


class AgentTable(Table):
    """`command` is any program that speaks ACP; without one, the agent is known by its name and cannot be started.

    `environment` is what the agent's process gets beside a short default list; `environment_from` names variables of
    the bot's own environment that are handed on to it, so that keys need not stand in the file.
    """

    name: Name
    title: str = ""
    command: tuple[Text, ...] = ()
    environment: dict[str, SecretStr] = {}
    environment_from: tuple[Text, ...] = ()
    instructions: str = ""

    def profile(self) -> AgentProfile:
        values = tuple((name, value.get_secret_value()) for name, value in self.environment.items())
        return AgentProfile(
            name=self.name,
            title=self.title,
            command=self.command,
            environment=values,
            instructions=self.instructions,
        )


class ProjectTable(Table):
    """`repository` is an address or a path, `branch` what its work is meant for.

    `channels` stand for the project, so that nobody need name it there. Without `deciders`, the requester approves.
    """

    name: Name
    repository: Text
    branch: Text = "main"
    agent: Name
    channels: tuple[PlatformId, ...] = ()
    deciders: tuple[PlatformId, ...] = ()
    phases: tuple[Phase, ...] = _PHASES
    test_command: str = ""
    protected_paths: tuple[Text, ...] = ()
    templates_dir: FilePath | None = None

    @field_validator("phases")
    @classmethod
    def _end_in_a_branch(cls, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        if list(phases) != [phase for phase in _PHASES if phase in phases] or Phase.EXECUTION not in phases:
            raise ValueError("should be research, planning, execution or a part of it with the last")
        return phases

    def project(self, project_id: ProjectId, workspace: WorkspaceId, agent: AgentProfile | None) -> Project:
        """As the database keeps it; an agent that the settings do not describe is known by its name only."""
        return Project(
            id=project_id,
            workspace=workspace,
            name=self.name,
            repository=self.repository,
            branch=self.branch,
            agent=agent or AgentProfile(name=self.agent, command=()),
            phases=self.phases,
            deciders=self.deciders,
            test_command=self.test_command,
            protected_paths=self.protected_paths,
            templates_dir=str(self.templates_dir or ""),
            declared=True,
        )
