"""Who may decide what, bound to exactly what was shown; everything here fails closed.

Authority comes from the platform's verified user id alone. Guests decide and say nothing; members may talk and stop; an
approval is decided by the project's deciders or, where it names none, by the requester.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sessions.errors import ApprovalAlreadyDecided, ApprovalStale, NotAllowed, VerdictNotOffered
from sessions.models import (
    Approval,
    ApprovalState,
    Digest,
    PermissionOption,
    Person,
    Project,
    Role,
    Ticket,
    Verdict,
)

SHOWN_DIGEST_CHARS = 16
"""A button carries at least so many characters of the digest; fewer are never enough."""

DOCUMENT_OFFERS = (Verdict.APPROVE, Verdict.REQUEST_CHANGES, Verdict.REJECT)
_OF_KIND = {
    "allow_once": Verdict.APPROVE,
    "allow_always": Verdict.APPROVE_ALWAYS,
    "reject_once": Verdict.REJECT,
    "reject_always": Verdict.REJECT_ALWAYS,
}
_REJECTING = frozenset({Verdict.REJECT, Verdict.REJECT_ALWAYS})
_AFTER = {
    Verdict.APPROVE: ApprovalState.APPROVED,
    Verdict.APPROVE_ALWAYS: ApprovalState.APPROVED,
    Verdict.REQUEST_CHANGES: ApprovalState.CHANGES_REQUESTED,
    Verdict.REJECT: ApprovalState.REJECTED,
    Verdict.REJECT_ALWAYS: ApprovalState.REJECTED,
}


def require_member(person: Person, action: str) -> None:
    """Raises `NotAllowed` for anybody who is not a member of the workspace."""
    if person.role not in (Role.MEMBER, Role.ADMIN):
        raise NotAllowed(person.name, action, ("members of the workspace",))


def deciders(project: Project, ticket: Ticket) -> tuple[str, ...]:
    """External ids, on the ticket's platform, of those who may decide about it now; nobody, where none is named there."""
    if not project.deciders:
        return (ticket.requester.external_id,)
    here = f"{ticket.requester.platform}:"
    return tuple(named.removeprefix(here) for named in project.deciders if named.startswith(here))


def decider_names(project: Project, ticket: Ticket) -> tuple[str, ...]:
    """Names of the deciders, one for one; the id itself where no name is known here."""
    known = {ticket.requester.external_id: ticket.requester.name}
    return tuple(known.get(decider, decider) for decider in deciders(project, ticket))


def require_decider(person: Person, project: Project, ticket: Ticket) -> None:
    """Raises `NotAllowed` unless the person may decide about the ticket at this moment."""
    named = person.external_id in deciders(project, ticket)
    if person.role is Role.GUEST or not named or not _same_house(person, project, ticket):
        raise NotAllowed(person.name, "decide", decider_names(project, ticket))


def _same_house(person: Person, project: Project, ticket: Ticket) -> bool:
    """Other platforms, and other installations, give the same id to other people; who is listed is listed by platform."""
    if project.deciders:
        return person.platform == ticket.requester.platform
    return person.installation == ticket.requester.installation


def permission_digest(*, title: str, tool: str, input_text: str) -> Digest:
    """sha256 of what a permission's card shows; each part's length stands before it, so that no two can be confused."""
    parts = [part.encode("utf-8", "surrogatepass") for part in (title, tool, input_text)]
    shown = b"".join(b"%d:%b" % (len(part), part) for part in parts)
    return Digest(hashlib.sha256(shown).hexdigest())


def permission_offers(options: Sequence[PermissionOption]) -> tuple[tuple[Verdict, ...], tuple[str, ...]]:
    """The verdicts an agent's options stand for and their labels, one for one.

    The first option of a kind counts, unknown kinds do not, and a person can always say no: without a rejecting option
    the worker cancels instead.
    """
    offered: dict[Verdict, str] = {}
    for option in options:
        verdict = _OF_KIND.get(option.kind)
        if verdict is not None:
            offered.setdefault(verdict, option.label)
    if not _REJECTING & offered.keys():
        offered[Verdict.REJECT] = "Reject"
    return tuple(offered), tuple(offered.values())


def check_press(approval: Approval, verdict: Verdict, *, shown: str, decided_by_name: str = "") -> None:
    """Whether the approval can take the verdict from somebody who was shown something with that digest.

    Raises `ApprovalAlreadyDecided`, `ApprovalStale`, `VerdictNotOffered`.
    """
    if approval.state is not ApprovalState.PENDING:
        at = approval.decided_at.timestamp() if approval.decided_at is not None else 0.0
        raise ApprovalAlreadyDecided(approval.ordinal, approval.state, decided_by_name, at)
    if len(shown) < SHOWN_DIGEST_CHARS or not approval.digest.startswith(shown):
        raise ApprovalStale(approval.ordinal, shown, approval.digest)
    if verdict not in approval.offers:
        raise VerdictNotOffered(approval.ordinal, verdict)


def state_after(verdict: Verdict) -> ApprovalState:
    return _AFTER[verdict]


def decided(approval: Approval, verdict: Verdict, *, by: Person, at: datetime, comment: str) -> Approval:
    """The approval after its one decision."""
    return replace(approval, state=_AFTER[verdict], decided_by=by.external_id, decided_at=at, comment=comment)


def lapsed(approval: Approval) -> Approval:
    return replace(approval, state=ApprovalState.LAPSED)
