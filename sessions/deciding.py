"""Deciding an approval: checked against who presses and what they were shown, at that moment, with one winner."""

from dataclasses import dataclass, replace

from sessions import endings
from sessions.approvals import check_press, decided, deciders, require_decider
from sessions.book import Book
from sessions.errors import ApprovalUnknown
from sessions.events import ApprovalDecided
from sessions.models import Approval, ApprovalKind, ApprovalState, Input, InputKind, Person, Verdict
from sessions.ports import Clock, Ids
from sessions.sanitising import safe
from sessions.talking import wake_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button, or the word typed for it. `shown` is the digest of what the person saw, or its beginning."""

    person: Person
    ordinal: int
    verdict: Verdict
    shown: str
    comment: str = ""


async def decide(book: Book, clock: Clock, ids: Ids, press: Press) -> Approval:
    """Raises `ApprovalUnknown`, `NotAllowed`, `ApprovalAlreadyDecided`, `ApprovalStale`, `VerdictNotOffered`."""
    approval = await _find(book, press.ordinal)
    project = await book.tx.get_project(book.ticket.project)
    require_decider(press.person, project, book.ticket)
    check_press(approval, press.verdict, shown=press.shown, decided_by_name=await _decider(book, approval))
    # Who might decide is kept as it was at this moment, not as it was when the card was made.
    current = replace(approval, deciders=deciders(project, book.ticket))
    outcome = decided(current, press.verdict, by=press.person, at=clock.now(), comment=safe(press.comment))
    await book.tx.put_approval(outcome)
    await book.tx.audit(
        who=press.person.external_id,
        what=f"approval.{press.verdict}",
        subject=f"{book.ticket.key}/approval/{press.ordinal}",
        digest=approval.digest,
    )
    told = ApprovalDecided(
        ordinal=press.ordinal,
        verdict=press.verdict,
        by=press.person.external_id,
        by_name=press.person.name,
        comment=outcome.comment,
    )
    book.record(told, approval.session)
    await _apply(book, ids, outcome, press)
    return outcome


async def _apply(book: Book, ids: Ids, approval: Approval, press: Press) -> None:
    session = book.session(approval.session)
    match (approval.kind, press.verdict):
        case (ApprovalKind.DOCUMENT, Verdict.APPROVE):
            project = await book.tx.get_project(book.ticket.project)
            await endings.approve(book, ids, session, project)
        case (ApprovalKind.DOCUMENT, Verdict.REJECT):
            await endings.reject(book, session, by_name=press.person.name, reason=approval.comment)
        case _:
            await book.add_input(await _decision(book, approval, press))
            wake_up(book, session)


async def _decision(book: Book, approval: Approval, press: Press) -> Input:
    permission = approval.kind is ApprovalKind.PERMISSION
    return Input(
        ticket=book.ticket.id,
        session=approval.session,
        ordinal=await book.tx.next_ordinal(book.ticket.id, "inputs"),
        kind=InputKind.DECISION,
        author=press.person.external_id,
        author_name=press.person.name,
        text=approval.comment,
        subject=approval.ordinal,
        verdict=press.verdict,
        request=approval.subject if permission else "",
        grant=approval.grant,
    )


async def _find(book: Book, ordinal: int) -> Approval:
    for approval in await book.tx.approvals(book.ticket.id):
        if approval.ordinal == ordinal:
            return approval
    raise ApprovalUnknown(ordinal)


async def _decider(book: Book, approval: Approval) -> str:
    """The name of who was first; the history has it."""
    if approval.state in (ApprovalState.PENDING, ApprovalState.LAPSED):
        return ""
    for recorded in reversed(await book.tx.history(book.ticket.id)):
        if isinstance(recorded.event, ApprovalDecided) and recorded.event.ordinal == approval.ordinal:
            return recorded.event.by_name
    return ""
