"""What a ticket's history comes to, as far as its thread shows it: a fold over events, one step an event.

Pure and cheap: a step costs the same after two thousand events as after ten, and what is kept is bounded, since texts are
cut and only the last few steps, failures, stops and settled approvals stay. No clock is read: a running session's elapsed
time is that of its last event, so that an idle thread costs nothing. The value is stored as a snapshot; `VERSION` changes
with its shape or its meaning, and snapshots of another version are thrown away.
"""

from dataclasses import dataclass, replace
from typing import Final

from conversations import asks, work
from conversations.cleaning import one_line
from conversations.facts import (
    ApprovalFacts,
    DocumentFacts,
    FailureFacts,
    InputFacts,
    QuestionFacts,
    SessionFacts,
    StopFacts,
    TicketFacts,
)
from conversations.steps import StepFacts
from sessions.events import (
    ApprovalAsked,
    ApprovalDecided,
    ApprovalLapsed,
    DocumentWritten,
    Event,
    InputEdited,
    InputReceived,
    InputTaken,
    InputWithdrawn,
    LaunchLost,
    QuestionAnswered,
    QuestionAsked,
    Recorded,
    SessionOpened,
    SessionQueued,
    TicketClosed,
    TicketFiled,
    TicketReopened,
    WorkerEnded,
)
from sessions.models import Failure, FailureKind, InputKind, SessionState, SleepReason, TicketState, Verdict

VERSION: Final = 1

SESSIONS_KEPT: Final = 20
INPUTS_KEPT: Final = 20
TROUBLES_KEPT: Final = 5
TITLE_KEPT: Final = 200
TEXT_KEPT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`position` is that of the last event folded in; `failures_count` is of all failures there were."""

    position: int = 0
    ticket: TicketFacts | None = None
    sessions: tuple[SessionFacts, ...] = ()
    documents: tuple[DocumentFacts, ...] = ()
    approvals: tuple[ApprovalFacts, ...] = ()
    questions: tuple[QuestionFacts, ...] = ()
    inputs: tuple[InputFacts, ...] = ()
    failures: tuple[FailureFacts, ...] = ()
    failures_count: int = 0
    stops: tuple[StopFacts, ...] = ()


EMPTY: Final = Progress()


def fold(progress: Progress, recorded: Recorded) -> Progress:
    """The progress after one more event; an event at or before `progress.position` changes nothing."""
    if recorded.position <= progress.position:
        return progress
    asked = _with_asks(_with_ticket(progress, recorded), recorded)
    return replace(_with_inputs(_with_work(asked, recorded), recorded.event), position=recorded.position)


def find_session(progress: Progress, ordinal: int) -> SessionFacts | None:
    return next((session for session in progress.sessions if session.ordinal == ordinal), None)


def _with_ticket(progress: Progress, recorded: Recorded) -> Progress:
    match recorded.event:
        case TicketFiled() as filed:
            return replace(progress, ticket=_ticket(filed, recorded))
        case TicketClosed(state=state) if progress.ticket:
            return replace(progress, ticket=replace(progress.ticket, state=state))
        case TicketReopened() if progress.ticket:
            return replace(progress, ticket=replace(progress.ticket, state=TicketState.OPEN))
        case DocumentWritten() as written:
            return replace(progress, documents=_with_document(progress.documents, written))
        case _:
            return progress


def _with_asks(progress: Progress, recorded: Recorded) -> Progress:
    session, position, at = recorded.session or 0, recorded.position, recorded.at
    match recorded.event:
        case ApprovalAsked() as event:
            document = next((one.markdown for one in progress.documents if one.digest == event.digest), "")
            approvals = asks.asked(progress.approvals, event, session=session, position=position, document=document)
            return replace(progress, approvals=approvals)
        case ApprovalDecided() as event:
            approvals = asks.decided(progress.approvals, event, at=at)
            return replace(progress, approvals=approvals, documents=_without_approved(progress, event))
        case ApprovalLapsed() as event:
            return replace(progress, approvals=asks.lapsed(progress.approvals, event, at=at))
        case QuestionAsked() as event:
            questions = asks.questioned(progress.questions, event, session=session, position=position)
            return replace(progress, questions=questions)
        case QuestionAnswered() as event:
            return replace(progress, questions=asks.answered(progress.questions, event, at=at))
        case _:
            return progress


def _with_inputs(progress: Progress, event: Event) -> Progress:
    match event:
        case InputEdited(ordinal=ordinal, text=text):
            edited = (replace(one, text=text[:TEXT_KEPT]) if one.ordinal == ordinal else one for one in progress.inputs)
            return replace(progress, inputs=tuple(edited))
        case InputWithdrawn(ordinal=ordinal) | InputTaken(ordinal=ordinal):
            return replace(progress, inputs=tuple(one for one in progress.inputs if one.ordinal != ordinal))
        case _:
            return progress


def _with_work(progress: Progress, recorded: Recorded) -> Progress:
    if recorded.session is None:
        return progress
    if isinstance(recorded.event, SessionOpened):
        return _with_session(progress, recorded.event, recorded.session, recorded)
    before = find_session(progress, recorded.session)
    if before is None:
        return progress
    after = work.worked(before, recorded)
    sessions = tuple(after if one.ordinal == after.ordinal else one for one in progress.sessions)
    return _with_consequences(replace(progress, sessions=sessions), before, after, recorded)


def _with_consequences(progress: Progress, before: SessionFacts, after: SessionFacts, recorded: Recorded) -> Progress:
    """What the session's new state means for the other cards."""
    if isinstance(recorded.event, InputReceived):
        return _with_input(progress, recorded.event, recorded)
    if after.state is before.state:
        return progress
    match after.state, after.reason:
        case SessionState.ASLEEP, SleepReason.FAILED:
            return _with_failure(progress, after, recorded)
        case SessionState.ASLEEP, SleepReason.STOPPED:
            return _with_stop(progress, after, recorded)
        case ((SessionState.QUEUED | SessionState.WORKING), _) if before.state is SessionState.ASLEEP:
            return _resumed(progress, after, recorded.event)
        case ((SessionState.DONE | SessionState.DISCARDED), _):
            return _over(progress, after)
        case _:
            return progress


def _with_session(progress: Progress, event: SessionOpened, ordinal: int, recorded: Recorded) -> Progress:
    """A new session takes over the messages that the one before it in its lane was not given."""
    opened = work.opened(event, ordinal=ordinal, position=recorded.position, at=recorded.at)
    over = {one.ordinal for one in progress.sessions if one.lane == event.lane and one.ended_position}
    if any(one.session in over for one in progress.inputs):
        opened = replace(opened, progress_position=recorded.position)
    return replace(
        progress,
        sessions=(*progress.sessions, opened)[-SESSIONS_KEPT:],
        inputs=tuple(replace(one, session=ordinal) if one.session in over else one for one in progress.inputs),
    )


def _with_input(progress: Progress, event: InputReceived, recorded: Recorded) -> Progress:
    if event.input is not InputKind.MESSAGE:
        return progress
    queued = InputFacts(
        ordinal=event.ordinal,
        position=recorded.position,
        session=recorded.session or 0,
        author_name=event.author_name,
        text=event.text[:TEXT_KEPT],
    )
    return replace(progress, inputs=(*progress.inputs, queued)[-INPUTS_KEPT:])


def _with_failure(progress: Progress, session: SessionFacts, recorded: Recorded) -> Progress:
    failure = _failure(recorded.event)
    failed = FailureFacts(
        ordinal=progress.failures_count + 1,
        position=recorded.position,
        session=session.ordinal,
        kind=failure.kind,
        detail=failure.detail[:TEXT_KEPT],
        last_words=failure.last_words[-TEXT_KEPT:],
        at=recorded.at,
    )
    failures = (*progress.failures, failed)[-TROUBLES_KEPT:]
    return replace(progress, failures=failures, failures_count=failed.ordinal)


def _failure(event: Event) -> Failure:
    match event:
        case WorkerEnded(failure=Failure() as failure) | LaunchLost(failure=Failure() as failure):
            return failure
        case WorkerEnded(words=words):
            return Failure(kind=FailureKind.INTERNAL, detail="", last_words=words)
        case LaunchLost(detail=detail, last_words=last_words):
            return Failure(kind=FailureKind.RUNNER, detail=detail, last_words=last_words)
        case _:
            return Failure(kind=FailureKind.INTERNAL, detail="")


def _with_stop(progress: Progress, session: SessionFacts, recorded: Recorded) -> Progress:
    steps = session.steps.shown
    stop = StopFacts(
        session=session.ordinal,
        nth=1 + max((stop.nth for stop in progress.stops if stop.session == session.ordinal), default=0),
        position=recorded.position,
        at=recorded.at,
        by_name=session.stopping_by,
        steps=session.steps.count,
        ended=tuple(step for step in steps if step.status in {"completed", "failed"}),
        in_flight=tuple(step for step in steps if _was_cut(step, session)),
        left=tuple(entry.text for entry in session.plan if entry.status != "completed"),
        words=session.words,
    )
    sessions = tuple(
        replace(one, stopping_by="", stopping_position=0) if one.ordinal == session.ordinal else one
        for one in progress.sessions
    )
    return replace(progress, sessions=sessions, stops=(*progress.stops, stop)[-TROUBLES_KEPT:])


def _was_cut(step: StepFacts, session: SessionFacts) -> bool:
    return step.open or (step.status == "interrupted" and step.position >= session.stopping_position)


def _resumed(progress: Progress, session: SessionFacts, event: Event) -> Progress:
    by = event.by_name or event.cause if isinstance(event, SessionQueued) else "restart"
    return replace(
        progress,
        failures=tuple(
            replace(one, resumed_by=one.resumed_by or by) if one.session == session.ordinal else one
            for one in progress.failures
        ),
        stops=tuple(
            replace(one, resumed_by=one.resumed_by or by) if one.session == session.ordinal else one
            for one in progress.stops
        ),
    )


def _over(progress: Progress, session: SessionFacts) -> Progress:
    """Its questions are void. Messages that it was not given wait for the next session, or are withdrawn one by one."""
    return replace(progress, questions=asks.closed(progress.questions, session=session.ordinal))


def _ticket(filed: TicketFiled, recorded: Recorded) -> TicketFacts:
    return TicketFacts(
        position=recorded.position,
        key=filed.key,
        title=one_line(filed.title)[:TITLE_KEPT],
        requester=filed.requester,
        repository=filed.repository,
        base_branch=filed.base_branch,
        agent=filed.agent,
        phases=filed.phases,
        filed_at=recorded.at,
    )


def _with_document(documents: tuple[DocumentFacts, ...], written: DocumentWritten) -> tuple[DocumentFacts, ...]:
    newest = DocumentFacts(
        phase=written.phase,
        revision=written.revision,
        author=written.author,
        digest=written.digest,
        markdown=written.markdown,
    )
    return (*(one for one in documents if one.phase is not written.phase), newest)


def _without_approved(progress: Progress, event: ApprovalDecided) -> tuple[DocumentFacts, ...]:
    """An approved document is asked for no more, so that its text need not be kept; one sent back may come again."""
    approved = {one.digest for one in progress.approvals if one.ordinal == event.ordinal}
    if event.verdict is not Verdict.APPROVE:
        return progress.documents
    return tuple(replace(one, markdown="") if one.digest in approved else one for one in progress.documents)
