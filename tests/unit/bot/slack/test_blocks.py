import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from slack_sdk.models.blocks import Block

from bot.slack import blocks
from bot.slack.blocks import SlackMessage
from bot.slack.limits import Json, violations
from conversations.actions import decode
from conversations.fitting import WHOLE
from conversations.markdown import parse
from conversations.markup import Markup
from conversations.messages import Code, Line, Link, Message, Name, Prose, TextFile, Title, Tone
from tests.cards import CARDS, DANA
from tests.messages import messages, text_of
from tests.strategies import WORDS

HOSTILE = "<!channel> <@U123> <https://evil.example|github.com> &lt; @everyone ``` *x*"


@pytest.mark.parametrize("name", CARDS)
def test_slack_takes_every_card(name: str) -> None:
    check(blocks.write(CARDS[name]))


@given(messages)
def test_slack_takes_any_message(message: Message) -> None:
    check(blocks.write(message))


@given(messages)
def test_only_those_mentioned_are_notified(message: Message) -> None:
    written = blocks.write(message)
    allowed = {person.external_id for person in message.mentions if person.external_id == "U0DANA"}
    assert set(re.findall("<@([^>]*)>", said(written))) <= allowed
    assert not re.findall("<[!#](?!date)", said(written) + written.text)
    assert "<@" not in written.text


@given(messages)
def test_no_word_is_lost_silently(message: Message) -> None:
    written = blocks.write(message)
    labels = [button["text"] for button in buttons(written)]
    shown = f"{said(written)} {labels} {[file.text for file in written.files]}"
    assert not [word for word in WORDS if word in text_of(message) and word not in shown]


def test_text_from_people_is_only_text() -> None:
    title, line = Title(icon="", text=HOSTILE), Line(spans=(HOSTILE, Name(HOSTILE)))
    message = Message(tone=Tone.QUIET, parts=(title, line, Prose(markup=parse(HOSTILE)), Code(text=HOSTILE)))
    written = blocks.write(message)
    assert not re.findall("<(?!https://)", said(written) + written.text)
    assert said(written).count("```") == 2


def test_the_buttons_carry_their_actions() -> None:
    approval = blocks.write(CARDS["approval"])
    values = [element["value"] for element in buttons(approval)]
    assert [decode(str(value)).verb for value in values] == ["approve", "changes", "reject"]


def test_an_address_that_must_not_open_is_text() -> None:
    written = blocks.write(Message(tone=Tone.QUIET, parts=(), buttons=(Link(label="Go", url="javascript:x"),)))
    assert said(written) == "Go: javascript:x"
    assert not buttons(written)


def test_a_cut_text_says_how_much_is_left_out_and_where_it_is() -> None:
    plan = "\n".join(f"{number}. step {number}" for number in range(1, 2001))
    message = Message(tone=Tone.WAITING, parts=(Prose(markup=parse(plan)),), mentions=(DANA,))
    own = blocks.write(replace(message, files=(TextFile(name="plan.md", text=plan),)))
    other = blocks.write(message)
    assert re.search(r"_… [\d,]+ more lines_", said(own))
    assert [file.name for file in own.files] == ["plan.md"]
    assert "The whole text is in_ `plan.md`" in said(own)
    assert [file.name for file in other.files] == [WHOLE]
    assert "2000. step 2000" in other.files[0].text


def test_a_long_fence_is_closed_in_every_section() -> None:
    markup: Markup = parse("```python\n" + "print('hello & goodbye')\n" * 300 + "```")
    written = blocks.write(Message(tone=Tone.QUIET, parts=(Prose(markup=markup),)))
    texts = [text_in(block) for block in written.blocks if block["type"] == "section"]
    assert len(texts) > 2
    assert all(text.count("```") % 2 == 0 for text in texts)


def check(written: SlackMessage) -> None:
    assert not violations(written.text, written.blocks)
    for block in Block.parse_all(list(written.blocks)):
        block.validate_json()
    json.dumps(written.payload(), ensure_ascii=False).encode()


def said(written: SlackMessage) -> str:
    return "\n".join(text_in(block) for block in written.blocks)


def text_in(block: Json) -> str:
    match block:
        case {"type": "section", "text": {"text": str(text)}} | {"type": "context", "elements": [{"text": str(text)}]}:
            return text
        case {"type": "actions"}:
            return ""
        case _:
            raise AssertionError(block)


def buttons(written: SlackMessage) -> list[Json]:
    found: list[Json] = []
    for block in written.blocks:
        elements = block.get("elements", [])
        assert isinstance(elements, list)
        found += elements if block["type"] == "actions" else []
    return found
