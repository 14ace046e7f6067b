"""Filing a ticket: its row, its thread, its first session and the first two events of its history."""

import re
import unicodedata
from dataclasses import replace

from sessions.acts import NewTicket
from sessions.book import Book
from sessions.errors import KeysExhausted
from sessions.events import TicketFiled
from sessions.models import Person, Project, ThreadId, Ticket, TicketId
from sessions.ports import Clock, Ids, Transaction
from sessions.sanitising import one_line, safe

KEY_ATTEMPTS = 20
BRANCH_PREFIX = "viberator/"
SLUG_CHARS = 32


async def file(tx: Transaction, clock: Clock, ids: Ids, requester: Person, new: NewTicket) -> Book:
    """The new ticket with its history so far, not yet written. Raises `KeysExhausted`."""
    project = await tx.get_project(new.project)
    ticket = await _add_ticket(tx, ids, _ticket(new, project, requester, clock, ids))
    await tx.add_thread(ThreadId(ids.uuid()), ticket.id, new.place)
    book = Book(tx=tx, ticket=ticket, sessions={})
    book.record(_filed(ticket, project))
    branch = branch_name(ticket.key, ticket.title)
    await book.open_session(ids, phase=ticket.phase, lane=1, agent=project.agent.name, branch=branch)
    return book


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


def _ticket(new: NewTicket, project: Project, requester: Person, clock: Clock, ids: Ids) -> Ticket:
    return Ticket(
        id=TicketId(ids.uuid()),
        workspace=project.workspace,
        key=ids.key(),
        project=project.id,
        title=one_line(new.title),
        description=safe(new.description).strip(),
        requester=requester,
        filed_at=clock.now(),
        phase=new.phase or project.phases[0],
        severity=new.severity,
        category=one_line(new.category),
        base_branch=new.base_branch or project.branch,
    )


async def _add_ticket(tx: Transaction, ids: Ids, ticket: Ticket) -> Ticket:
    for _ in range(KEY_ATTEMPTS):
        if await tx.add_ticket(ticket):
            return ticket
        ticket = replace(ticket, key=ids.key())
    raise KeysExhausted(KEY_ATTEMPTS)


def _filed(ticket: Ticket, project: Project) -> TicketFiled:
    return TicketFiled(
        key=ticket.key,
        title=ticket.title,
        description=ticket.description,
        requester=ticket.requester,
        project=project.name,
        repository=project.repository,
        base_branch=ticket.base_branch,
        agent=project.agent.title or project.agent.name,
        phase=ticket.phase,
        phases=project.phases,
        severity=ticket.severity,
        category=ticket.category,
    )
