"""What people were asked, and what they said: approvals and questions as their events leave them, in bounded numbers."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from conversations.facts import ApprovalFacts, QuestionFacts
from sessions.approvals import state_after
from sessions.events import ApprovalAsked, ApprovalDecided, ApprovalLapsed, QuestionAnswered, QuestionAsked
from sessions.models import ApprovalState

SETTLED_KEPT: Final = 20
"""So many settled approvals, and as many questions, stay among the cards; older ones are left in the thread as they are."""

SHORT_DOCUMENT: Final = 1200
"""Characters up to which a document is shown whole in its card; of a longer one the summary, with a file beside it."""

TEXT_KEPT: Final = 1500

Approvals = tuple[ApprovalFacts, ...]
Questions = tuple[QuestionFacts, ...]


def asked(approvals: Approvals, event: ApprovalAsked, *, session: int, position: int, document: str = "") -> Approvals:
    """`document` is the whole of what is to be approved, where it is a document."""
    return (
        *approvals,
        ApprovalFacts(
            ordinal=event.ordinal,
            position=position,
            session=session,
            kind=event.approval,
            subject=event.subject,
            title=event.title,
            body=document if document and len(document) <= SHORT_DOCUMENT else event.body,
            digest=event.digest,
            deciders=event.deciders,
            decider_names=event.decider_names,
            offers=event.offers,
            labels=event.labels,
            revision=event.revision,
        ),
    )


def decided(approvals: Approvals, event: ApprovalDecided, *, at: datetime) -> Approvals:
    return _kept_approvals(
        tuple(
            replace(
                one,
                state=state_after(event.verdict),
                verdict=event.verdict,
                by_name=event.by_name,
                settled_at=at,
                comment=event.comment[:TEXT_KEPT],
                body=one.body[:TEXT_KEPT],
            )
            if _is_pending(one, event.ordinal)
            else one
            for one in approvals
        )
    )


def lapsed(approvals: Approvals, event: ApprovalLapsed, *, at: datetime) -> Approvals:
    return _kept_approvals(
        tuple(
            replace(one, state=ApprovalState.LAPSED, lapse=event.cause, settled_at=at, body="")
            if _is_pending(one, event.ordinal)
            else one
            for one in approvals
        )
    )


def questioned(questions: Questions, event: QuestionAsked, *, session: int, position: int) -> Questions:
    return (
        *questions,
        QuestionFacts(
            ordinal=event.ordinal, position=position, session=session, text=event.text, options=event.options
        ),
    )


def answered(questions: Questions, event: QuestionAnswered, *, at: datetime) -> Questions:
    return _kept_questions(
        tuple(
            replace(one, by_name=event.by_name, answer=event.answer[:TEXT_KEPT], answered_at=at)
            if one.ordinal == event.ordinal and is_open(one)
            else one
            for one in questions
        )
    )


def closed(questions: Questions, *, session: int) -> Questions:
    """The session is over, so that no answer can reach it."""
    return _kept_questions(
        tuple(replace(one, closed=True) if one.session == session and is_open(one) else one for one in questions)
    )


def is_open(question: QuestionFacts) -> bool:
    return question.answered_at is None and not question.closed


def _is_pending(approval: ApprovalFacts, ordinal: int) -> bool:
    return approval.ordinal == ordinal and approval.state is ApprovalState.PENDING


def _kept_approvals(approvals: Approvals) -> Approvals:
    settled = [one.ordinal for one in approvals if one.state is not ApprovalState.PENDING]
    dropped = set(settled[:-SETTLED_KEPT])
    return tuple(one for one in approvals if one.ordinal not in dropped)


def _kept_questions(questions: Questions) -> Questions:
    settled = [one.ordinal for one in questions if not is_open(one)]
    dropped = set(settled[:-SETTLED_KEPT])
    return tuple(one for one in questions if one.ordinal not in dropped)
