"""What people write, and what it means."""

import pytest
from hypothesis import given

from conversations.intents import (
    Command,
    Decide,
    Nothing,
    OpenForm,
    Request,
    Say,
    UnknownCommand,
    Word,
    read_intent,
    title_of,
)
from sessions.models import Phase, Verdict
from tests.strategies import anything

DOCUMENT = (Verdict.APPROVE, Verdict.REQUEST_CHANGES, Verdict.REJECT)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("approve", Decide(verdict=Verdict.APPROVE)),
        ("@Viberator approve", Decide(verdict=Verdict.APPROVE)),
        ("Approved!", Decide(verdict=Verdict.APPROVE)),
        ("approve the plan, please", Decide(verdict=Verdict.APPROVE)),
        ("approve v2", Decide(verdict=Verdict.APPROVE, revision=2)),
        ("LGTM 👍", Decide(verdict=Verdict.APPROVE)),
        ("approve, but add a test", Decide(verdict=Verdict.REQUEST_CHANGES, comment="but add a test")),
        ("approve if CI is green", Decide(verdict=Verdict.REQUEST_CHANGES, comment="if CI is green")),
        ("changes: guard it at the source", Decide(verdict=Verdict.REQUEST_CHANGES, comment="guard it at the source")),
        ("reject", Decide(verdict=Verdict.REJECT)),
        ("reject because we drop it anyway", Decide(verdict=Verdict.REJECT, comment="we drop it anyway")),
        ("reject: too risky", Decide(verdict=Verdict.REJECT, comment="too risky")),
        ("approve the first part", Say(text="approve the first part")),
        ("approved? I doubt it", Say(text="approved? I doubt it")),
        ("reject null values too", Say(text="reject null values too")),
        ("change the title", Say(text="change the title")),
        ("what does approve do", Say(text="what does approve do")),
    ],
)
def test_words_decide_only_when_they_say_nothing_else(text: str, meant: object) -> None:
    assert read_intent(text, in_thread=True, offers=DOCUMENT) == meant


def test_words_are_a_message_while_nothing_waits() -> None:
    assert read_intent("approve", in_thread=True) == Say(text="approve")


def test_words_are_a_message_where_the_verdict_is_not_offered() -> None:
    offers = (Verdict.APPROVE, Verdict.REJECT)
    assert read_intent("changes: another file", in_thread=True, offers=offers) == Say(text="changes: another file")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("!stop", Command(word=Word.STOP)),
        ("@viberator !status", Command(word=Word.STATUS)),
        ("!RETRY now", Command(word=Word.RETRY, rest="now")),
        ("!dance", UnknownCommand(name="dance")),
        ("/viberator", OpenForm()),
        ("/viberator fix the build", OpenForm(text="fix the build")),
        ("@viberator", Nothing()),
        ("", Nothing()),
    ],
)
@pytest.mark.parametrize("in_thread", [True, False])
def test_commands_mean_the_same_everywhere(text: str, meant: object, *, in_thread: bool) -> None:
    assert read_intent(text, in_thread=in_thread, offers=DOCUMENT) == meant


def test_first_message_is_a_request_with_its_first_line_as_title() -> None:
    text = "Fix 500 on /api/billing\nAnnual plans, since Tuesday."
    assert read_intent(text, in_thread=False) == Request(title="Fix 500 on /api/billing", description=text)


def test_inline_options_leave_the_text() -> None:
    wanted = read_intent("[repo=api branch=dev, phase=execution agent=kimi] fix the build", in_thread=False)
    assert wanted == Request(
        title="fix the build",
        description="fix the build",
        project="api",
        branch="dev",
        agent="kimi",
        phase=Phase.EXECUTION,
    )


def test_options_nobody_knows_are_named() -> None:
    wanted = read_intent("fix the build [phase=lunch colour=red]", in_thread=False)
    assert isinstance(wanted, Request)
    assert wanted.unknown == ("phase=lunch", "colour=red")


def test_brackets_without_options_stay() -> None:
    wanted = read_intent("fix items[0] and [this]", in_thread=False)
    assert isinstance(wanted, Request)
    assert wanted.description == "fix items[0] and [this]"


def test_long_title_ends_at_a_word() -> None:
    title = title_of("word " * 40)
    assert len(title) <= 80
    assert title.endswith("word…")


@given(text=anything)
def test_any_text_means_something(text: str) -> None:
    read_intent(text, in_thread=True, offers=DOCUMENT)
    read_intent(text, in_thread=False)
