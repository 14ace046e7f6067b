import json
import re
from dataclasses import replace

import pytest
from discord import ButtonStyle
from discord.ui import ActionRow, Button, Container, File, LayoutView, Separator, TextDisplay
from hypothesis import given

from bot.discord import components
from bot.discord.components import DiscordMessage
from bot.discord.limits import (
    BUTTON,
    CONTAINER,
    FILE,
    TEXT_DISPLAY,
    Json,
    every,
    nested,
    violations,
)
from conversations.actions import decode
from conversations.fitting import WHOLE
from conversations.markdown import parse
from conversations.messages import Code, Line, Link, Message, Name, Prose, TextFile, Title, Tone
from tests.cards import CARDS, DANA_ON_DISCORD
from tests.messages import messages, text_of
from tests.strategies import WORDS

HOSTILE = "<@1> <@&2> <#3> <t:1:R> @everyone @here ||spoiler|| [github.com](https://evil.example) ``` x"


@pytest.mark.parametrize("name", CARDS)
async def test_discord_takes_every_card(name: str) -> None:
    written = components.write(CARDS[name])
    check(written)
    assert in_discord_py(written) == list(written.components)


@given(messages)
def test_discord_takes_any_message(message: Message) -> None:
    check(components.write(message))


@given(messages)
def test_only_those_mentioned_are_notified(message: Message) -> None:
    written = components.write(message)
    allowed = {person.external_id for person in message.mentions if person.external_id.isdigit()}
    assert set(written.notified) == allowed
    assert written.payload()["allowed_mentions"] == {"parse": [], "users": list(written.notified)}
    assert set(re.findall(r"(?<!\\)<@(\d+)>", outside_code(said(written)))) <= allowed


@given(messages)
def test_no_word_is_lost_silently(message: Message) -> None:
    written = components.write(message)
    shown = said(written) + "".join(file.text for file in written.files)
    assert not [word for word in WORDS if word in text_of(message) and word not in shown]


def test_text_from_people_is_only_text() -> None:
    title, line = Title(icon="", text=HOSTILE), Line(spans=(HOSTILE, Name(HOSTILE)))
    message = Message(tone=Tone.QUIET, parts=(title, line, Prose(markup=parse(HOSTILE)), Code(text=HOSTILE)))
    text = outside_code(said(components.write(message)))
    assert not re.findall(r"(?<!\\)[<|]", text.replace("<https://evil.example>", ""))
    assert "@everyone" not in text
    assert "@here" not in text


def test_the_buttons_carry_their_actions() -> None:
    approval = components.write(CARDS["approval"])
    presses = [decode(str(part["custom_id"])).verb for part in every(approval.components) if "custom_id" in part]
    assert presses == ["approve", "changes", "reject"]


def test_an_address_that_must_not_open_is_text() -> None:
    written = components.write(Message(tone=Tone.QUIET, parts=(), buttons=(Link(label="Go", url="javascript:x"),)))
    assert said(written) == "-# Go: javascript:x"


def test_a_cut_text_says_how_much_is_left_out_and_where_it_is() -> None:
    plan = "\n".join(f"{number}. step {number}" for number in range(1, 2001))
    message = Message(tone=Tone.WAITING, parts=(Prose(markup=parse(plan)),), mentions=(DANA_ON_DISCORD,))
    own = components.write(replace(message, files=(TextFile(name="the plan.md", text=plan),)))
    other = components.write(message)
    assert re.search(r"\*… [\d,]+ more lines\*", said(own))
    assert [file.name for file in own.files] == ["the_plan.md"]
    assert "-# The whole text is in `the plan.md`" in said(own)
    assert [file.name for file in other.files] == [WHOLE]


def test_a_cut_fence_is_closed() -> None:
    markup = parse("```python\n" + "print('hello')\n" * 900 + "```")
    text = said(components.write(Message(tone=Tone.QUIET, parts=(Prose(markup=markup),))))
    assert text.count("```") == 2
    assert "more lines" in text.rpartition("```")[2]


def check(written: DiscordMessage) -> None:
    assert not violations(written.components)
    names = [file.name for file in written.files]
    shown = [part["file"] for part in every(written.components) if part["type"] == FILE]
    assert shown == [{"url": f"attachment://{name}"} for name in names]
    assert len(set(names)) == len(names)
    json.dumps(written.payload(), ensure_ascii=False).encode()


def said(written: DiscordMessage) -> str:
    return "\n".join(
        str(part.get("content", part.get("label", "")))
        for part in every(written.components)
        if part["type"] in {TEXT_DISPLAY, BUTTON}
    )


def outside_code(text: str) -> str:
    return re.sub(r"(?<!\\)`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def in_discord_py(written: DiscordMessage) -> list[object]:
    """The same components made by the library's own classes, which check them too."""
    view = LayoutView(timeout=None)
    for component in written.components:
        view.add_item(container(component))
    return [without_ids(component) for component in view.to_components()]  # type: ignore[no-untyped-call]  # discord.py has no type for it


def container(drawn: Json) -> Container[LayoutView]:
    assert drawn["type"] == CONTAINER
    colour = drawn["accent_color"]
    assert isinstance(colour, int)
    built: Container[LayoutView] = Container(accent_colour=colour)
    for part in nested(drawn):
        match part:
            case {"type": 10, "content": str(content)}:
                built.add_item(TextDisplay(content))
            case {"type": 14}:
                built.add_item(Separator())
            case {"type": 13, "file": {"url": str(url)}}:
                built.add_item(File(url))
            case {"type": 1}:
                built.add_item(ActionRow(*map(button, nested(part))))
            case _:
                raise AssertionError(part)
    return built


def button(drawn: Json) -> Button[LayoutView]:
    match drawn:
        case {"label": str(label), "style": int(style), "custom_id": str(custom_id)}:
            return Button(label=label, style=ButtonStyle(style), custom_id=custom_id)
        case {"label": str(label), "url": str(url)}:
            return Button(label=label, url=url)
        case _:
            raise AssertionError(drawn)


def without_ids(value: object) -> object:
    """A payload of discord.py without what it fills in by itself."""
    match value:
        case dict():
            return {key: without_ids(inner) for key, inner in value.items() if key not in {"id", "disabled", "spoiler"}}
        case list():
            return [without_ids(inner) for inner in value]
        case _:
            return value
