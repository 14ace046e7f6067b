"""What several cards have in common: buttons, tones, and how steps, costs and excerpts read."""

from typing import Final

from conversations.actions import Action, Verb
from conversations.cleaning import one_line
from conversations.facts import SessionFacts, TicketFacts
from conversations.messages import (
    Button,
    ButtonStyle,
    Mark,
    Step,
    Tone,
)
from conversations.steps import StepFacts
from conversations.wording import TOOLS
from sessions.models import SessionState, SleepReason

EXCERPT: Final = 100

_TONES: Final = {
    SessionState.QUEUED: Tone.QUIET,
    SessionState.WORKING: Tone.WORKING,
    SessionState.WAITING: Tone.WAITING,
    SessionState.ASLEEP: Tone.QUIET,
    SessionState.DONE: Tone.GOOD,
    SessionState.DISCARDED: Tone.QUIET,
}
_STEP_MARKS: Final = {
    "pending": Mark.QUEUED,
    "running": Mark.RUNNING,
    "completed": Mark.DONE,
    "failed": Mark.FAILED,
    "interrupted": Mark.SKIPPED,
}


def tone(session: SessionFacts) -> Tone:
    failed = session.state is SessionState.ASLEEP and session.reason is SleepReason.FAILED
    return Tone.BAD if failed else _TONES[session.state]


def button(
    label: str, verb: Verb, ticket: TicketFacts, *, ordinal: int = 0, style: ButtonStyle = ButtonStyle.PLAIN
) -> Button:
    return Button(label=label, action=Action(verb=verb, ticket=ticket.key, ordinal=ordinal), style=style)


def asleep_buttons(ticket: TicketFacts, session: SessionFacts) -> tuple[Button, ...]:
    discard = button("Discard", Verb.DISCARD, ticket, style=ButtonStyle.DANGER)
    match session.reason:
        case SleepReason.FAILED:
            return (button("Retry", Verb.RETRY, ticket, style=ButtonStyle.PRIMARY), discard)
        case SleepReason.IDLE | SleepReason.INTERRUPTED | None:
            return (discard,)
        case SleepReason.STOPPED | SleepReason.HALTED:
            return (button("Resume", Verb.RESUME, ticket, style=ButtonStyle.PRIMARY), discard)


def step_line(step: StepFacts) -> Step:
    """✓ edited billing/proration.py (+18 −4), or what the agent called it where no file is known."""
    text = step.title or step.tool
    if step.path and step.status == "completed" and step.tool in TOOLS:
        more = f" and {step.changed - 1} more" if step.changed > 1 else ""
        text = f"{TOOLS[step.tool]} {step.path}{more}"
    detail = f"(+{step.added} −{step.removed})" if step.changed else ""
    return Step(mark=_STEP_MARKS[step.status], text=text, detail=detail)


def cost(session: SessionFacts) -> tuple[str, ...]:
    """What was told of it: money, else tokens, else nothing."""
    usage = session.usage
    if usage.cost_usd is not None:
        return (f"${usage.cost_usd:.2f}",)
    tokens = [count for count in (usage.input_tokens, usage.output_tokens) if count is not None]
    return (f"{tokens_text(sum(tokens))}",) if tokens else ()


def tokens_text(tokens: int) -> str:
    return f"{tokens} tokens" if tokens < 1000 else f"{tokens / 1000:.1f}k tokens"


def excerpt(text: str, *, limit: int = EXCERPT) -> str:
    """The text as one line, cut with an ellipsis."""
    line = one_line(text)
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"
