"""Agents have names that people know them by."""

import pytest

from bot.commands.agents import agent_by_command, handed_on
from bot.commands.outcome import WrongUsage


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("claude-agent-acp", "claude-agent-acp"),
        ("'/opt/my tools/kimi' acp", "kimi"),
        ("env MODEL=x LEVEL=high gemini --acp", "gemini"),
        ("npx -y @zed-industries/claude-code-acp@0.5", "claude-code-acp"),
        ("python3.11 -P -m bot.demo.agent 0.1", "bot.demo.agent"),
        ("python agents/mine.py --acp", "mine"),
        ("env", "env"),
    ],
)
def test_an_agent_is_called_as_its_program(line: str, name: str) -> None:
    agent = agent_by_command(line)
    assert (agent.name, agent.title) == (name, name)


def test_only_what_is_named_is_handed_on() -> None:
    assert handed_on(["KEY"], {"KEY": "k", "OTHER": "o"}) == (("KEY", "k"),)
    with pytest.raises(WrongUsage, match="NO_KEY"):
        handed_on(["NO_KEY"], {"KEY": "k"})
