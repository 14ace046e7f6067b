"""What the cards say, as plain text."""

from dataclasses import replace
from datetime import UTC

import pytest

from conversations.actions import ENCODED_LIMIT, decode
from conversations.fallback import full_text
from conversations.messages import Button, Card, Tone, Urgency, View
from conversations.ports import Capabilities
from conversations.rendering import Links, view
from conversations.wording import FAILURES
from sessions.events import (
    AgentSaid,
    ApprovalAsked,
    ApprovalLapsed,
    DocumentWritten,
    LaunchStarted,
    SessionFinished,
    StopRequested,
    TicketClosed,
    TicketFiled,
    WorkerEnded,
)
from sessions.models import ApprovalKind, Failure, FailureKind, Phase, TicketState, Verdict
from tests import stories
from tests.stories import DANA, Story, begun, digest_of, filed, told

RICH = Capabilities(can_edit=True, has_buttons=True, has_modals=True, has_idempotency_key=True, text_limit=4000)
PLAIN = Capabilities(can_edit=False, has_buttons=False, has_modals=False, has_idempotency_key=False, text_limit=4000)


def shown(story: Story, capabilities: Capabilities = RICH, links: Links | None = None) -> View:
    return view(told(story.events), capabilities=capabilities, links=links or Links())


def card(story: Story, slot: str, capabilities: Capabilities = RICH) -> Card:
    return next(card for card in shown(story, capabilities) if card.slot == slot)


def text(story: Story, slot: str, capabilities: Capabilities = RICH) -> str:
    return full_text(card(story, slot, capabilities).message, zone=UTC)


def test_root_card_says_where_things_stand() -> None:
    assert text(stories.root_card(), "root") == (
        "🛠 Fix 500 on /api/billing · ● Planning 2/3\n"
        "acme/api @ main → viberator/4f2ab-billing-500 · Claude Code · for @dana\n"
        "Research ✓ 1m11s   Planning ● 0m39s   Execution ○\n"
        "[Stop]\n"
        "ticket 4f2ab"
    )


@pytest.mark.parametrize(
    ("repository", "read"),
    [
        ("acme/api", "acme/api"),
        ("https://host.example/acme/api.git", "acme/api"),
        ("ssh://git@host.example:22/acme/api", "acme/api"),
        ("git@host.example:acme/api.git", "acme/api"),
        ("https://host.example/group/team/api", "team/api"),
        ("/srv/git/widgets.git/", "widgets"),
        ("file:///srv/git/widgets.git", "git/widgets"),
    ],
)
def test_repository_is_named_as_people_name_it(repository: str, read: str) -> None:
    story = Story()
    ticket = filed(story).events[0].event
    assert isinstance(ticket, TicketFiled)
    story.events[0] = replace(story.events[0], event=replace(ticket, repository=repository))
    assert text(story, "root").splitlines()[1].startswith(f"{read} @ main")


def test_root_card_links_to_the_page_where_there_is_one() -> None:
    links = Links(public_url="https://viberator.example/")
    root = shown(stories.root_card(), links=links)[0].message
    assert "[Watch ↗](https://viberator.example/t/4f2ab)" in full_text(root)


def test_progress_card_shows_the_last_five_steps_and_the_queue() -> None:
    assert text(stories.progress_card(), "progress/3") == (
        "● Execution · step 14 · 3m04s · $0.42\n"
        "… 9 earlier steps\n"
        "✓ Read billing/part_10.py\n"
        "✓ Read billing/part_11.py\n"
        "✓ Search for prorate(\n"
        "✓ edited billing/proration.py (+18 −4)\n"
        "▸ pytest tests/billing -q\n"
        "💬 The guard is in. Running the billing tests now.\n"
        "⏳ queued from @lee: Cover leap years too, please.\n"
        "[Remove]"
    )


def test_approval_card_asks_those_who_may_decide() -> None:
    asked = card(stories.approval_card(), "approval/3")
    assert full_text(asked.message) == (
        "✋ @dana @backend-leads plan v2 · Fix 500 on /api/billing\n"
        "\n"
        "1. Guard the missing discount in billing/proration.py\n"
        "2. Add a regression test for annual plans\n"
        "3. Note it in the changelog\n"
        "\n"
        "Not doing: schema migration\n"
        "\n"
        "[Approve & run] [Request changes] [Reject]\n"
        "Deciders: @dana, @backend-leads"
    )
    assert asked.urgency is Urgency.DECISION
    assert asked.message.tone is Tone.WAITING


def test_decided_approval_has_no_buttons_and_says_who() -> None:
    decided = card(stories.progress_card(), "approval/3")
    assert text(stories.progress_card(), "approval/3").endswith("Approved by @dana 14:04 UTC (v2)")
    assert decided.message.buttons == ()
    assert decided.message.mentions == ()


def test_changes_that_were_asked_for_are_quoted() -> None:
    said = text(stories.approval_card(), "approval/2")
    assert said.endswith("“Guard it at the source, and add a test.”\nChanges requested by @dana 14:03 UTC (v1)")


def test_superseded_approval_points_to_the_newest_revision() -> None:
    story = stories.planning()
    stories.documented(story, 2, Phase.PLANNING, "1. Catch it", ordinal=2)
    story.tell(
        DocumentWritten(phase=Phase.PLANNING, revision=2, author="x", digest=digest_of("2"), markdown="2"), session=2
    )
    story.tell(ApprovalLapsed(ordinal=2, cause="superseded"), session=2)
    assert text(story, "approval/2").endswith("The plan is now v2.")


def test_long_document_is_a_summary_with_the_whole_beside_it() -> None:
    whole = "# Plan\n\nThe plan.\n\n" + "A sentence of the plan. " * 100
    story = begun(filed(Story()), 1, Phase.PLANNING)
    story.tell(DocumentWritten(phase=Phase.PLANNING, revision=1, author="x", digest=digest_of(whole), markdown=whole))
    asked = ApprovalAsked(
        ordinal=1,
        approval=ApprovalKind.DOCUMENT,
        subject=Phase.PLANNING,
        title="Plan",
        body="The plan.",
        digest=digest_of(whole),
        deciders=(DANA.external_id,),
        decider_names=(DANA.name,),
        offers=(Verdict.APPROVE,),
        revision=1,
    )
    message = card(story.tell(asked, session=1), "approval/1").message
    assert [(file.name, file.text) for file in message.files] == [("4f2ab-plan-v1.md", whole)]
    assert "A sentence" not in full_text(message)


def test_permission_card_offers_what_the_agent_offers_in_our_words() -> None:
    assert text(stories.permission_card(), "approval/4") == (
        "✋ @dana may the agent do this? pip install hypothesis\n"
        "\n"
        "    pip install hypothesis\n"
        "\n"
        "The agent offers: Yes / Yes, and don't ask again / No\n"
        "[Allow once] [Always allow] [Reject]\n"
        "Deciders: @dana"
    )


def test_nothing_of_what_is_to_be_permitted_is_left_out() -> None:
    harmless = "\n".join(f"echo step {number}" for number in range(400))
    assert "rm -rf /" in text(stories.permission_card(f"{harmless}\nrm -rf /"), "approval/4")


def test_question_card_has_a_button_for_each_option_and_one_for_any_other() -> None:
    assert text(stories.question_card(), "question/1") == (
        "❓ @dana The agent asks\n"
        "\n"
        "Annual plans without a discount: charge the full price?\n"
        "\n"
        "[Full price] [Last year's] [Other…]\n"
        "Or write your answer here."
    )
    answered = text(stories.answered(stories.question_card()), "question/1")
    assert answered.endswith("→ Full price\nAnswered by @dana 14:02 UTC")


def test_final_card_says_what_was_published_and_what_it_took() -> None:
    assert text(stories.final_card(), "final/3") == (
        "✅ @dana Branch viberator/4f2ab-billing-500 pushed — Fix 500 on /api/billing\n"
        "\n"
        "Cause: discount was None for annual plans. It counts as zero now, and a test holds it there.\n"
        "\n"
        "3 files +41 −6 · ✓ pytest -q: 128 passed in 4.20s\n"
        "\n"
        "git fetch origin viberator/4f2ab-billing-500 && git diff main...FETCH_HEAD\n"
        "\n"
        "[Follow up]\n"
        "7m31s · Claude Code · $0.71 · 37.1k tokens"
    )


def test_final_card_falls_back_to_the_agents_last_message() -> None:
    story = begun(filed(Story()), 1, Phase.EXECUTION)
    story.tell(AgentSaid(message="m1", text="I **looked** "), session=1)
    story.tell(AgentSaid(message="m1", text="at it."), session=1)
    story.tell(SessionFinished(outcome="nothing_to_change"), session=1)
    assert "\nI looked at it.\n" in text(story, "final/1")


def test_work_that_came_to_rest_is_told_before_anything_that_goes_on() -> None:
    assert card(stories.final_card(), "progress/3").urgency is Urgency.FINAL
    assert card(stories.progress_card(), "progress/3").urgency is Urgency.PROGRESS


def test_cost_that_nobody_reported_is_said_to_be_so() -> None:
    story = begun(filed(Story()), 1, Phase.EXECUTION)
    story.tell(SessionFinished(outcome="nothing_to_change", words="All is well."), session=1)
    assert text(story, "final/1").endswith("0m01s · Claude Code · cost not reported")


def test_error_card_says_what_happened_what_is_safe_and_one_next_step() -> None:
    assert text(stories.error_card(), "error/1") == (
        "⚠️ @dana The code host refused the push\n"
        "403: no Contents:write on acme/api\n"
        "Safe: the research (v1), the plan (v2), 3 changed files; nothing is published.\n"
        "Next: Let the bot push to this branch, then retry.\n"
        "[Retry push] [Details]\n"
        "ref 4f2ab/1"
    )


def test_retried_error_asks_for_nothing_any_more() -> None:
    message = card(stories.retried(stories.error_card()), "error/1").message
    assert "Resumed by @dana" in full_text(message)
    assert [button.label for button in message.buttons] == ["Details"]
    assert message.mentions == ()


@pytest.mark.parametrize("kind", FailureKind)
def test_every_failure_has_its_words_and_its_next_step(kind: FailureKind) -> None:
    story = begun(filed(Story()), 1, Phase.EXECUTION)
    story.tell(WorkerEnded(reason="failed", failure=Failure(kind=kind, detail="why")), session=1)
    said = text(story, "error/1")
    assert FAILURES[kind].happened in said
    assert FAILURES[kind].next_step in said


def test_stopped_card_says_done_in_flight_and_left() -> None:
    assert text(stories.stopped_card(), "stopped/3") == (
        "⏸ @dana Stopped; the work is saved\n"
        "by @lee\n"
        "Done: 13 steps\n"
        "✓ Read billing/part_10.py\n"
        "✓ Read billing/part_11.py\n"
        "✓ Search for prorate(\n"
        "✓ edited billing/proration.py (+18 −4)\n"
        "In flight: pytest tests/billing -q\n"
        "Left: Add a regression test; Note it in the changelog\n"
        "[Resume] [Discard]"
    )


def test_stopping_is_said_at_once() -> None:
    story = stories.executing().tell(StopRequested(by_name="lee"), session=3)
    assert "Execution 3/3, stopping…" in text(story, "root")
    assert "[Stop]" not in text(story, "root")


def test_second_stop_of_a_session_is_a_card_of_its_own() -> None:
    story = stories.retried(stories.stopped_card()).tell(LaunchStarted(fence=4, runner="process"), session=3)
    story.tell(StopRequested(by_name="dana"), session=3).tell(WorkerEnded(reason="stopped"), session=3)
    assert [card.slot for card in shown(story)][-2:] == ["stopped/3", "stopped/3.2"]
    assert card(story, "stopped/3").message.buttons == ()


def test_rejected_ticket_can_be_reopened() -> None:
    story = stories.approval_card().tell(stories.decided(3, Verdict.REJECT), session=2)
    story.tell(SessionFinished(outcome="rejected"), session=2)
    story.tell(TicketClosed(state=TicketState.REJECTED, by_name="dana"))
    assert "✗ Rejected" in text(story, "root")
    assert "[Reopen]" in text(story, "root")


# ── all cards ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_cards_stand_in_the_order_of_their_first_appearance() -> None:
    assert [card.slot for card in shown(stories.final_card())] == [
        "root",
        "progress/1",
        "approval/1",
        "progress/2",
        "approval/2",
        "approval/3",
        "progress/3",
        "final/3",
    ]


@pytest.mark.parametrize("make", [make for make, _ in stories.CARDS.values()], ids=list(stories.CARDS))
def test_cards_never_change_their_order(make: object) -> None:
    before: list[str] = []
    events = make().events  # type: ignore[operator] # (pytest hides the type)
    for count in range(len(events) + 1):
        slots = [card.slot for card in view(told(events[:count]), capabilities=RICH, links=Links())]
        assert slots[: len(before)] == before
        assert len(set(slots)) == len(slots)
        before = slots


def test_two_thousand_events_stay_in_one_progress_card() -> None:
    story = stories.long_story(2000)
    assert [card.slot for card in shown(story)] == ["root", "progress/1"]
    assert len(text(story, "progress/1").splitlines()) == 7


def test_nothing_but_a_person_in_need_is_mentioned() -> None:
    for make, _ in stories.CARDS.values():
        for one in shown(make()):
            assert not (one.message.mentions and one.slot.startswith(("root", "progress")))


@pytest.mark.parametrize("make", [make for make, _ in stories.CARDS.values()], ids=list(stories.CARDS))
def test_every_button_fits_into_what_platforms_send_back(make: object) -> None:
    for one in shown(make()):  # type: ignore[operator] # (pytest hides the type)
        for button in one.message.buttons:
            if isinstance(button, Button):
                encoded = button.action.encode()
                assert len(encoded.encode()) <= ENCODED_LIMIT
                assert decode(encoded).ticket == stories.KEY


def test_without_buttons_the_words_that_decide_are_said() -> None:
    said = text(stories.approval_card(), "approval/3", PLAIN)
    assert "Write “approve” or “changes: …” or “reject because …”" in said
    assert "[" not in said
    assert text(stories.question_card(), "question/1", PLAIN).endswith(
        "1. Full price\n2. Last year's\nWrite your answer here."
    )


def test_without_buttons_every_card_names_the_commands_instead() -> None:
    assert text(stories.root_card(), "root", PLAIN).splitlines()[3] == "Write !stop."
    assert "Write !resume or !discard 4f2ab." in text(stories.stopped_card(), "stopped/3", PLAIN)
    for make, _ in stories.CARDS.values():
        assert not any(isinstance(button, Button) for one in shown(make(), PLAIN) for button in one.message.buttons)


def test_where_nothing_can_be_edited_a_queued_message_gets_a_receipt() -> None:
    assert card(stories.progress_card(), "receipt/2", PLAIN).urgency is Urgency.RECEIPT
    assert not any(one.slot.startswith("receipt/") for one in shown(stories.progress_card()))


def test_history_without_a_ticket_shows_nothing() -> None:
    assert shown(Story()) == ()
