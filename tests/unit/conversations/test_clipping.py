from datetime import UTC, datetime

from hypothesis import given

from conversations.clipping import Room, clip, is_clipped, units
from conversations.messages import (
    Code,
    Line,
    Link,
    Mark,
    Message,
    Moment,
    Name,
    Phases,
    Prose,
    Step,
    Steps,
    Strong,
    Title,
    Tone,
)
from tests.messages import messages

ROOM = Room(title=10, line=10, step=10, label=6, many=2)


def message(*parts: Title | Line | Steps | Phases) -> Message:
    return Message(tone=Tone.QUIET, parts=parts)


def test_a_title_keeps_to_its_room_and_one_line() -> None:
    assert clip(message(Title(icon="", text="Fix 500\non billing")), ROOM).parts == (Title(icon="", text="Fix 500 o…"),)


def test_the_spans_of_a_line_share_its_room() -> None:
    line = Line(spans=("12345 ", Name("dana of the billing team"), Moment(datetime(2026, 1, 1, tzinfo=UTC))))
    assert clip(message(line), ROOM).parts == (Line(spans=("12345 ", Name("dan…"))),)


def test_blanks_between_spans_stay() -> None:
    line = Line(spans=(Strong("Next: "), "retry"))
    assert clip(message(line), Room(label=6)).parts == (line,)


def test_the_last_steps_stay_and_the_others_are_counted() -> None:
    steps = tuple(Step(mark=Mark.DONE, text=str(number)) for number in range(5))
    assert clip(message(Steps(steps=steps, hidden=4)), ROOM).parts == (Steps(steps=steps[3:], hidden=7),)


def test_an_address_cut_short_is_too_long_to_open() -> None:
    link = Link(label="x", url="https://a.example/" + "y" * 600)
    (short,) = clip(Message(tone=Tone.QUIET, parts=(), buttons=(link,)), ROOM).buttons
    assert isinstance(short, Link)
    assert units(short.url) == 501


def test_astral_signs_count_twice() -> None:
    assert units("aé👩") == 4


@given(messages)
def test_clipping_twice_changes_nothing_and_says_whether_it_did(given_message: Message) -> None:
    clipped = clip(given_message, ROOM)
    assert clip(clipped, ROOM).parts == clipped.parts
    assert not is_clipped(
        given_message,
        Room(**dict.fromkeys(("title", "line", "step", "label", "name", "url"), 10**6), many=99, people=99),
    )
    assert [p for p in clipped.parts if isinstance(p, Prose)] == [
        p for p in given_message.parts if isinstance(p, Prose)
    ]
    assert sum(isinstance(p, Code) for p in clipped.parts) == sum(isinstance(p, Code) for p in given_message.parts)
