"""The cards at an end, good or not: published, failed, stopped."""

from typing import Final

from conversations.actions import Action, Verb
from conversations.cards import asleep_buttons, excerpt, step_line, tokens_text
from conversations.cleaning import one_line
from conversations.excerpts import truncate
from conversations.facts import FailureFacts, SessionFacts, StopFacts, TestsFacts, TicketFacts
from conversations.glyphs import duration
from conversations.markdown import parse
from conversations.messages import (
    Button,
    ButtonStyle,
    Code,
    Line,
    Link,
    Message,
    Mono,
    Name,
    Part,
    Prose,
    Span,
    Steps,
    Strong,
    Title,
    Tone,
)
from conversations.progress import Progress, find_session
from conversations.wording import DOCUMENTS, FAILURES, NOT_REPORTED, RESUMED
from sessions.models import Diffstat, FailureKind, Publication, SessionState, SleepReason

WORDS: Final = 600
DETAIL: Final = 300

# ── a good end ──────────────────────────────────────────────────────────────────────────────────────────────────────


def has_final(ticket: TicketFacts, session: SessionFacts) -> bool:
    """A phase that another one follows ends in its approval's card; a rejected one too."""
    match session.outcome:
        case "published" | "nothing_to_change":
            return True
        case "approved":
            return ticket.phases[-1:] == (session.phase,)
        case _:
            return False


def final_card(progress: Progress, ticket: TicketFacts, session: SessionFacts) -> Message:
    return Message(
        tone=Tone.GOOD,
        parts=(
            Title(icon="✅", text=_final_title(ticket, session)),
            *_words(session),
            *_changes(session.publication, session.tests),
            *(_compare(session.publication) if session.publication else ()),
        ),
        buttons=_final_buttons(ticket, session),
        footer=_totals(progress, ticket, session),
        mentions=(ticket.requester,),
    )


def _final_title(ticket: TicketFacts, session: SessionFacts) -> str:
    if session.outcome == "published" and session.publication:
        return f"Branch {session.publication.branch} pushed — {ticket.title}"
    if session.outcome == "approved":
        return f"The {DOCUMENTS[session.phase]} is approved — {ticket.title}"
    return f"Nothing to change — {ticket.title}"


def _words(session: SessionFacts) -> tuple[Part, ...]:
    markup = truncate(parse(session.words or session.opening), WORDS)
    return (Prose(markup=markup),) if markup else ()


def _changes(publication: Publication | None, tests: TestsFacts | None) -> tuple[Line, ...]:
    """3 files +41 −6 · ✓ pytest -q: 128 passed."""
    spans: list[Span] = [diffstat_text(publication.diffstat)] if publication else []
    if tests:
        spans += [" · "] if spans else []
        spans += ["✓ " if tests.passed else "✗ ", Mono(tests.command), f": {tests.summary or _verdict(tests)}"]
    return (Line(spans=tuple(spans)),) if spans else ()


def diffstat_text(diffstat: Diffstat) -> str:
    return f"{diffstat.files} {'file' if diffstat.files == 1 else 'files'} +{diffstat.added} −{diffstat.removed}"


def _verdict(tests: TestsFacts) -> str:
    return "passed" if tests.passed else f"failed with exit code {tests.exit_code}"


def _compare(publication: Publication) -> tuple[Part, ...]:
    return () if _is_address(publication.compare) else (Code(text=publication.compare, language="sh"),)


def _final_buttons(ticket: TicketFacts, session: SessionFacts) -> tuple[Button | Link, ...]:
    found: list[Button | Link] = []
    if session.publication and session.publication.url:
        found.append(Link(label="Open", url=session.publication.url))
    if session.publication and _is_address(session.publication.compare):
        found.append(Link(label="View diff", url=session.publication.compare))
    follow_up = Action(verb=Verb.FOLLOW_UP, ticket=ticket.key, ordinal=session.ordinal)
    return (*found, Button(label="Follow up", action=follow_up))


def _is_address(compare: str) -> bool:
    return compare.startswith(("https://", "http://"))


def _totals(progress: Progress, ticket: TicketFacts, last: SessionFacts) -> tuple[Span, ...]:
    """12m40s · Claude Code · $1.31, of all sessions up to this one."""
    sessions = [session for session in progress.sessions if session.ordinal <= last.ordinal]
    costs = [one.usage.cost_usd for one in sessions if one.usage.cost_usd is not None]
    counts = [(one.usage.input_tokens or 0) + (one.usage.output_tokens or 0) for one in sessions]
    money = f"${sum(costs):.2f}" if costs else NOT_REPORTED
    tokens = (tokens_text(sum(counts)),) if sum(counts) else ()
    return (" · ".join([duration(sum(one.active_s for one in sessions)), ticket.agent, money, *tokens]),)


# ── a failure ───────────────────────────────────────────────────────────────────────────────────────────────────────


def error_card(progress: Progress, ticket: TicketFacts, failure: FailureFacts) -> Message:
    """What happened, what is safe, one next step, and a reference; an agent's or program's last words only on demand."""
    advice = FAILURES[failure.kind]
    session = find_session(progress, failure.session)
    open_still = _is_open(session, SleepReason.FAILED) and not failure.resumed_by
    detail = (Line(spans=(excerpt(failure.detail, limit=DETAIL),)),) if failure.detail.strip() else ()
    next_step = (Line(spans=(Strong("Next: "), advice.next_step)),) if open_still else ()
    return Message(
        tone=Tone.BAD if open_still else Tone.QUIET,
        parts=(
            Title(icon="⚠️", text=advice.happened),
            *detail,
            Line(spans=(Strong("Safe: "), _safe(progress, session))),
            *next_step,
            *_gone_on(failure.resumed_by),
        ),
        buttons=_error_buttons(ticket, failure, open_still=open_still),
        footer=("ref ", Mono(f"{ticket.key}/{failure.ordinal}")),
        mentions=(ticket.requester,) if open_still else (),
    )


def _error_buttons(ticket: TicketFacts, failure: FailureFacts, *, open_still: bool) -> tuple[Button, ...]:
    retry = Action(verb=Verb.RETRY, ticket=ticket.key, ordinal=failure.session)
    details = Action(verb=Verb.DETAILS, ticket=ticket.key, ordinal=failure.ordinal)
    return (
        *(
            (Button(label=FAILURES[failure.kind].button, action=retry, style=ButtonStyle.PRIMARY),)
            if open_still
            else ()
        ),
        *((Button(label="Details", action=details),) if failure.last_words.strip() else ()),
    )


def _is_open(session: SessionFacts | None, reason: SleepReason) -> bool:
    return session is not None and session.state is SessionState.ASLEEP and session.reason is reason


def _safe(progress: Progress, session: SessionFacts | None) -> str:
    saved = [f"the {DOCUMENTS[one.phase]} (v{one.revision})" for one in progress.documents]
    if session and session.commits:
        saved.append(f"{session.commits} {'commit' if session.commits == 1 else 'commits'}")
    if session and session.saved_files:
        saved.append(f"{session.saved_files} changed {'file' if session.saved_files == 1 else 'files'}")
    published = "its branch is pushed" if session and session.publication else "nothing is published"
    return f"{', '.join(saved)}; {published}." if saved else f"{published}."


def _gone_on(by: str) -> tuple[Line, ...]:
    if not by:
        return ()
    return (Line(spans=(RESUMED[by],) if by in RESUMED else ("Resumed by ", Name(by))),)


# ── a stop ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def stopped_card(progress: Progress, ticket: TicketFacts, stop: StopFacts) -> Message:
    """What was done, what was in flight, what is left; from here it goes on or is thrown away."""
    session = find_session(progress, stop.session)
    open_still = session is not None and _is_open(session, SleepReason.STOPPED) and not stop.resumed_by
    return Message(
        tone=Tone.QUIET,
        parts=(
            Title(icon="⏸", text="Stopped; the work is saved"),
            *((Line(spans=("by ", Name(stop.by_name)), muted=True),) if stop.by_name else ()),
            Line(spans=(Strong("Done: "), _done(stop))),
            *((Steps(steps=tuple(map(step_line, stop.ended))),) if stop.ended else ()),
            *((Line(spans=(Strong("In flight: "), _in_flight(stop))),) if stop.in_flight else ()),
            Line(spans=(Strong("Left: "), _left(stop))),
            *_gone_on(stop.resumed_by),
        ),
        buttons=asleep_buttons(ticket, session) if session and open_still else (),
        mentions=(ticket.requester,) if open_still and stop.by_name != ticket.requester.name else (),
    )


def _done(stop: StopFacts) -> str:
    done = max(0, stop.steps - len(stop.in_flight))
    return f"{done} {'step' if done == 1 else 'steps'}" if done else "nothing yet"


def _in_flight(stop: StopFacts) -> str:
    return "; ".join(one_line(step.title or step.tool) for step in stop.in_flight)


def _left(stop: StopFacts) -> str:
    return "; ".join(stop.left) if stop.left else "what the agent had not come to; it kept no list"


def details(failure: FailureFacts) -> str:
    """What [Details] shows to whoever pressed it."""
    return "\n".join(filter(None, [failure.detail, failure.last_words])) or FAILURES[FailureKind.INTERNAL].happened
