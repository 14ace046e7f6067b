"""The domain's values as the parameters of statements, in their order; what `storage.rows` reads, the other way round."""

from typing import Final

from sessions.models import Approval, Input, Question, Session, Severity, Ticket
from storage.codec import codec
from storage.rows import ATTACHMENTS

PRIORITY: Final = {Severity.LOW: 0, Severity.NORMAL: 1, Severity.HIGH: 2, Severity.URGENT: 3}

Values = tuple[object, ...]


def new_ticket(ticket: Ticket) -> Values:
    who = ticket.requester
    return (
        ticket.id,
        ticket.project,
        ticket.key,
        ticket.title,
        ticket.description,
        ticket.severity,
        ticket.category,
        ticket.phase,
        ticket.base_branch,
        who.installation,
        who.external_id,
        who.name,
        who.email,
        who.role,
        ticket.state,
        PRIORITY[ticket.severity],
        ticket.filed_at,
        who.platform,
        codec(ATTACHMENTS).dump(ticket.attachments),
    )


def changed_ticket(ticket: Ticket) -> Values:
    return (
        ticket.id,
        ticket.title,
        ticket.description,
        ticket.severity,
        ticket.category,
        ticket.base_branch,
        ticket.state,
        PRIORITY[ticket.severity],
    )


def new_session(session: Session) -> Values:
    first, *others = changed_session(session)
    return (first, session.ticket, session.ordinal, session.lane, *others)


def changed_session(session: Session) -> Values:
    return (
        session.id,
        session.phase,
        session.agent,
        session.branch,
        session.state,
        session.reason,
        session.losses,
    )


def new_approval(approval: Approval) -> Values:
    return (
        approval.ticket,
        approval.ordinal,
        approval.session,
        approval.kind,
        approval.subject,
        *changed_approval(approval)[2:],
        approval.grant,
    )


def changed_approval(approval: Approval) -> Values:
    return (
        approval.ticket,
        approval.ordinal,
        approval.title,
        approval.digest,
        approval.deciders,
        approval.offers,
        approval.state,
        approval.decided_by,
        approval.decided_at,
        approval.comment,
    )


def new_question(question: Question) -> Values:
    return (question.ticket, question.ordinal, question.session, *changed_question(question)[2:])


def changed_question(question: Question) -> Values:
    return (
        question.ticket,
        question.ordinal,
        question.text,
        question.options,
        question.answered_by,
        question.answer,
    )


def new_input(told: Input, source: str) -> Values:
    return (
        told.ticket,
        told.ordinal,
        told.session,
        told.kind,
        told.author,
        told.author_name,
        told.text,
        told.subject,
        told.verdict,
        told.request,
        told.grant,
        codec(ATTACHMENTS).dump(told.attachments),
        told.state,
        source,
    )


def changed_input(told: Input) -> Values:
    attachments = codec(ATTACHMENTS).dump(told.attachments)
    return (told.ticket, told.ordinal, told.session, told.text, attachments, told.state)
