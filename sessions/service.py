"""What people do to tickets: the use cases, each one transaction that is stored when the call returns.

Every call takes an `Act`: who, in which workspace, and the platform's key of what they said or pressed. A key that was
seen before makes the call answer None and do nothing. What a person may not do, or what has changed since they were shown
it, raises an error of `sessions.errors` and leaves nothing behind, not even the key; the caller then tells them, and says
so with `note`.

Only messages are told as `InputReceived`: a decision or an answer, which reaches the agent as an input too, is told by
`ApprovalDecided` or `QuestionAnswered`, and a stop by `StopRequested`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sessions.acts import Act, Heard, NewTicket, Standing
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
from sessions.ports import Clock, Ids, Ledger, Place, Signals


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
        raise NotImplementedError

    async def find_at(self, workspace: WorkspaceId, place: Place) -> Standing | None:
        """The ticket whose thread is there."""
        raise NotImplementedError

    async def projects(self, workspace: WorkspaceId) -> Sequence[Project]:
        raise NotImplementedError

    # the inbox alone
    async def note(self, act: Act, outcome: str, ticket: TicketId | None = None) -> bool:
        """Record what was said and its visible outcome where nothing else changed; False for a repeat."""
        raise NotImplementedError

    # tickets
    async def file(self, act: Act, new: NewTicket) -> Ticket | None:
        """Raises `NotAllowed`."""
        raise NotImplementedError

    async def reopen(self, act: Act, ticket: TicketId) -> Session | None:
        """A closed ticket gets a new session: execution after a good end, else the phase that was rejected.

        On an open ticket it answers the newest session and changes nothing.
        """
        raise NotImplementedError

    async def follow_up(
        self, act: Act, ticket: TicketId, text: str, *, source: str = "", attachments: tuple[Attachment, ...] = ()
    ) -> Heard | None:
        """More work after the end: a new session in execution, on the same branch, that begins with the text."""
        raise NotImplementedError

    # messages, answers, decisions
    async def say(
        self, act: Act, ticket: TicketId, text: str, *, source: str = "", attachments: tuple[Attachment, ...] = ()
    ) -> Heard | None:
        """A message for the agent; `source` is the platform's message id, by which `edit` and `withdraw` find it.

        While exactly one question of the session is open and no document or permission waits for a decision, the text is its
        answer. On a ticket that is done it is a follow-up. Raises `TicketOver` on a rejected ticket, `NotAllowed`.
        """
        raise NotImplementedError

    async def edit(self, act: Act, ticket: TicketId, *, source: str, text: str) -> Input | None:
        """Change a message that is still queued. Raises `InputGone` when the agent has it, None when there is none."""
        raise NotImplementedError

    async def withdraw(self, act: Act, ticket: TicketId, *, source: str = "", ordinal: int = 0) -> Input | None:
        """Take a queued message back, found by its source or ordinal. Raises `InputGone`; None when there is none."""
        raise NotImplementedError

    async def answer(self, act: Act, ticket: TicketId, ordinal: int, text: str) -> Question | None:
        """Raises `QuestionUnknown`, `QuestionAlreadyAnswered`, `NotAllowed`, `SessionOver`."""
        raise NotImplementedError

    async def decide(
        self, act: Act, ticket: TicketId, ordinal: int, verdict: Verdict, *, digest: str, comment: str = ""
    ) -> Approval | None:
        """One person's decision wins. `digest` is of what they were shown, whole or its first 16 characters or more.

        Raises `ApprovalUnknown`, `ApprovalAlreadyDecided`, `ApprovalStale`, `VerdictNotOffered`, `NotAllowed`.
        """
        raise NotImplementedError

    # the session
    async def stop(self, act: Act, ticket: TicketId) -> Session | None:
        """Ask the live session to stop, its work saved; asking twice, or when nothing runs, changes nothing."""
        raise NotImplementedError

    async def resume(self, act: Act, ticket: TicketId) -> Session | None:
        """Queue a session that is asleep; one that is queued or running is left as it is. Raises `SessionOver`."""
        raise NotImplementedError

    async def retry(self, act: Act, ticket: TicketId) -> Session | None:
        """As `resume`, after a failure."""
        raise NotImplementedError

    async def discard(self, act: Act, ticket: TicketId) -> Session | None:
        """End the live session for good and throw its work away; with no other session alive the ticket closes, rejected.

        Raises `SessionOver`.
        """
        raise NotImplementedError
