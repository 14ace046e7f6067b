"""What an operator can set, and how mistakes are told."""

import re
from pathlib import Path

import pytest

from bot.problems import SettingsInvalid
from bot.settings import Settings, default_data_dir, load, secrets_of
from bot.tables import LogsTable, WebTable
from sessions.models import Limits, Phase

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "settings.md"
_WHOLE = """
data_dir = "data"

[slack]
mode = "http"
[web]
host = "0.0.0.0"
port = 8081
public_url = "https://viberator.example/"
[limits]
idle_s = 60

[[agents]]
name = "claude"
[[agents]]
name = "mine"
command = ["my-agent", "--acp"]
environment = { MODE = "ask" }
environment_from = ["MY_KEY"]

[[projects]]
name = "widgets"
repository = "acme/widgets"
agent = "claude"
channels = ["slack:C0123", "discord:1350000"]
deciders = ["slack:U0123"]
phases = ["planning", "execution"]
test_command = "make test"
protected_paths = [".github/**"]
templates_dir = "prompts"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "viberator.toml"


def _load(file: Path, text: str, **environ: str) -> Settings:
    file.write_text(text, encoding="utf-8")
    return load(file, environ)


def _problems(file: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(SettingsInvalid) as refused:
        _load(file, text, **environ)
    return [problem.replace(str(file), "viberator.toml") for problem in refused.value.problems]


def test_all_of_it_is_optional(tmp_path: Path) -> None:
    settings = load(None, {"VIBERATOR_DATA_DIR": str(tmp_path)})
    assert settings.data_dir == tmp_path
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 8080)
    assert settings.database.url is None
    assert settings.limits.limits() == Limits()


def test_the_file_says_what_the_documentation_shows(file: Path) -> None:
    settings = _load(file, _WHOLE, MY_KEY="k")
    assert settings.slack.mode == "http"
    assert settings.web.public_url == "https://viberator.example"
    assert settings.limits.limits().idle_s == 60
    project = settings.projects[0]
    assert project.phases == (Phase.PLANNING, Phase.EXECUTION)
    assert project.branch == "main"


def test_what_the_documentation_shows_can_be_used(file: Path) -> None:
    (shown,) = re.findall(r"```toml\n(.+?)```", DOCUMENTATION.read_text(encoding="utf-8"), flags=re.DOTALL)
    every_line = re.sub(r"(?m)^# (?=\w+ = )", "", shown)
    for text in (shown, every_line):
        settings = _load(file, text, ANTHROPIC_API_KEY="k")
        assert settings.limits.limits() == Limits()
        assert (settings.web, settings.logs.level) == (WebTable(), LogsTable().level)


def test_relative_paths_are_meant_from_the_file(file: Path) -> None:
    settings = _load(file, _WHOLE, MY_KEY="k")
    assert settings.data_dir == file.parent / "data"
    assert settings.projects[0].templates_dir == file.parent / "prompts"


def test_the_environment_wins_over_the_file(file: Path) -> None:
    assert _load(file, "[web]\nport = 1\nhost = '::'", VIBERATOR_WEB_PORT="9").web.port == 9
    assert _load(file, "[web]\nport = 1", VIBERATOR_WEB_PORT="").web.port == 1


@pytest.mark.parametrize(
    ("variable", "table", "key"),
    [
        ("SLACK_BOT_TOKEN", "slack", "bot_token"),
        ("SLACK_APP_TOKEN", "slack", "app_token"),
        ("SLACK_SIGNING_SECRET", "slack", "signing_secret"),
        ("DISCORD_TOKEN", "discord", "token"),
        ("GITHUB_TOKEN", "github", "token"),
        ("DATABASE_URL", "database", "url"),
        ("REDIS_URL", "redis", "url"),
    ],
)
def test_the_names_people_export_already_are_read(variable: str, table: str, key: str) -> None:
    settings = load(None, {"VIBERATOR_DATA_DIR": "/d", variable: "s3cret"})
    assert getattr(getattr(settings, table), key).get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


def test_our_own_name_wins_over_the_customary_one() -> None:
    environ = {"DATABASE_URL": "postgresql:///theirs", "VIBERATOR_DATABASE_URL": "postgresql:///ours"}
    url = load(None, environ).database.url
    assert url is not None
    assert url.get_secret_value() == "postgresql:///ours"


def test_secret_keys_come_as_a_list() -> None:
    keys = load(None, {"VIBERATOR_SECRET_KEYS": "new, old"}).secret_keys
    assert [key.get_secret_value() for key in keys] == ["new", "old"]


def test_an_agent_is_handed_the_keys_it_names(file: Path) -> None:
    profile = _load(file, _WHOLE, MY_KEY="k", OTHER="o").agents[1].profile()
    assert profile.command == ("my-agent", "--acp")
    assert profile.environment == (("MODE", "ask"), ("MY_KEY", "k"))


def test_every_external_address_is_a_setting(file: Path) -> None:
    settings = _load(
        file,
        "[slack]\napi_url='http://127.0.0.1:1/api/'\n[discord]\napi_url='http://d'\ngateway_url='ws://g'\n"
        "[github]\nurl='https://ghe'\napi_url='https://ghe/api/v3'\n[gitlab]\nurl='https://gl'\n[jira]\nurl='https://j'",
    )
    assert settings.slack.api_url == "http://127.0.0.1:1/api"
    assert settings.discord.gateway_url == "ws://g"
    assert settings.github.api_url == "https://ghe/api/v3"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[slak]\nmode='http'", "viberator.toml: there is no table or key slak; did you mean slack?"),
        ("[web]\nprot = 1", "viberator.toml: [web] has no key prot; did you mean port?"),
        ("[web]\nx = 1", "viberator.toml: [web] has no key x; known are host, port, public_url"),
        ("public_url = 'https://x'", "viberator.toml: there is no table or key public_url; there is one in [web]"),
        ("[web]\nport = 70000", "viberator.toml: [web] port: should be less than or equal to 65535"),
        ("web = 1", "viberator.toml: web: should be a table"),
        (
            "[web]\npublic_url = 'viberator.example'",
            "viberator.toml: [web] public_url: should be an address that begins with https:// or http://",
        ),
        ("[slack]\nmode = 'rtm'", "viberator.toml: [slack] mode: should be 'socket' or 'http'"),
        (
            "[slack]\nbot_token = 'xoxb-1'",
            "viberator.toml: slack.bot_token is a secret and stands in no file; set SLACK_BOT_TOKEN in the environment",
        ),
        (
            "secret_keys = ['k']",
            "viberator.toml: secret_keys is a secret and stands in no file; set VIBERATOR_SECRET_KEYS in the environment",
        ),
        (
            "[[agents]]\nname='a'\n[[agents]]\nname='b'\ncomand=['x']",
            "viberator.toml: [[agents]] b has no key comand; did you mean command?",
        ),
        ("[[projects]]\nrepository='x'\nagent='a'", "viberator.toml: [[projects]] number 1 lacks name"),
        (
            "[[projects]]\nname='w'\nrepository='x'\nagent='a'\nchannels=['C0123']",
            "viberator.toml: [[projects]] w channels[0]: should be platform:id, such as slack:C0123",
        ),
        (
            "[[projects]]\nname='w'\nrepository='x'\nagent='a'\nphases=['execution', 'research']",
            "viberator.toml: [[projects]] w phases: should be research, planning, execution or a part of it with the last",
        ),
        ("[[agents]]\nname='a'\n[[agents]]\nname='a'", "viberator.toml: agents: more than one is called a"),
        (
            "[[agents]]\nname='a'\nenvironment_from=['KEY']",
            "viberator.toml: [[agents]] a: environment_from names KEY, which is not set",
        ),
        ("[limits]\nidle_s = 0", "viberator.toml: [limits] idle_s: should be greater than 0"),
        ("[web", "viberator.toml: is no TOML: Expected ']' at the end of a table declaration (at end of document)"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_is_right(file: Path, text: str, problem: str) -> None:
    assert _problems(file, text) == [problem]


def test_a_mistake_in_the_environment_names_the_variable(file: Path) -> None:
    assert _problems(file, "", VIBERATOR_WEB_PORT="many") == [
        "VIBERATOR_WEB_PORT: should be a valid integer, unable to parse string as an integer"
    ]


def test_an_unknown_variable_of_ours_is_refused(file: Path) -> None:
    assert _problems(file, "", VIBERATOR_WEB_PRT="1", VIBERATOR_TEST_NEEDS="pg15", PORT="1") == [
        "VIBERATOR_WEB_PRT: there is no such setting; did you mean VIBERATOR_WEB_PORT?"
    ]


def test_a_bot_that_an_agent_starts_is_not_disturbed_by_the_agent_s_own_mark(file: Path) -> None:
    assert _load(file, "", VIBERATOR_PROGRAM="1.agent").web.port == 8080


def test_all_mistakes_are_told_at_once(file: Path) -> None:
    assert len(_problems(file, "[web]\nprot = 1\nport = -1\n[slack]\nbot_token='x'", VIBERATOR_X="")) == 4


def test_no_mistake_repeats_a_secret(file: Path) -> None:
    told = "\n".join(_problems(file, "[slack]\nbot_token = ['xoxb-canary']", VIBERATOR_SLACK_APP_TOKEN="xapp-canary"))
    assert "canary" not in told


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "other.toml"
    with pytest.raises(SettingsInvalid, match=r"other\.toml: there is no such file"):
        load(missing, {})
    with pytest.raises(SettingsInvalid, match=r"other\.toml: there is no such file"):
        load(None, {"VIBERATOR_CONFIG": str(missing)})
    with pytest.raises(SettingsInvalid, match="cannot be read: Is a directory"):
        load(tmp_path, {})


def test_data_of_root_stands_where_the_database_user_can_reach_it(tmp_path: Path) -> None:
    assert default_data_dir({"HOME": "/root"}, uid=0, system=tmp_path) == tmp_path / "viberator"
    assert default_data_dir({"HOME": "/r"}, uid=0, system=tmp_path / "none") == Path("/r/.local/share/viberator")


def test_data_of_a_person_stands_where_their_programs_keep_data(tmp_path: Path) -> None:
    assert default_data_dir({"HOME": "/h"}, uid=1000, system=tmp_path) == Path("/h/.local/share/viberator")
    assert default_data_dir({"HOME": "/h", "XDG_DATA_HOME": "/x"}, uid=1000) == Path("/x/viberator")


def test_every_secret_of_the_settings_is_known_for_redaction(tmp_path: Path) -> None:
    environ = {
        "HOME": str(tmp_path),
        "SLACK_BOT_TOKEN": "xoxb-very-secret",
        "DATABASE_URL": "postgresql://bot:pass-word-1@db.example/viberator",
        "VIBERATOR_SECRET_KEYS": "first-key,second-key",
        "MODEL_KEY": "sk-model-key",
    }
    file = tmp_path / "viberator.toml"
    file.write_text('[[agents]]\nname = "a"\ncommand = ["a"]\nenvironment_from = ["MODEL_KEY"]\n')
    found = secrets_of(load(file, environ))
    assert {"xoxb-very-secret", "pass-word-1", "first-key", "second-key", "sk-model-key"} <= set(found)
