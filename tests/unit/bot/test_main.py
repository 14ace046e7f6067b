"""The `viberator` command before it does anything."""

import subprocess
import sys

_SLOW = ("aiohttp", "asyncpg", "asyncio", "discord", "jinja2", "pydantic", "rich", "slack_sdk", "structlog", "typer")


def test_help_is_shown_without_importing_what_the_commands_need() -> None:
    program = f"import sys, bot.__main__; print([name for name in {_SLOW} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_package_can_be_run() -> None:
    ran = subprocess.run([sys.executable, "-m", "bot", "--help"], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("usage: viberator")
