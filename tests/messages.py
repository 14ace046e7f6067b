"""Any message at all, for property tests of the writers; its words are those of `tests.strategies`."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import strategies as st

from conversations.actions import Action, Verb
from conversations.markdown import parse
from conversations.messages import (
    Button,
    ButtonStyle,
    Code,
    Line,
    Link,
    Mark,
    Message,
    Moment,
    Mono,
    Name,
    PhaseMark,
    Phases,
    Prose,
    Step,
    Steps,
    Strong,
    TextFile,
    Title,
    Tone,
)
from sessions.models import InstallationId, Person
from tests.strategies import SYNTAX, WORDS

_SMALL = st.lists(st.sampled_from((*WORDS, *SYNTAX)), max_size=8).map("".join)
_LONG = st.lists(st.sampled_from((*WORDS, *SYNTAX)), min_size=4, max_size=30).map(lambda pieces: "".join(pieces) * 40)
_text = st.one_of(_SMALL, _SMALL, _SMALL, _LONG)

_spans = st.lists(
    st.one_of(
        _text,
        st.builds(Name, _text),
        st.builds(Mono, _text),
        st.builds(Strong, _text),
        st.builds(Moment, st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))),  # noqa: DTZ001 (the zone is beside it)
    ),
    max_size=4,
).map(tuple)

_marks = st.sampled_from(Mark)
_parts = st.one_of(
    st.builds(Title, icon=st.sampled_from(["", "🛠", "✋"]), text=_text, status=_SMALL, mark=st.none() | _marks),
    st.builds(Line, spans=_spans, muted=st.booleans()),
    st.builds(
        Phases,
        marks=st.lists(
            st.builds(PhaseMark, label=_SMALL, mark=_marks, elapsed_s=st.none() | st.floats(0, 1e6)), max_size=4
        ).map(tuple),
    ),
    st.builds(
        Steps,
        steps=st.lists(st.builds(Step, mark=_marks, text=_text, detail=_SMALL), max_size=6).map(tuple),
        hidden=st.integers(0, 3000),
    ),
    st.builds(Prose, markup=_text.map(parse)),
    st.builds(Code, text=_text, language=st.sampled_from(["", "diff", "python"])),
)

_actions = st.builds(
    Action, verb=st.sampled_from(Verb), ticket=st.just("4f2k9"), ordinal=st.integers(0, 99), choice=st.integers(0, 99)
)
_buttons = st.one_of(
    st.builds(Button, label=_text, action=_actions, style=st.sampled_from(ButtonStyle)),
    st.builds(Link, label=_text, url=st.sampled_from(["https://a.example/x", "javascript:alert(1)", "not an address"])),
)
_people = st.builds(
    Person,
    installation=st.just(InstallationId(UUID(int=1))),
    external_id=st.sampled_from(["U0DANA", "135000000000000001", "!channel", "everyone", ""]),
    name=_SMALL,
)

messages = st.builds(
    Message,
    tone=st.sampled_from(Tone),
    parts=st.lists(_parts, max_size=8).map(tuple),
    buttons=st.lists(_buttons, max_size=12).map(tuple),
    footer=_spans,
    mentions=st.lists(_people, max_size=2).map(tuple),
    files=st.lists(st.builds(TextFile, name=_SMALL, text=_text), max_size=3).map(tuple),
    live=st.booleans(),
)


def text_of(message: Message) -> str:
    """All that a message says, in no particular form."""
    return repr((message.parts, message.footer, [button.label for button in message.buttons]))
