"""The scripted agent of `viberator demo`, run as `python -m bot.demo.agent`: real ACP, no model."""

import sys

TITLE = "Scripted demo agent (no model)"


def command() -> tuple[str, ...]:
    """How the agent is started."""
    return (sys.executable, "-m", "bot.demo.agent")
