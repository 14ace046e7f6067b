"""How Kimi Code is started against a model server of the test's own."""

from pathlib import Path


def kimi_command(directory: Path, home: Path, model_url: str) -> tuple[str, ...]:
    """The command that speaks ACP and reaches nothing but `model_url`.

    `directory` is where tests/agents/install put it. `home` keeps its sessions, so that a later start can load them.
    All settings are environment variables given by `env`, so no file of settings is needed, and no person's is read.
    Permissions are manual, its default: it asks before every shell command, every tool of an MCP server, and every
    write outside its working directory or below `.git`; it writes elsewhere in a git repository without asking.
    """
    settings = {
        "HOME": str(home),
        "KIMI_CODE_HOME": str(home / ".kimi-code"),
        "KIMI_MODEL_NAME": "scripted",
        "KIMI_MODEL_PROVIDER_TYPE": "openai",
        "KIMI_MODEL_BASE_URL": model_url,
        "KIMI_MODEL_API_KEY": "none",
        "KIMI_LOOP_MAX_ATTEMPTS_PER_STEP": "1",
        "KIMI_DISABLE_TELEMETRY": "1",
        "KIMI_DISABLE_CRON": "1",
        "KIMI_CODE_NO_AUTO_UPDATE": "1",
    }
    return ("env", *(f"{name}={value}" for name, value in settings.items()), str(directory / "bin" / "kimi"), "acp")
