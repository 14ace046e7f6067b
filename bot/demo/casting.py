"""How the scripted agent is called and started; apart from it, since what it imports takes half a second."""

import sys

TITLE = "Scripted demo agent (no model)"
PACE_S = 0.03


def command(*, pace_s: float = PACE_S) -> tuple[str, ...]:
    """How the agent is started; `-P` keeps Python from importing what the repository has of our names."""
    return (sys.executable, "-P", "-m", "bot.demo.agent", str(pace_s))
