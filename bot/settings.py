"""All that an operator can set: `viberator.toml` and the environment, which wins where both speak.

Every setting that is one value has an environment name made of its place: `web.port` is `VIBERATOR_WEB_PORT`. The names
people export already (`SLACK_BOT_TOKEN`, `DATABASE_URL`, …) are read too; tokens and keys are read from nowhere else.
No other module reads the environment.
"""

import os
import pwd
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError, field_validator

from bot.problems import Origin, Place, SettingsInvalid, describe, leaves, nearest
from bot.tables import (
    AgentTable,
    DatabaseTable,
    DiscordTable,
    FilePath,
    GitHubTable,
    GitLabTable,
    JiraTable,
    LimitsTable,
    LogsTable,
    ProjectTable,
    RedisTable,
    SlackTable,
    Table,
    WebTable,
)

FILE_NAME = "viberator.toml"
PREFIX = "VIBERATOR_"
CONFIG_VARIABLE = "VIBERATOR_CONFIG"
CUSTOMARY: Mapping[str, Place] = {
    "SLACK_BOT_TOKEN": ("slack", "bot_token"),
    "SLACK_APP_TOKEN": ("slack", "app_token"),
    "SLACK_SIGNING_SECRET": ("slack", "signing_secret"),
    "DISCORD_TOKEN": ("discord", "token"),
    "GITHUB_TOKEN": ("github", "token"),
    "DATABASE_URL": ("database", "url"),
    "REDIS_URL": ("redis", "url"),
}
ONLY_ENVIRONMENT: Mapping[Place, str] = {
    **{place: name for name, place in CUSTOMARY.items() if place[-1] != "url"},
    ("secret_keys",): "VIBERATOR_SECRET_KEYS",
}
NO_SETTINGS = ("VIBERATOR_PROGRAM", "VIBERATOR_TEST_")
"""Beginnings of names that are ours and set nothing: the worker's mark on its agent, and the tests' own."""


class Settings(Table):
    """`secret_keys` are for encrypting stored secrets: with the first one; the rest still decrypt. None are stored yet."""

    data_dir: FilePath
    secret_keys: tuple[SecretStr, ...] = ()
    slack: SlackTable = SlackTable()
    discord: DiscordTable = DiscordTable()
    github: GitHubTable = GitHubTable()
    gitlab: GitLabTable = GitLabTable()
    jira: JiraTable = JiraTable()
    web: WebTable = WebTable()
    database: DatabaseTable = DatabaseTable()
    redis: RedisTable = RedisTable()
    logs: LogsTable = LogsTable()
    limits: LimitsTable = LimitsTable()
    agents: tuple[AgentTable, ...] = ()
    projects: tuple[ProjectTable, ...] = ()

    @field_validator("agents", "projects")
    @classmethod
    def _named_once(cls, tables: tuple[AgentTable | ProjectTable, ...]) -> tuple[AgentTable | ProjectTable, ...]:
        names = [table.name for table in tables]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"more than one is called {', '.join(repeated)}")
        return tables


def environment() -> Mapping[str, str]:
    """The environment of this process, for `load`."""
    return os.environ


def load(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings, or `SettingsInvalid` with all that is wrong with them.

    Without `config`, the file that `VIBERATOR_CONFIG` names, or `viberator.toml` in the working directory, if there is one.
    """
    file = config or _find(environ)
    document = _read(file) if file else {}
    values, variables = _from_environment(environ)
    origin = Origin(file=str(file or FILE_NAME), document=document, variables=variables)
    problems = [*_secrets_in_file(origin), *_unknown_variables(environ)]
    merged = {"data_dir": default_data_dir(environ, uid=os.geteuid()), **_merge(document, values)}
    try:
        settings = Settings.model_validate(merged, context=file.absolute().parent if file else None)
    except ValidationError as invalid:
        problems.extend(describe(error, Settings, origin) for error in invalid.errors(include_url=False))
        raise SettingsInvalid(problems) from None
    if problems := [*problems, *_unset_keys(settings, environ, origin)]:
        raise SettingsInvalid(problems)
    return settings.model_copy(update={"agents": tuple(_with_keys(agent, environ) for agent in settings.agents)})


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Every secret value of the settings, and the passwords within addresses: what nobody may read in a thread."""
    values = tuple(value for value in _secret_values(settings) if value)
    passwords = (urlsplit(value).password for value in values if "://" in value)
    return (*values, *(password for password in passwords if password))


def _secret_values(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case BaseModel():
            for name in type(value).model_fields:
                yield from _secret_values(getattr(value, name))
        case tuple():
            for part in value:
                yield from _secret_values(part)
        case dict():
            yield from _secret_values(tuple(value.values()))
        case _:
            return


def default_data_dir(environ: Mapping[str, str], *, uid: int, system: Path = Path("/var/lib")) -> Path:
    """Below `system` for root, where the database's own user can reach it; else where the person's programs keep data."""
    if uid == 0 and os.access(system, os.W_OK):
        return system / "viberator"
    home = Path(environ.get("HOME") or pwd.getpwuid(uid).pw_dir)
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "viberator"


def _find(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named)
    return Path(FILE_NAME) if Path(FILE_NAME).exists() else None


def _read(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsInvalid([f"{file}: there is no such file"]) from None
    except OSError as refused:
        raise SettingsInvalid([f"{file}: cannot be read: {refused.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise SettingsInvalid([f"{file}: is no TOML: {broken}"]) from None


def _variables() -> dict[str, Place]:
    """The environment names of all settings. Ours come last and so win over the customary ones."""
    ours = {PREFIX + "_".join(str(part) for part in place).upper(): place for place in leaves(Settings)}
    return {**CUSTOMARY, **ours}


def _from_environment(environ: Mapping[str, str]) -> tuple[dict[str, object], dict[Place, str]]:
    """What the environment sets, shaped like the file, and which variable set each place. An empty value sets nothing."""
    values: dict[str, object] = {}
    variables: dict[Place, str] = {}
    for name, place in _variables().items():
        if text := environ.get(name):
            value = [part.strip() for part in text.split(",")] if place == ("secret_keys",) else text
            values = _merge(values, _nested(place, value))
            variables[place] = name
    return values, variables


def _nested(place: Place, value: object) -> dict[str, object]:
    for part in reversed(place[1:]):
        value = {str(part): value}
    return {str(place[0]): value}


def _merge(under: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _secrets_in_file(origin: Origin) -> Iterator[str]:
    for place, variable in ONLY_ENVIRONMENT.items():
        table: object = origin.document
        for part in place:
            table = table.get(str(part)) if isinstance(table, dict) else None
        if table is not None:
            name = ".".join(str(part) for part in place)
            yield f"{origin.file}: {name} is a secret and stands in no file; set {variable} in the environment"


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    known = [CONFIG_VARIABLE, *(name for name in _variables() if name.startswith(PREFIX))]
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(NO_SETTINGS) and name not in known:
            yield f"{name}: there is no such setting; {nearest(name, known)}"


def _unset_keys(settings: Settings, environ: Mapping[str, str], origin: Origin) -> Iterator[str]:
    for agent in settings.agents:
        for name in agent.environment_from:
            if not environ.get(name):
                yield f"{origin.file}: [[agents]] {agent.name}: environment_from names {name}, which is not set"


def _with_keys(agent: AgentTable, environ: Mapping[str, str]) -> AgentTable:
    handed_on = {name: SecretStr(environ[name]) for name in agent.environment_from}
    return agent.model_copy(update={"environment": {**agent.environment, **handed_on}})
