from datetime import UTC
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType

from bot.terminal import terminal
from conversations.actions import Action, Verb
from conversations.markdown import parse
from conversations.messages import Button, Line, Link, Message, Prose, Steps, TextFile, Title, Tone
from tests.cards import CARDS
from tests.messages import messages
from tests.strategies import WORDS


def test_a_line_reads_like_the_transcript() -> None:
    assert terminal.line(CARDS["approval"]) == (
        "✋ @dana @backend-leads plan v2 · Fix 500 on /api/billing … [Approve & run] [Request changes] [Reject]"
    )


def test_a_card_that_will_change_shows_no_buttons_and_no_status_in_its_line() -> None:
    assert terminal.line(CARDS["root"]) == (
        "🛠 Fix 500 on /api/billing · acme/api @ main → viberator/4f2ab-billing-500 · Claude Code · for @dana"
    )


def test_a_card_that_was_answered_says_so_in_its_line() -> None:
    line = terminal.line(CARDS["decided"], zone=UTC)
    assert line == "✋ plan v2 · Fix 500 on /api/billing … · Approved by @dana 14:05 UTC (v2)"


def test_numbers_count_what_a_key_can_press() -> None:
    message = Message(
        tone=Tone.QUIET,
        parts=(),
        buttons=(
            Link(label="Open", url="https://a.example"),
            Button(label="One", action=Action(verb=Verb.STOP)),
            Button(label="Two", action=Action(verb=Verb.RESUME)),
        ),
    )
    assert terminal.text(message) == "[1] One   [2] Two\nOpen https://a.example"


def test_a_status_without_room_stands_below_the_title() -> None:
    message = Message(tone=Tone.QUIET, parts=(Title(icon="🛠", text="A title of some length", status="Planning"),))
    assert terminal.text(message, width=26) == "🛠 A title of some length\nPlanning"


def test_a_file_is_shown_below_unless_the_card_says_it_already() -> None:
    file = TextFile(name="plan.md", text="# Plan\n\nGuard it.")
    summary = Message(tone=Tone.QUIET, parts=(Line(spans=("A plan",)),), files=(file,))
    whole = Message(tone=Tone.QUIET, parts=(Prose(markup=parse(file.text)),), files=(file,))
    assert "plan.md" in terminal.text(summary)
    assert "Guard it." in terminal.text(summary)
    assert terminal.text(whole) == "Plan\n\nGuard it."


def test_nothing_in_a_message_controls_the_terminal() -> None:
    evil = "\x1b]0;owned\x07 \x1b[2J \x9b31m \r\b [bold]not markup[/bold] :smile:"
    message = Message(tone=Tone.BAD, parts=(Title(icon="", text=evil), Line(spans=(evil,)), Prose(markup=parse(evil))))
    for drawn in (terminal.line(message), terminal.text(message)):
        assert not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in drawn.replace("\n", ""))
        assert "[bold]not markup[/bold] :smile:" in drawn


@given(messages)
def test_a_line_is_one_line(message: Message) -> None:
    assert len(terminal.line(message, zone=UTC).splitlines()) <= 1


@given(messages, st.sampled_from([20, 80]))
def test_lines_keep_to_the_width_and_no_word_is_lost(message: Message, width: int) -> None:
    drawn = terminal.text(message, width=width, zone=UTC)
    assert all(cell_len(row) <= width for row in drawn.splitlines())
    assert not words(message) - words_in(drawn)


@given(messages)
def test_no_control_sequence_but_our_own_colours_is_drawn(message: Message) -> None:
    plain = colourless(terminal.renderable(message, zone=UTC))
    assert "\x1b" not in plain
    assert "\x07" not in plain


def colourless(content: RenderableType) -> str:
    console = Console(file=StringIO(), force_terminal=True, width=100, color_system="standard", legacy_windows=False)
    with console.capture() as captured:
        console.print(content)
    return "".join(part.partition("m")[2] if at else part for at, part in enumerate(captured.get().split("\x1b[")))


def words(message: Message) -> set[str]:
    """The known words that the parts of a message are made of."""
    text = repr([part for part in message.parts if not isinstance(part, Steps)])
    return {word for word in WORDS if word in text}


def words_in(drawn: str) -> set[str]:
    joined = "".join(drawn.split())
    return {word for word in WORDS if word in joined}
