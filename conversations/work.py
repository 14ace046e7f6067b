"""How a session's work stands after each of its events: state, time, steps, tests, cost, and what it left behind."""

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from conversations.cleaning import one_line
from conversations.facts import SessionFacts, TestsFacts, UsageFacts
from conversations.steps import closed, relaunched, with_call, with_tests
from sessions import lifecycle
from sessions.events import (
    AgentSaid,
    AgentStarted,
    ChangesCommitted,
    CheckpointSaved,
    Event,
    InputReceived,
    LaunchLost,
    LaunchStarted,
    PlanShown,
    Published,
    Quarantined,
    Recorded,
    SessionDiscarded,
    SessionFinished,
    SessionOpened,
    SessionQueued,
    StopRequested,
    TestsRun,
    ToolCalled,
    TurnEnded,
    UsageReported,
    WorkerEnded,
)
from sessions.models import Session, SessionId, SessionState, TicketId

SAID_KEPT: Final = 600
WORDS_KEPT: Final = 2000
PLAN_KEPT: Final = 12
LINE_KEPT: Final = 160
_NOBODY: Final = UUID(int=0)


def opened(event: SessionOpened, *, ordinal: int, position: int, at: datetime) -> SessionFacts:
    return SessionFacts(
        ordinal=ordinal,
        position=position,
        phase=event.phase,
        lane=event.lane,
        agent=event.agent,
        branch=event.branch,
        last_at=at,
    )


def worked(session: SessionFacts, recorded: Recorded) -> SessionFacts:
    """The session after one more of its events."""
    after = _moved(_clocked(session, recorded.at), recorded.event)
    after = _told(_done(_managed(after, recorded), recorded), recorded)
    if not session.ended_position and after.state in {SessionState.DONE, SessionState.DISCARDED}:
        return replace(after, ended_position=recorded.position)
    return after


def _clocked(session: SessionFacts, at: datetime) -> SessionFacts:
    passed_s = (at - session.last_at).total_seconds()
    if passed_s <= 0:
        return session
    active_s = session.active_s + (passed_s if session.state is SessionState.WORKING else 0.0)
    return replace(session, last_at=at, active_s=active_s)


def _moved(session: SessionFacts, event: Event) -> SessionFacts:
    """State as `sessions.lifecycle` has it, so that the cards never say anything else."""
    known = Session(
        id=SessionId(_NOBODY),
        ticket=TicketId(_NOBODY),
        ordinal=session.ordinal,
        phase=session.phase,
        agent=session.agent,
        branch=session.branch,
        state=session.state,
        reason=session.reason,
        losses=session.losses,
    )
    moved = lifecycle.advance(known, event)
    if moved is known:
        return session
    return replace(session, state=moved.state, reason=moved.reason, losses=moved.losses)


def _managed(session: SessionFacts, recorded: Recorded) -> SessionFacts:
    """What people and the bot did to it."""
    match recorded.event:
        case LaunchStarted():
            steps = relaunched(session.steps, position=recorded.position)
            position = session.progress_position or recorded.position
            return replace(session, steps=steps, progress_position=position)
        case InputReceived():
            return replace(session, progress_position=session.progress_position or recorded.position)
        case SessionQueued():
            return replace(session, stopping_by="", stopping_position=0)
        case StopRequested(by_name=name):
            return replace(session, stopping_by=name, stopping_position=recorded.position)
        case SessionFinished(outcome=outcome, words=words):
            return replace(_quiet(session, recorded), outcome=outcome, words=words[:WORDS_KEPT] or session.words)
        case LaunchLost() | SessionDiscarded():
            return _quiet(session, recorded)
        case Published(publication=publication):
            return replace(session, publication=publication)
        case Quarantined():
            return replace(session, unreadable=session.unreadable + 1)
        case _:
            return session


def _done(session: SessionFacts, recorded: Recorded) -> SessionFacts:
    """What its agent and worker did."""
    match recorded.event:
        case ToolCalled() as called:
            return replace(session, steps=with_call(session.steps, called, position=recorded.position))
        case TestsRun() as run:
            steps = with_tests(session.steps, run, position=recorded.position)
            return replace(session, steps=steps, tests=_tests(run))
        case ChangesCommitted():
            return replace(session, commits=session.commits + 1)
        case CheckpointSaved(files=files):
            return replace(session, saved_files=files)
        case _:
            return session


def _told(session: SessionFacts, recorded: Recorded) -> SessionFacts:
    """What they said of themselves."""
    match recorded.event:
        case AgentStarted(agent=agent, model=model):
            return replace(session, agent=agent or session.agent, model=model or session.model)
        case AgentSaid() as said:
            return _with_said(session, said)
        case PlanShown(entries=entries):
            kept = (replace(entry, text=one_line(entry.text)[:LINE_KEPT]) for entry in entries[:PLAN_KEPT])
            return replace(session, plan=tuple(kept))
        case UsageReported() as usage:
            return replace(session, usage=_with_usage(session.usage, usage))
        case TurnEnded(words=words) | WorkerEnded(words=words):
            return replace(_quiet(session, recorded), words=words[:WORDS_KEPT] or session.words)
        case _:
            return session


def _quiet(session: SessionFacts, recorded: Recorded) -> SessionFacts:
    return replace(session, steps=closed(session.steps, position=recorded.position))


def _with_said(session: SessionFacts, said: AgentSaid) -> SessionFacts:
    same = said.message == session.said_message
    opening, before = (session.opening, session.said) if same else ("", "")
    return replace(
        session,
        said_message=said.message,
        opening=(opening + said.text)[:WORDS_KEPT] if len(opening) < WORDS_KEPT else opening,
        said=(before + said.text)[-SAID_KEPT:],
    )


def _with_usage(before: UsageFacts, usage: UsageReported) -> UsageFacts:
    return UsageFacts(
        input_tokens=_sum(before.input_tokens, usage.input_tokens),
        output_tokens=_sum(before.output_tokens, usage.output_tokens),
        cost_usd=before.cost_usd if usage.cost_usd is None else (before.cost_usd or 0.0) + usage.cost_usd,
    )


def _sum(before: int | None, more: int | None) -> int | None:
    return before if more is None else (before or 0) + more


def _tests(run: TestsRun) -> TestsFacts:
    lines = [line for line in run.output[-2000:].splitlines() if line.strip()]
    return TestsFacts(
        command=one_line(run.command)[:LINE_KEPT],
        attempt=run.attempt,
        passed=run.passed,
        exit_code=run.exit_code,
        took_s=run.took_s,
        summary=one_line(lines[-1]).strip("= ")[:LINE_KEPT] if lines else "",
    )
