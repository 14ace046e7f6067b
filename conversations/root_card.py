"""The root card: one a ticket, edited for life, so that a look at it says where things stand."""

from typing import Final

from conversations.actions import Verb
from conversations.asks import is_open
from conversations.cards import asleep_buttons, button, tone
from conversations.cleaning import one_line
from conversations.facts import SessionFacts, TicketFacts
from conversations.messages import (
    Button,
    ButtonStyle,
    Line,
    Link,
    Mark,
    Message,
    Mono,
    Name,
    PhaseMark,
    Phases,
    Span,
    Title,
    Tone,
)
from conversations.progress import Progress
from conversations.wording import PHASES
from sessions.models import ApprovalState, Phase, SessionState, SleepReason, TicketState

_MARKS: Final = {
    SessionState.QUEUED: Mark.QUEUED,
    SessionState.WORKING: Mark.ACTIVE,
    SessionState.WAITING: Mark.PAUSED,
    SessionState.ASLEEP: Mark.PAUSED,
    SessionState.DONE: Mark.DONE,
    SessionState.DISCARDED: Mark.FAILED,
}
_ASLEEP: Final = {
    SleepReason.STOPPED: "stopped",
    SleepReason.FAILED: "failed",
    SleepReason.IDLE: "asleep until you answer",
    SleepReason.INTERRUPTED: "interrupted, goes on by itself",
    SleepReason.HALTED: "halted by the operator",
}


def root(progress: Progress, ticket: TicketFacts, *, page: str) -> Message:
    """What is asked for, where it stands, and the button that fits; it is edited for life and mentions nobody."""
    session = current(progress)
    mark, status = _standing(ticket, session, waiting=_waits(progress))
    return Message(
        tone=_root_tone(ticket, session),
        parts=(
            Title(icon="🛠", text=ticket.title, status=status, mark=mark),
            Line(spans=_where(ticket, session)),
            Phases(marks=tuple(_phase(progress, ticket, phase) for phase in ticket.phases)),
        ),
        buttons=(*_root_buttons(ticket, session), *((Link(label="Watch ↗", url=page),) if page else ())),
        footer=("ticket ", Mono(ticket.key)),
        live=ticket.state is TicketState.OPEN,
    )


def current(progress: Progress) -> SessionFacts | None:
    """The newest session: the one that is meant where none is named."""
    return progress.sessions[-1] if progress.sessions else None


def _where(ticket: TicketFacts, session: SessionFacts | None) -> tuple[Span, ...]:
    branch: tuple[Span, ...] = (" → ", Mono(session.branch)) if session and session.branch else ()
    base: tuple[Span, ...] = (" @ ", Mono(ticket.base_branch)) if ticket.base_branch else ()
    return (Mono(_short(ticket.repository)), *base, *branch, f" · {ticket.agent} · for ", Name(ticket.requester.name))


def _short(repository: str) -> str:
    """owner/name of an address, the folder's name of a path, and anything else as it is."""
    bare = one_line(repository).rstrip("/").removesuffix(".git")
    if "://" in bare:
        return "/".join(bare.partition("://")[2].split("/")[1:][-2:]) or bare
    return bare.rpartition("/")[2] if bare.startswith(("/", ".", "~")) else bare.rpartition(":")[2]


def _waits(progress: Progress) -> bool:
    pending = any(one.state is ApprovalState.PENDING for one in progress.approvals)
    return pending or any(map(is_open, progress.questions))


def _standing(ticket: TicketFacts, session: SessionFacts | None, *, waiting: bool) -> tuple[Mark, str]:
    match ticket.state:
        case TicketState.DONE:
            return Mark.DONE, "Done"
        case TicketState.REJECTED:
            return Mark.FAILED, "Rejected"
        case TicketState.OPEN:
            if session is None:
                return Mark.QUEUED, "Filed"
    mark, words = _MARKS[session.state], _phase_of(ticket, session)
    if session.state is SessionState.ASLEEP and session.reason is SleepReason.FAILED:
        mark = Mark.FAILED
    return mark, f"{words}{_aside(session, waiting=waiting)}"


def _phase_of(ticket: TicketFacts, session: SessionFacts) -> str:
    if session.phase not in ticket.phases:
        return PHASES[session.phase]
    return f"{PHASES[session.phase]} {ticket.phases.index(session.phase) + 1}/{len(ticket.phases)}"


def _aside(session: SessionFacts, *, waiting: bool) -> str:
    if session.stopping_by:
        return ", stopping…"
    match session.state:
        case SessionState.QUEUED:
            return ", queued"
        case SessionState.WAITING:
            return ", waits for you"
        case SessionState.ASLEEP if waiting and session.reason is SleepReason.IDLE:
            return ", waits for you"
        case SessionState.ASLEEP:
            return f", {_ASLEEP[session.reason]}" if session.reason else ", asleep"
        case SessionState.WORKING | SessionState.DONE | SessionState.DISCARDED:
            return ""


def _root_tone(ticket: TicketFacts, session: SessionFacts | None) -> Tone:
    match ticket.state:
        case TicketState.DONE:
            return Tone.GOOD
        case TicketState.REJECTED:
            return Tone.QUIET
        case TicketState.OPEN:
            return tone(session) if session else Tone.QUIET


def _phase(progress: Progress, ticket: TicketFacts, phase: Phase) -> PhaseMark:
    sessions = [session for session in progress.sessions if session.phase is phase]
    elapsed_s = sum(session.active_s for session in sessions)
    if sessions:
        return PhaseMark(label=PHASES[phase], mark=_session_mark(sessions[-1]), elapsed_s=elapsed_s)
    begun = [ticket.phases.index(one.phase) for one in progress.sessions if one.phase in ticket.phases]
    skipped = ticket.state is not TicketState.OPEN or any(at > ticket.phases.index(phase) for at in begun)
    return PhaseMark(label=PHASES[phase], mark=Mark.SKIPPED if skipped else Mark.OPEN)


def _session_mark(session: SessionFacts) -> Mark:
    failed = session.state is SessionState.ASLEEP and session.reason is SleepReason.FAILED
    if session.outcome == "rejected" or failed:
        return Mark.FAILED
    return _MARKS[session.state]


def _root_buttons(ticket: TicketFacts, session: SessionFacts | None) -> tuple[Button, ...]:
    if ticket.state is TicketState.REJECTED:
        return (button("Reopen", Verb.REOPEN, ticket),)
    if ticket.state is TicketState.DONE or session is None:
        return ()
    match session.state:
        case SessionState.QUEUED | SessionState.WORKING | SessionState.WAITING:
            return () if session.stopping_by else (button("Stop", Verb.STOP, ticket, style=ButtonStyle.DANGER),)
        case SessionState.ASLEEP:
            return asleep_buttons(ticket, session)
        case SessionState.DONE | SessionState.DISCARDED:
            return ()
