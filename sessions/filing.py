"""Filing a ticket: its row, its thread, its first session and the first two events of its history."""

import re
import unicodedata
from dataclasses import replace

from sessions.acts import Act, NewTicket
from sessions.errors import KeysExhausted
from sessions.events import SessionOpened, TicketFiled
from sessions.models import Person, Project, Session, SessionId, ThreadId, Ticket, TicketId
from sessions.ports import Clock, Entry, Ids, Transaction
from sessions.sanitising import one_line, safe, without_logins

KEY_ATTEMPTS = 20
BRANCH_PREFIX = "viberator/"
SLUG_CHARS = 32


async def file(tx: Transaction, clock: Clock, ids: Ids, act: Act, new: NewTicket) -> Ticket | None:
    """The new ticket with its thread and its first session, queued; None for a repeat. Raises `KeysExhausted`."""
    ticket_id = TicketId(ids.uuid())
    if act.key is not None and not await tx.admit(act.key, outcome="ticket", ticket=ticket_id):
        return None
    project = await tx.get_project(new.project)
    for _ in range(KEY_ATTEMPTS):
        ticket = _ticket(ticket_id, ids.key(), new, project, act.person, clock)
        session = _session(ticket, project, ids)
        entries = [Entry(event=_filed(ticket, project)), Entry(event=_opened(session), session=session.id)]
        if await tx.open_ticket(ticket, thread=ThreadId(ids.uuid()), place=new.place, session=session, entries=entries):
            return replace(ticket, last_event=len(entries))
    raise KeysExhausted(KEY_ATTEMPTS)


def branch_name(key: str, title: str) -> str:
    """`viberator/<key>-<a few words of the title>`: ASCII words in lower case, or the key alone where there are none."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = ""
    for word in re.findall(r"[a-z0-9]+", plain):
        longer = f"{slug}-{word}" if slug else word[:SLUG_CHARS]
        if len(longer) > SLUG_CHARS:
            break
        slug = longer
    return f"{BRANCH_PREFIX}{key}-{slug}" if slug else f"{BRANCH_PREFIX}{key}"


def _ticket(ticket: TicketId, key: str, new: NewTicket, project: Project, requester: Person, clock: Clock) -> Ticket:
    return Ticket(
        id=ticket,
        workspace=project.workspace,
        key=key,
        project=project.id,
        title=one_line(new.title),
        description=safe(new.description).strip(),
        requester=requester,
        filed_at=clock.now(),
        phase=new.phase or project.phases[0],
        severity=new.severity,
        category=one_line(new.category),
        base_branch=new.base_branch or project.branch,
        attachments=new.attachments,
    )


def _session(ticket: Ticket, project: Project, ids: Ids) -> Session:
    return Session(
        id=SessionId(ids.uuid()),
        ticket=ticket.id,
        ordinal=1,
        phase=ticket.phase,
        agent=project.agent.name,
        branch=branch_name(ticket.key, ticket.title),
    )


def _opened(session: Session) -> SessionOpened:
    return SessionOpened(phase=session.phase, lane=session.lane, agent=session.agent, branch=session.branch)


def _filed(ticket: Ticket, project: Project) -> TicketFiled:
    return TicketFiled(
        key=ticket.key,
        title=ticket.title,
        description=ticket.description,
        requester=ticket.requester,
        project=project.name,
        repository=without_logins(project.repository.strip()),
        base_branch=ticket.base_branch,
        agent=project.agent.title or project.agent.name,
        phase=ticket.phase,
        phases=project.phases,
        severity=ticket.severity,
        category=ticket.category,
    )
