"""What `--yes` presses."""

import pytest

from bot.demo.presser import NothingToPress, press
from bot.terminal.journal import Shown
from conversations.actions import Action, Verb


def card(*verbs: Verb) -> Shown:
    return Shown(
        id="m1",
        slot="approval/1",
        nonce="n",
        line="",
        text="",
        buttons=tuple((verb.value, Action(verb=verb, ticket="4f2aa", ordinal=1).encode()) for verb in verbs),
        asks=True,
        live=False,
    )


def test_a_document_is_approved() -> None:
    assert press(card(Verb.REJECT, Verb.REQUEST_CHANGES, Verb.APPROVE)) == "approve"


def test_a_permission_is_given_once_and_not_for_good() -> None:
    assert press(card(Verb.APPROVE_ALWAYS, Verb.APPROVE, Verb.REJECT)) == "approve"


def test_a_question_gets_its_first_answer() -> None:
    first, second = (Action(verb=Verb.ANSWER, ticket="4f2aa", ordinal=1, choice=n).encode() for n in (1, 2))
    other = Action(verb=Verb.ANSWER_OTHER, ticket="4f2aa", ordinal=1).encode()
    asked = card()
    shown = Shown(
        id=asked.id,
        slot="question/1",
        nonce=asked.nonce,
        line="",
        text="",
        buttons=(("Zero", first), ("Error", second), ("Other…", other)),
        asks=True,
        live=False,
    )
    assert press(shown) == "Zero"


@pytest.mark.parametrize("verbs", [(), (Verb.RETRY, Verb.DISCARD), (Verb.ANSWER_OTHER,), (Verb.REJECT,)])
def test_nothing_else_is_pressed(verbs: tuple[Verb, ...]) -> None:
    with pytest.raises(NothingToPress):
        press(card(*verbs))
