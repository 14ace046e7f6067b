"""Events as they are stored: what was written is read again, by this version and the next."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sessions.events import AgentSaid, Event, KnownEvent, TestsRun, ToolCalled, UnknownEvent
from storage.codec import Stored, decode, encode

KINDS: tuple[Any, ...] = KnownEvent.__args__
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_event_is_read_as_it_was_written(kind: Any) -> None:  # noqa: ANN401
    made = st.builds(kind, took_s=FINITE) if kind is TestsRun else st.from_type(kind)

    @settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
    @given(made)
    def read_again(event: Event) -> None:
        # What cannot be stored comes back as a sign of it.
        assume("\\x00" not in repr(event))
        stored = encode(event)
        assert (stored.kind, stored.version) == (event.kind, kind.VERSION)
        assert decode(stored.kind, stored.version, stored.payload) == event

    read_again()


def test_the_kind_stands_beside_the_payload_not_in_it() -> None:
    assert encode(AgentSaid(message="m", text="t")) == Stored("agent_said", 1, '{"message":"m","text":"t"}')


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "\x00\udfff"])
def test_what_jsonb_refuses_is_replaced_by_a_visible_sign(text: str) -> None:
    stored = encode(AgentSaid(message="m", text=text))
    assert "\\u0000" not in stored.payload
    stored.payload.encode()
    read = decode(stored.kind, stored.version, stored.payload)
    assert isinstance(read, AgentSaid)
    assert read.text == text.replace("\x00", "␀").replace("\ud800", "�").replace("\udfff", "�")


def test_a_kind_that_nobody_here_knows_is_kept_whole() -> None:
    read = decode("danced", 3, '{"steps":[1,2]}')
    assert read == UnknownEvent(kind="danced", version=3, payload={"steps": [1, 2]})
    assert encode(read) == Stored("danced", 3, '{"steps":[1,2]}')


def test_a_newer_shape_of_a_known_kind_is_unknown() -> None:
    assert isinstance(decode("agent_said", 2, '{"words":["hi"]}'), UnknownEvent)


@pytest.mark.parametrize("payload", ["{}", '{"message":1}', "[]", "null", '"text"'])
def test_a_payload_of_another_shape_is_no_crash(payload: str) -> None:
    read = decode("agent_said", 1, payload)
    assert isinstance(read, UnknownEvent)
    assert read.kind == "agent_said"


def test_fields_that_a_newer_version_added_are_left_out() -> None:
    assert decode("agent_said", 1, '{"message":"m","text":"t","mood":"good"}') == AgentSaid(message="m", text="t")


def test_an_older_shape_is_brought_up_to_date() -> None:
    def name_the_call(payload: dict[str, Any]) -> dict[str, Any]:
        return {**payload, "call": str(payload["id"])}

    old = json.dumps({"id": 7, "title": "Read", "tool": "read", "status": "completed"})
    upcasts = {("tool_called", 0): name_the_call}
    assert decode("tool_called", 0, old, upcasts=upcasts) == ToolCalled(
        call="7", title="Read", tool="read", status="completed"
    )
