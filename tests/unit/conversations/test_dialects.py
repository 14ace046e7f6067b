import pytest

from bot.discord import markdown as discord
from bot.slack import mrkdwn as slack
from conversations.dialects import Dialect, write_strong
from conversations.markdown import parse


@pytest.mark.parametrize(
    ("source", "in_slack", "in_discord"),
    [
        ("**a** *b* ~~c~~ `d`", "*a* _b_ ~c~ `d`", "**a** *b* ~~c~~ `d`"),
        ("in**side**word", "insideword", "in**side**word"),
        ("# A *b*\n\nc", "*A b*\nc", "### A b\nc"),
        ("#### A", "*A*", "**A**"),
        ("- a\n  - b\n- [x] c", "• a\n    • b\n☑ c", "- a\n  - b\n- ☑ c"),
        ("9. a\n10. b", "9. a\n10. b", "9. a\n10. b"),
        ("> a\n> b", "> a\n> b", "> a\n> b"),
        ("[a](https://b.example/?x=1&y=2)", "<https://b.example/?x=1&amp;y=2|a>", "[a](<https://b.example/?x=1&y=2>)"),
        ("<https://b.example>", "<https://b.example|https://b.example>", "<https://b.example>"),
        ("<a@b.example>", "<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("`` a`b ``", "`aˋb`", "`aˋb`"),
        ("a_b *c", "a_b *c", "a\\_b \\*c"),
        ("\\- a", "- a", "\\- a"),
        ("a < b & c", "a &lt; b &amp; c", "a \\< b & c"),
        ("~~~py\na ``` b\n~~~", "```\na `\u200b`\u200b` b\n```", "```py\na `\u200b`\u200b` b\n```"),
        ("- a\n  ```\n  b\n  ```", "• a\n```\nb\n```", "- a\n```\nb\n```"),
        ("|a|b|\n|-|-|\n|long|x|", "```\na     b\n───────\nlong  x\n```", "```\na     b\n───────\nlong  x\n```"),
        ("**a\nb**", "*a*\n*b*", "**a**\n**b**"),
    ],
)
def test_each_chat_has_its_own_markdown(source: str, in_slack: str, in_discord: str) -> None:
    assert slack.prose(parse(source)) == in_slack
    assert discord.prose(parse(source)) == in_discord


@pytest.mark.parametrize(("dialect", "mark"), [(slack.MRKDWN, "*"), (discord.MARKDOWN, "**")])
def test_blanks_stay_outside_the_marks(dialect: Dialect, mark: str) -> None:
    assert write_strong("Safe: ", dialect) == f"{mark}Safe:{mark} "
