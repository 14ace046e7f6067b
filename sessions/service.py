"""What people do to tickets: the use cases, each one transaction that is stored when the call returns.

Every call takes an `Act`: who, in which workspace, and the platform's key of what they said or pressed. A key that was
seen before makes the call answer None and do nothing. What a person may not do, or what has changed since they were shown
it, raises an error of `sessions.errors` and leaves nothing behind, not even the key; the caller then tells them, and says
so with `note`.

Only messages are told as `InputReceived`: a decision or an answer, which reaches the agent as an input too, is told by
`ApprovalDecided` or `QuestionAnswered`, and a stop by `StopRequested`.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sessions import controls, deciding, filing, talking
from sessions.acts import Act, Heard, NewTicket, Standing
from sessions.approvals import require_member
from sessions.book import SESSIONS_TOPIC, THREADS_TOPIC, Book, changing, wake
from sessions.events import Recorded
from sessions.models import (
    Approval,
    Attachment,
    Input,
    Project,
    Question,
    Session,
    Ticket,
    TicketId,
    Verdict,
    WorkspaceId,
)
from sessions.ports import Clock, Ids, Ledger, Place, Signals, Transaction
from sessions.talking import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketService:
    """The one way in which people change tickets. Wakes whoever waits after each commit."""

    ledger: Ledger
    signals: Signals
    clock: Clock
    ids: Ids

    # reading
    async def find(self, workspace: WorkspaceId, key: str) -> Standing | None:
        """By the ticket's key."""
        async with self.ledger.transaction(workspace) as tx:
            ticket = await tx.find_ticket(key)
            return None if ticket is None else await _standing(tx, ticket)

    async def find_at(self, workspace: WorkspaceId, place: Place) -> Standing | None:
        """The ticket whose thread is there."""
        async with self.ledger.transaction(workspace) as tx:
            found = await tx.ticket_at(place)
            return None if found is None else await _standing(tx, await tx.get_ticket(found))

    async def projects(self, workspace: WorkspaceId) -> Sequence[Project]:
        async with self.ledger.transaction(workspace) as tx:
            return await tx.projects()

    async def history(self, workspace: WorkspaceId, ticket: TicketId) -> Sequence[Recorded]:
        """All that happened to the ticket, in order."""
        async with self.ledger.transaction(workspace) as tx:
            return await tx.history(ticket)

    # the inbox alone
    async def note(self, act: Act, outcome: str, ticket: TicketId | None = None) -> bool:
        """Record what was said and its visible outcome where nothing else changed; False for a repeat."""
        if act.key is None:
            return True
        async with self.ledger.transaction(act.workspace) as tx:
            return await tx.admit(act.key, outcome=outcome, ticket=ticket)

    # tickets
    async def file(self, act: Act, new: NewTicket) -> Ticket | None:
        """Raises `NotAllowed`, `PlaceTaken`, `KeysExhausted`."""
        require_member(act.person, "file a ticket")
        async with self.ledger.transaction(act.workspace) as tx:
            ticket = await filing.file(tx, self.clock, self.ids, act, new)
        if ticket is not None:
            await wake(self.signals, {SESSIONS_TOPIC, THREADS_TOPIC})
        return ticket

    async def reopen(self, act: Act, ticket: TicketId) -> Session | None:
        """A closed ticket gets a new session: execution after a good end, else the phase that was rejected.

        On an open ticket it answers the newest session and changes nothing.
        """
        require_member(act.person, "reopen a ticket")
        async with self._acting(act, ticket) as book:
            return None if book is None else await controls.reopen(book, self.ids, act.person)

    async def follow_up(
        self, act: Act, ticket: TicketId, text: str, *, source: str = "", attachments: tuple[Attachment, ...] = ()
    ) -> Heard | None:
        """More work after the end: a new session in execution, on the same branch, that begins with the text."""
        require_member(act.person, "follow up")
        words = Words(author=act.person, text=text, source=source, attachments=attachments)
        async with self._acting(act, ticket, outcome="input") as book:
            return None if book is None else await talking.follow_up(book, self.ids, words)

    # messages, answers, decisions
    async def say(
        self, act: Act, ticket: TicketId, text: str, *, source: str = "", attachments: tuple[Attachment, ...] = ()
    ) -> Heard | None:
        """A message for the agent; `source` is the platform's message id, by which `edit` and `withdraw` find it.

        While exactly one question of the session is open, the text is its answer. On a ticket that is done it is a
        follow-up. Raises `TicketOver` on a rejected ticket, `NotAllowed`.
        """
        require_member(act.person, "talk to the agent")
        words = Words(author=act.person, text=text, source=source, attachments=attachments)
        async with self._acting(act, ticket, outcome="input") as book:
            return None if book is None else await talking.say(book, self.ids, words)

    async def edit(self, act: Act, ticket: TicketId, *, source: str, text: str) -> Input | None:
        """Change a message that is still queued. Raises `InputGone` when the agent has it; None when there is none."""
        require_member(act.person, "edit a message")
        async with self._acting(act, ticket, outcome="input") as book:
            queued = None if book is None else await _find_input(book, source=source, ordinal=0)
            return None if book is None or queued is None else await talking.edit(book, queued, text)

    async def withdraw(self, act: Act, ticket: TicketId, *, source: str = "", ordinal: int = 0) -> Input | None:
        """Take a queued message back, found by its source or ordinal. Raises `InputGone`; None when there is none."""
        require_member(act.person, "withdraw a message")
        async with self._acting(act, ticket) as book:
            queued = None if book is None else await _find_input(book, source=source, ordinal=ordinal)
            if book is None or queued is None:
                return None
            return await talking.withdraw(book, queued, by_name=act.person.name)

    async def answer(self, act: Act, ticket: TicketId, ordinal: int, text: str) -> Question | None:
        """Raises `QuestionUnknown`, `QuestionAlreadyAnswered`, `NotAllowed`, `SessionOver`."""
        require_member(act.person, "answer")
        words = Words(author=act.person, text=text)
        async with self._acting(act, ticket, outcome="answer") as book:
            return None if book is None else await talking.answer(book, ordinal, words)

    async def decide(
        self, act: Act, ticket: TicketId, ordinal: int, verdict: Verdict, *, digest: str, comment: str = ""
    ) -> Approval | None:
        """One person's decision wins. `digest` is of what they were shown, whole or its first 16 characters or more.

        Raises `ApprovalUnknown`, `ApprovalAlreadyDecided`, `ApprovalStale`, `VerdictNotOffered`, `NotAllowed`.
        """
        press = deciding.Press(person=act.person, ordinal=ordinal, verdict=verdict, shown=digest, comment=comment)
        async with self._acting(act, ticket, outcome="decision") as book:
            return None if book is None else await deciding.decide(book, self.clock, self.ids, press)

    # the session
    async def stop(self, act: Act, ticket: TicketId) -> Session | None:
        """Ask the live session to stop, its work saved; asking twice, or when nothing runs, changes nothing."""
        require_member(act.person, "stop the agent")
        async with self._acting(act, ticket) as book:
            return None if book is None else await controls.stop(book, act.person)

    async def resume(self, act: Act, ticket: TicketId) -> Session | None:
        """Queue a session that is asleep; one that is queued or running is left as it is. Raises `SessionOver`."""
        require_member(act.person, "resume a session")
        async with self._acting(act, ticket) as book:
            return None if book is None else await controls.wake(book, act.person, "resume")

    async def retry(self, act: Act, ticket: TicketId) -> Session | None:
        """As `resume`, after a failure."""
        require_member(act.person, "retry a session")
        async with self._acting(act, ticket) as book:
            return None if book is None else await controls.wake(book, act.person, "retry")

    async def discard(self, act: Act, ticket: TicketId) -> Session | None:
        """End the live session for good and throw its work away; with no other session alive the ticket closes, rejected.

        Raises `SessionOver`.
        """
        require_member(act.person, "discard a session")
        async with self._acting(act, ticket) as book:
            return None if book is None else await controls.discard(book, act.person)

    @asynccontextmanager
    async def _acting(self, act: Act, ticket: TicketId, *, outcome: str = "command") -> AsyncIterator[Book | None]:
        """The ticket held for a change that is settled under the act's key; None when the key was seen before."""
        async with changing(self.ledger, self.signals, act.workspace, ticket) as book:
            if act.key is None:
                yield book
            elif await book.tx.admit(act.key):
                yield book
                await book.tx.settle(act.key, outcome, ticket)
            else:
                yield None


async def _standing(tx: Transaction, ticket: Ticket) -> Standing:
    sessions = tuple(await tx.sessions(ticket.id))
    return Standing(
        ticket=ticket,
        project=await tx.get_project(ticket.project),
        sessions=sessions,
        approvals=tuple(await tx.approvals(ticket.id)),
        questions=tuple(await tx.questions(ticket.id)),
        inputs=tuple([held for session in sessions for held in await tx.inputs(session.id)]),
    )


async def _find_input(book: Book, *, source: str, ordinal: int) -> Input | None:
    if source:
        return await book.tx.find_input(book.ticket.id, source=source)
    for session in book.live():
        for held in await book.tx.inputs(session.id):
            if held.ordinal == ordinal:
                return held
    return None
