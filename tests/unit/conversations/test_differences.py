"""The pure core of delivery."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from conversations.differences import AGAIN, is_lost, plan, rank
from conversations.digests import digest
from conversations.messages import Card, Line, Message, Moment, Tone, Urgency, View
from conversations.models import Edit, Post, PostedSlot, SlotState
from sessions.models import Digest
from tests.fakes_outlet import EDITABLE, PIPE
from tests.stories import START

messages = st.builds(
    Message,
    tone=st.sampled_from(Tone),
    parts=st.tuples(st.builds(Line, spans=st.tuples(st.text(max_size=5)))),
    live=st.booleans(),
)
cards = st.builds(
    Card, slot=st.sampled_from([f"card/{n}" for n in range(6)]), message=messages, urgency=st.sampled_from(Urgency)
)
views = st.lists(cards, max_size=6, unique_by=lambda card: card.slot).map(tuple)
known_slots = st.builds(
    PostedSlot,
    slot=st.sampled_from([f"card/{n}{again}" for n in range(6) for again in ("", AGAIN)]),
    state=st.sampled_from(SlotState),
    digest=st.sampled_from([Digest("a" * 64), Digest("")]),
    message_id=st.just("m1"),
)
posteds = st.lists(known_slots, max_size=6, unique_by=lambda slot: slot.slot).map(
    lambda slots: {slot.slot: slot for slot in slots}
)
capabilities = st.sampled_from([EDITABLE, PIPE])


def message(text: str = "hello", *, live: bool = False) -> Message:
    return Message(tone=Tone.QUIET, parts=(Line(spans=(text, Moment(START))),), live=live)


def card(slot: str, urgency: Urgency = Urgency.PROGRESS, text: str = "hello", *, live: bool = False) -> Card:
    return Card(slot=slot, message=message(text, live=live), urgency=urgency)


def done(slot: str, of: Message) -> PostedSlot:
    return PostedSlot(slot=slot, state=SlotState.DONE, digest=digest(of), message_id=f"m-{slot}")


@given(view=views, posted=posteds, can=capabilities)
def test_carrying_a_plan_out_leaves_nothing_to_do(view: View, posted: dict[str, PostedSlot], can: object) -> None:
    after = dict(posted)
    for operation in plan(view, posted, capabilities=can):  # type: ignore[arg-type] # (Hypothesis hides the type)
        after[operation.slot] = PostedSlot(
            slot=operation.slot, state=SlotState.DONE, digest=operation.digest, message_id="m2"
        )
    assert plan(view, after, capabilities=can) == ()  # type: ignore[arg-type] # (as above)


@given(view=views, posted=posteds)
def test_new_messages_keep_the_order_of_the_view(view: View, posted: dict[str, PostedSlot]) -> None:
    operations = plan(view, posted, capabilities=EDITABLE)
    posts = [operation.view_index for operation in operations if isinstance(operation, Post)]
    assert posts == sorted(posts)
    assert [rank(operation) for operation in operations] == sorted(rank(operation) for operation in operations)


def test_message_that_is_there_is_edited_only_when_it_changed() -> None:
    posted = {"root": done("root", message())}
    assert plan((card("root"),), posted, capabilities=EDITABLE) == ()
    (edit,) = plan((card("root", text="bye"),), posted, capabilities=EDITABLE)
    assert isinstance(edit, Edit)
    assert edit.message_id == "m-root"


def test_attempt_with_an_unknown_outcome_is_settled_first() -> None:
    posted = {"root": PostedSlot(slot="root", state=SlotState.INTENDED, digest=Digest("d"))}
    (post,) = plan((card("root"),), posted, capabilities=EDITABLE)
    assert isinstance(post, Post)
    assert post.retry


def test_deleted_message_is_posted_once_more_and_then_never() -> None:
    gone = replace(done("root", message()), state=SlotState.GONE)
    (post,) = plan((card("root"),), {"root": gone}, capabilities=EDITABLE)
    assert (post.slot, is_lost({"root": gone})) == ("root+", False)
    twice = {"root": gone, "root+": replace(gone, slot="root+")}
    assert plan((card("root"),), twice, capabilities=EDITABLE) == ()
    assert is_lost(twice)


def test_decision_goes_before_progress_and_hurries_what_stands_above_it() -> None:
    posted = {"root": done("root", message("old"))}
    view = (card("root"), card("progress/1"), card("approval/1", Urgency.DECISION), card("progress/2"))
    assert [operation.slot for operation in plan(view, posted, capabilities=EDITABLE)] == [
        "progress/1",
        "approval/1",
        "root",
        "progress/2",
    ]


def test_where_nothing_can_be_edited_a_card_is_posted_when_it_comes_to_rest() -> None:
    view = (card("root", live=True), card("progress/1", live=True))
    assert [operation.slot for operation in plan(view, {}, capabilities=PIPE)] == ["root"]
    rested = (card("root", live=True), card("progress/1"))
    assert [operation.slot for operation in plan(rested, {}, capabilities=PIPE)] == ["root", "progress/1"]


def test_card_that_left_the_view_stays_in_the_thread() -> None:
    assert plan((), {"approval/1": done("approval/1", message())}, capabilities=EDITABLE) == ()


def test_digest_is_the_same_in_every_process() -> None:
    assert digest(message()) == "b90db44879c3be79883a087b4eca190a8a3e7f3a8dbdd8fe53c811c455a74171"


@given(one=messages, other=messages)
def test_digests_differ_when_messages_do(one: Message, other: Message) -> None:
    assert (digest(one) == digest(other)) == (one == other)


def test_text_that_no_encoding_has_still_has_a_digest() -> None:
    assert digest(message("\ud800\x00")) != digest(message("\ud801"))
