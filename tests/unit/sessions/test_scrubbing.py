"""Every text of a frame is scrubbed, and nothing else is touched."""

import time
from uuid import UUID

from sessions.events import (
    AgentSaid,
    AgentThought,
    DocumentSubmitted,
    FileChange,
    LaunchLost,
    PermissionRequested,
    PlanEntry,
    PlanShown,
    Quarantined,
    ToolCalled,
    WorkerEnded,
)
from sessions.models import Failure, FailureKind, LaunchId, PermissionOption, Phase
from sessions.redaction import MARK, Redactor
from sessions.sanitising import DOCUMENT_CHARS, TEXT_CHARS
from sessions.scrubbing import Frame, Scrubber

SECRET = "ghp_0123456789abcdef"
LAUNCH = LaunchId(UUID(int=1))
OTHER = LaunchId(UUID(int=2))
DIRTY = f"a\x1b[31m {SECRET} \x00"
CLEAN = f"a {MARK} ␀"


def scrubber(*secrets: str) -> Scrubber:
    return Scrubber(redactor=Redactor(secrets or (SECRET,)))


def test_texts_are_scrubbed_however_deep_they_stand() -> None:
    called = ToolCalled(
        call="c1",
        title=DIRTY,
        tool="edit",
        status="completed",
        locations=(DIRTY,),
        changes=(FileChange(path=DIRTY, added=1, removed=2, patch=DIRTY),),
    )
    assert scrubber().scrub(LAUNCH, [called]) == [
        ToolCalled(
            call="c1",
            title=CLEAN,
            tool="edit",
            status="completed",
            locations=(CLEAN,),
            changes=(FileChange(path=CLEAN, added=1, removed=2, patch=CLEAN),),
        )
    ]


def test_optional_and_listed_values_are_scrubbed() -> None:
    failure = Failure(kind=FailureKind.INTERNAL, detail=DIRTY, last_words=DIRTY)
    ended, plan, asked = scrubber().scrub(
        LAUNCH,
        [
            WorkerEnded(reason="failed", failure=failure),
            PlanShown(entries=(PlanEntry(text=DIRTY, status="pending"),)),
            PermissionRequested(
                request="r",
                call="c",
                title="t",
                tool="execute",
                input=DIRTY,
                grant="g",
                options=(PermissionOption(kind="allow_once", label=DIRTY),),
            ),
        ],
    )
    assert ended == WorkerEnded(
        reason="failed", failure=Failure(kind=FailureKind.INTERNAL, detail=CLEAN, last_words=CLEAN)
    )
    assert plan == PlanShown(entries=(PlanEntry(text=CLEAN, status="pending"),))
    assert isinstance(asked, PermissionRequested)
    assert (asked.input, asked.options[0].label) == (CLEAN, CLEAN)


def test_what_is_clean_is_the_same_object() -> None:
    frames: list[Frame] = [
        AgentSaid(message="m", text="hello"),
        ToolCalled(call="c", title="t", tool="read", status="running", locations=("a", "b")),
        Quarantined(frame=1, size_bytes=2, problem="p"),
        LaunchLost(fence=1),
    ]
    assert all(new is old for new, old in zip(scrubber().scrub(LAUNCH, frames), frames, strict=True))


def test_a_secret_in_two_pieces_of_a_message_is_found() -> None:
    pieces: list[Frame] = [
        AgentSaid(message="m", text=f"it is {SECRET[:7]}"),
        AgentThought(text="hm"),
        AgentSaid(message="m", text=f"{SECRET[7:]}, really"),
    ]
    said = [frame.text for frame in scrubber().scrub(LAUNCH, pieces) if isinstance(frame, AgentSaid)]
    assert said == [f"it is {MARK}", ", really"]


def test_a_secret_in_two_batches_is_found_but_not_across_launches() -> None:
    one = scrubber()
    begun: list[Frame] = [AgentSaid(message="m", text=SECRET[:7])]
    first = one.scrub(LAUNCH, begun)
    one.remember(LAUNCH, begun)
    elsewhere = one.scrub(OTHER, [AgentSaid(message="m", text=SECRET[7:])])
    second = one.scrub(LAUNCH, [AgentSaid(message="m", text=f"{SECRET[7:]}!")], first=2)
    assert first == [AgentSaid(message="m", text=MARK)]
    assert elsewhere == [AgentSaid(message="m", text=SECRET[7:])]
    assert second == [AgentSaid(message="m", text="!")]


def test_of_a_secret_that_begins_too_shortly_to_be_known_the_rest_is_not_said() -> None:
    one = scrubber()
    begun: list[Frame] = [AgentSaid(message="m", text=SECRET[:5]), AgentThought(text="hm")]
    assert one.scrub(LAUNCH, begun) == begun
    one.remember(LAUNCH, begun)
    (said,) = one.scrub(LAUNCH, [AgentSaid(message="m", text=f"{SECRET[5:]}!")], first=3)
    assert said == AgentSaid(message="m", text="!")


def test_a_batch_that_comes_again_is_scrubbed_as_the_first_time() -> None:
    one = scrubber()
    begun: list[Frame] = [AgentSaid(message="m", text=SECRET[:5])]
    rest: list[Frame] = [AgentSaid(message="m", text=f"{SECRET[5:]}!")]
    one.scrub(LAUNCH, begun, first=1)
    one.remember(LAUNCH, begun, first=1)
    # It could not be stored the first time, and the second time the answer was lost.
    for _ in range(3):
        assert one.scrub(LAUNCH, rest, first=2) == [AgentSaid(message="m", text="!")]


def test_what_was_stored_already_is_no_context_of_itself() -> None:
    one = scrubber()
    begun: list[Frame] = [AgentSaid(message="m", text=SECRET[:5])]
    more: list[Frame] = [*begun, AgentSaid(message="m", text=SECRET[5:9])]
    one.remember(LAUNCH, begun, first=1)
    one.scrub(LAUNCH, more, first=1)
    one.remember(LAUNCH, more, first=1)
    one.remember(LAUNCH, more, first=1)
    (said,) = one.scrub(LAUNCH, [AgentSaid(message="m", text=f"{SECRET[9:]}!")], first=3)
    assert said == AgentSaid(message="m", text="!")


def test_what_is_dirty_is_found_among_much_that_is_clean() -> None:
    frames: list[Frame] = [AgentSaid(message=f"m{n}", text="hello") for n in range(9)]
    secret = ToolCalled(call="c", title="t", tool="read", status="running", locations=("a", SECRET))
    control = PlanShown(entries=(PlanEntry(text="a\x00", status="pending"),))
    for dirty in (secret, control):
        assert scrubber().scrub(LAUNCH, [*frames, dirty]) == [*frames, *scrubber().scrub(LAUNCH, [dirty])]
        assert scrubber().scrub(LAUNCH, [dirty]) != [dirty]


def test_a_control_character_hides_no_secret() -> None:
    hidden = f"{SECRET[:5]}\x1b[0m{SECRET[5:]}"
    assert scrubber().text(hidden) == MARK


def test_long_texts_are_capped_after_redaction_and_documents_later() -> None:
    text = "x" * (TEXT_CHARS * 2 // 3 - 5) + SECRET + "y" * TEXT_CHARS
    assert "ghp_0" not in scrubber().text(text)
    document = DocumentSubmitted(phase=Phase.RESEARCH, markdown="z" * DOCUMENT_CHARS)
    assert scrubber().scrub(LAUNCH, [document]) == [document]


def test_ten_thousand_events_a_second_pass() -> None:
    one = scrubber(SECRET, "another-secret-of-mine", "sk-ant-api03-abcdefgh")
    frames = [AgentSaid(message="m", text="I look at billing/proration.py and its tests. " * 3) for _ in range(20)]
    began = time.perf_counter()
    for batch in range(100):
        one.scrub(LAUNCH, frames, first=1 + 20 * batch)
        one.remember(LAUNCH, frames, first=1 + 20 * batch)
    per_second = 2000 / (time.perf_counter() - began)
    assert per_second > 10_000
