"""What a person reads when something could not be done: what is the case, and what they can do instead."""

from datetime import UTC, datetime

from conversations.wording import DECIDED
from sessions.errors import (
    ApprovalAlreadyDecided,
    ApprovalStale,
    ApprovalUnknown,
    InputGone,
    KeysExhausted,
    NotAllowed,
    ProjectUnknown,
    QuestionAlreadyAnswered,
    QuestionUnknown,
    SessionOver,
    SessionsError,
    SessionUnknown,
    TicketOver,
    TicketUnknown,
    VerdictNotOffered,
)
from sessions.models import ApprovalState, InputState, TicketState
from sessions.ports import RepositoryUnusable


def refusal(error: SessionsError) -> str | None:
    """The sentence for an error that a person can do something about; None for one that is ours alone."""
    match error:
        case ApprovalAlreadyDecided():
            return _decided(error)
        case ApprovalStale():
            return "This has changed since that card was posted. Please decide on the newest card."
        case VerdictNotOffered(verdict=verdict):
            return f"“{verdict.replace('_', ' ')}” is not one of the choices here."
        case NotAllowed(action=action, allowed=allowed):
            return f"Only {_names(allowed)} may {action} here."
        case QuestionAlreadyAnswered(by_name=name):
            return f"@{name} has answered that already." if name else "That question is not open any more."
        case InputGone(state=state):
            gone = {InputState.WITHDRAWN: "removed", InputState.SENT: "handed to the agent"}
            return f"That message was {gone.get(state, 'taken')} already."
        case ProjectUnknown(name=name, known=known):
            return f"I know no project “{name}”. {_known(known)}"
        case RepositoryUnusable(detail=detail):
            return detail
        case _:
            return _unknown_or_over(error)


def _unknown_or_over(error: SessionsError) -> str | None:
    match error:
        case TicketOver(key=key, state=state):
            end = "rejected" if state is TicketState.REJECTED else "done"
            return f"Ticket {key} is {end}. Reopen it to go on, or start a new thread."
        case SessionOver(key=key):
            return f"Session {key} has ended. Write here what else is to be done, and a new one starts."
        case TicketUnknown(key=key):
            return f"I know no ticket “{key}”."
        case SessionUnknown(key=key):
            return f"I know no session “{key}”."
        case ApprovalUnknown() | QuestionUnknown():
            return "That is not asked in this thread. Please use the newest card."
        case KeysExhausted():
            return "No free name for the ticket was found. Please try again."
        case _:
            return None


def _decided(error: ApprovalAlreadyDecided) -> str:
    if error.state is ApprovalState.LAPSED:
        return "That is not asked any more: something newer has taken its place. Please use the newest card."
    by = f" by @{error.by_name}" if error.by_name else ""
    at = f" at {datetime.fromtimestamp(error.at_unix_s, UTC):%H:%M} UTC" if error.at_unix_s else ""
    return f"Already decided: {DECIDED[error.state].lower()}{by}{at}."


def _names(allowed: tuple[str, ...]) -> str:
    named = [name if " " in name else f"@{name}" for name in allowed]
    if not named:
        return "others"
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def _known(known: tuple[str, ...]) -> str:
    return f"There are: {', '.join(known)}." if known else "There is none yet: `viberator project add` makes one."
