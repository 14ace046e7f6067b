"""The cards a thread should show, from what its history comes to.

Slots: `root`, `progress/<session>`, `approval/<n>`, `question/<n>`, `receipt/<input>`, `final/<session>`, `error/<n>`,
`stopped/<session>` and, when a session is stopped again, `stopped/<session>.2` and so on. Only the ones that need a person
are new messages that mention anybody, and exactly who is needed; all else edits a card that is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from conversations.ask_cards import approval_card, approval_slot, question_card
from conversations.end_cards import error_card, final_card, has_final, stopped_card
from conversations.facts import StopFacts, TicketFacts
from conversations.messages import Button, Card, Line, Link, Message, Urgency, View
from conversations.ports import Capabilities
from conversations.progress import Progress
from conversations.progress_card import progress_card, receipt
from conversations.root_card import root
from conversations.wording import COMMANDS
from sessions.models import ApprovalState


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where the status page is; an empty `public_url` means that there is none to link to."""

    public_url: str = ""

    def page(self, key: str) -> str:
        """The address of a ticket's page; empty where there is none."""
        return f"{self.public_url.rstrip('/')}/t/{key}" if self.public_url else ""


def view(progress: Progress, *, capabilities: Capabilities, links: Links) -> View:
    """All cards in the order of their first appearance; the same progress always gives the same view."""
    ticket = progress.ticket
    if ticket is None:
        return ()
    first = _Placed(ticket.position, "root", root(progress, ticket, page=links.page(ticket.key)), Urgency.RECEIPT)
    placed = [first, *_work(progress, ticket, capabilities), *_asks(progress, ticket, capabilities)]
    placed += _ends(progress, ticket)
    # Events that bring several cards at once bring them in the order above.
    ordered = sorted(placed, key=lambda one: one.position)
    draw = _as_it_is if capabilities.has_buttons else _in_words
    return tuple(Card(slot=one.slot, message=draw(one.message), urgency=one.urgency) for one in ordered)


def _as_it_is(message: Message) -> Message:
    return message


def _in_words(message: Message) -> Message:
    """The message with the commands that stand for its buttons."""
    actions = [button.action for button in message.buttons if isinstance(button, Button)]
    commands = [COMMANDS[action.verb].format(ticket=action.ticket) for action in actions if action.verb in COMMANDS]
    words = (Line(spans=(f"Write {' or '.join(commands)}.",)),) if commands else ()
    links = tuple(button for button in message.buttons if isinstance(button, Link))
    return replace(message, parts=(*message.parts, *words), buttons=links)


@dataclass(frozen=True, slots=True)
class _Placed:
    position: int
    slot: str
    message: Message
    urgency: Urgency


def _work(progress: Progress, ticket: TicketFacts, capabilities: Capabilities) -> Iterator[_Placed]:
    for session in progress.sessions:
        if session.progress_position:
            message = progress_card(progress, ticket, session)
            slot = f"progress/{session.ordinal}"
            # Coming to rest is told at once, so that nothing seems to go on that has ended.
            urgency = Urgency.PROGRESS if message.live else Urgency.FINAL
            yield _Placed(session.progress_position, slot, message, urgency)
    if not capabilities.can_edit:
        for queued in progress.inputs:
            yield _Placed(queued.position, f"receipt/{queued.ordinal}", receipt(ticket, queued), Urgency.RECEIPT)


def _asks(progress: Progress, ticket: TicketFacts, capabilities: Capabilities) -> Iterator[_Placed]:
    buttons, modals = capabilities.has_buttons, capabilities.has_modals
    for approval in progress.approvals:
        message = approval_card(progress, ticket, approval, buttons=buttons)
        urgency = Urgency.DECISION if approval.state is ApprovalState.PENDING else Urgency.RECEIPT
        yield _Placed(approval.position, approval_slot(approval.ordinal), message, urgency)
    for question in progress.questions:
        message = question_card(ticket, question, buttons=buttons, modals=modals)
        yield _Placed(question.position, f"question/{question.ordinal}", message, Urgency.DECISION)


def _ends(progress: Progress, ticket: TicketFacts) -> Iterator[_Placed]:
    for session in progress.sessions:
        if has_final(ticket, session):
            message = final_card(progress, ticket, session)
            yield _Placed(session.ended_position, f"final/{session.ordinal}", message, Urgency.FINAL)
    for failure in progress.failures:
        message = error_card(progress, ticket, failure)
        yield _Placed(failure.position, f"error/{failure.ordinal}", message, Urgency.ERROR)
    for stop in progress.stops:
        yield _Placed(stop.position, _stop_slot(stop), stopped_card(progress, ticket, stop), Urgency.ERROR)


def _stop_slot(stop: StopFacts) -> str:
    return f"stopped/{stop.session}" if stop.nth == 1 else f"stopped/{stop.session}.{stop.nth}"
