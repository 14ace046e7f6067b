"""How a ticket stands, in a few words for whoever asks."""

from conversations.wording import PHASES
from sessions.acts import Standing
from sessions.models import ApprovalState, InputKind, InputState, Phase, SessionState, SleepReason, TicketState

_STATES = {
    SessionState.QUEUED: "queued",
    SessionState.WORKING: "the agent works",
    SessionState.WAITING: "waits for you",
    SessionState.ASLEEP: "asleep",
    SessionState.DONE: "done",
    SessionState.DISCARDED: "discarded",
}
_REASONS = {
    SleepReason.STOPPED: "stopped; !resume goes on",
    SleepReason.FAILED: "failed; !retry tries again",
    SleepReason.IDLE: "asleep until somebody answers",
    SleepReason.INTERRUPTED: "interrupted; it goes on by itself",
    SleepReason.HALTED: "halted by the operator",
}


def status(standing: Standing) -> str:
    """4f2ab · Execution: the agent works · 1 message queued."""
    ticket = standing.ticket
    match ticket.state:
        case TicketState.OPEN:
            return " · ".join([ticket.key, _session(standing), *_waiting(standing)])
        case TicketState.DONE:
            return f"{ticket.key} · done. Write here what else is to be done, and the work goes on."
        case TicketState.REJECTED:
            return f"{ticket.key} · rejected. !reopen takes it up again."


def difference(standing: Standing) -> str:
    """How to see what was changed; before anything is pushed, that there is nothing to see yet."""
    pushed = [one for one in standing.sessions if one.phase is Phase.EXECUTION and one.state is SessionState.DONE]
    if not pushed:
        return "Nothing is pushed yet. The steps so far are in the progress card."
    base = standing.ticket.base_branch or standing.project.branch
    return f"git fetch origin {pushed[-1].branch} && git diff {base}...FETCH_HEAD"


def _session(standing: Standing) -> str:
    session = standing.session
    return f"{PHASES[session.phase]}: {_REASONS[session.reason] if session.reason else _STATES[session.state]}"


def _waiting(standing: Standing) -> list[str]:
    pending = sum(one.state is ApprovalState.PENDING for one in standing.approvals)
    asked = sum(not one.answered_by and one.session == standing.session.id for one in standing.questions)
    queued = sum(one.state is InputState.QUEUED and one.kind is InputKind.MESSAGE for one in standing.inputs)
    counts = ((pending, "decision", "waiting"), (asked, "question", "open"), (queued, "message", "queued"))
    return [f"{count} {noun if count == 1 else noun + 's'} {state}" for count, noun, state in counts if count]
