"""The progress card: one a session, however long it is, and what waits in its queue."""

from collections.abc import Sequence
from typing import Final

from conversations.actions import Verb
from conversations.cards import button, cost, excerpt, step_line, tone
from conversations.facts import InputFacts, SessionFacts, TicketFacts
from conversations.glyphs import duration
from conversations.messages import (
    Button,
    Line,
    Message,
    Name,
    Part,
    Steps,
    Title,
    Tone,
)
from conversations.progress import Progress
from conversations.wording import PHASES
from sessions.models import SessionState, SleepReason

STEPS_SHOWN: Final = 5
INPUTS_SHOWN: Final = 3


def progress_card(progress: Progress, ticket: TicketFacts, session: SessionFacts) -> Message:
    """One card a session, however long it is: the last five steps and what waits in the queue, never a transcript."""
    queued = [one for one in progress.inputs if one.session == session.ordinal]
    return Message(
        tone=tone(session),
        parts=(
            Title(icon=_progress_icon(session), text=_headline(session)),
            *_steps(session),
            *_said(session),
            *(_queued_line(one) for one in queued[:INPUTS_SHOWN]),
            *(
                (Line(spans=(f"… and {len(queued) - INPUTS_SHOWN} more",), muted=True),)
                if queued[INPUTS_SHOWN:]
                else ()
            ),
        ),
        buttons=_queue_buttons(ticket, queued[:INPUTS_SHOWN]),
        live=session.state in {SessionState.QUEUED, SessionState.WORKING, SessionState.WAITING},
    )


def _progress_icon(session: SessionFacts) -> str:
    if session.state is SessionState.ASLEEP and session.reason is SleepReason.FAILED:
        return "✗"
    return {
        SessionState.QUEUED: "⏳",
        SessionState.WORKING: "●",
        SessionState.WAITING: "✋",
        SessionState.ASLEEP: "⏸",
        SessionState.DONE: "✓",
        SessionState.DISCARDED: "✗",
    }[session.state]


def _headline(session: SessionFacts) -> str:
    """Execution · step 14 · 3m05s · $0.42."""
    words = [PHASES[session.phase]]
    if session.steps.count:
        words.append(f"step {session.steps.count}")
    words.append(duration(session.active_s))
    return " · ".join([*words, *cost(session)])


def _steps(session: SessionFacts) -> tuple[Part, ...]:
    steps = session.steps.shown[-STEPS_SHOWN:]
    if not steps:
        return ()
    calls = sum(step.tool != "tests" for step in steps)
    return (Steps(steps=tuple(map(step_line, steps)), hidden=max(0, session.steps.count - calls)),)


def _said(session: SessionFacts) -> tuple[Part, ...]:
    lines = [line for line in session.said.splitlines() if line.strip()]
    if session.state is not SessionState.WORKING or not lines:
        return ()
    return (Line(spans=(f"💬 {excerpt(lines[-1])}",), muted=True),)


def _queued_line(queued: InputFacts) -> Line:
    return Line(spans=("⏳ queued from ", Name(queued.author_name), f": {excerpt(queued.text)}"))


def _queue_buttons(ticket: TicketFacts, queued: Sequence[InputFacts]) -> tuple[Button, ...]:
    def label(at: int) -> str:
        return "Remove" if len(queued) == 1 else f"Remove {at}"

    return tuple(button(label(at), Verb.REMOVE, ticket, ordinal=one.ordinal) for at, one in enumerate(queued, start=1))


def receipt(ticket: TicketFacts, queued: InputFacts) -> Message:
    """The same as a message of its own, for platforms on which the progress card cannot be edited."""
    return Message(
        tone=Tone.QUIET,
        parts=(_queued_line(queued),),
        buttons=(button("Remove", Verb.REMOVE, ticket, ordinal=queued.ordinal),),
    )
