"""The pure core of delivery: what is to be posted and edited, so that a thread agrees with its view.

State in, operations out: the same code runs under any clock and any platform. Carrying a plan out and planning again
comes to nothing. A message that somebody deleted is posted once more, under its slot with a `+`; when that one is gone
too, the thread is lost and left alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, assert_never

from conversations.digests import digest
from conversations.messages import Card, Urgency, View
from conversations.models import Edit, Operation, Post, PostedSlot, SlotState
from conversations.ports import Capabilities

AGAIN: Final = "+"
"""What a slot's name ends in when its first message was deleted."""

_RANK: Final = {urgency: rank for rank, urgency in enumerate(Urgency)}


def plan(view: View, posted: Mapping[str, PostedSlot], *, capabilities: Capabilities) -> tuple[Operation, ...]:
    """What is to be done, the most urgent first; () when the thread agrees with the view.

    New messages keep the order of the view among themselves, so that a thread reads the same however fast it was filled;
    the most urgent of them hurries those before it.
    """
    found = (_operation(index, card, posted, capabilities) for index, card in enumerate(view))
    hurried = _hurried([operation for operation in found if operation is not None])
    return tuple(sorted(hurried, key=rank))


def rank(operation: Operation) -> int:
    """0 for the most urgent."""
    return _RANK[operation.urgency]


def is_lost(posted: Mapping[str, PostedSlot]) -> bool:
    """Whether a message was deleted, posted once more, and deleted again."""
    return any(name.endswith(AGAIN) and slot.state is SlotState.GONE for name, slot in posted.items())


def _operation(
    index: int, card: Card, posted: Mapping[str, PostedSlot], capabilities: Capabilities
) -> Operation | None:
    name, known = _current(card.slot, posted)
    wanted = digest(card.message)
    if known is None:
        # Where nothing can be edited, a card that still changes is shown when it no longer will; but the first one opens
        # the thread.
        hidden = card.message.live and not capabilities.can_edit and index > 0
        return None if hidden else Post(slot=name, digest=wanted, view_index=index, urgency=card.urgency)
    match known.state:
        case SlotState.INTENDED:
            return Post(slot=name, digest=wanted, view_index=index, urgency=card.urgency, retry=True)
        case SlotState.DONE:
            if known.digest == wanted or not capabilities.can_edit:
                return None
            return Edit(slot=name, digest=wanted, view_index=index, urgency=card.urgency, message_id=known.message_id)
        case SlotState.GONE:
            return None
        case _:
            assert_never(known.state)


def _current(slot: str, posted: Mapping[str, PostedSlot]) -> tuple[str, PostedSlot | None]:
    known = posted.get(slot)
    if known is not None and known.state is SlotState.GONE:
        again = slot + AGAIN
        return again, posted.get(again)
    return slot, known


def _hurried(operations: list[Operation]) -> list[Operation]:
    """Each post at least as urgent as the ones below it."""
    most = len(_RANK) - 1
    for at in reversed(range(len(operations))):
        operation = operations[at]
        if isinstance(operation, Post):
            most = min(most, rank(operation))
            operations[at] = replace(operation, urgency=tuple(Urgency)[most])
    return operations
