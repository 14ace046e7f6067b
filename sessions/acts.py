"""What people do, and what comes of it, as values: the words of `sessions.service`."""

from dataclasses import dataclass
from typing import Literal

from sessions.models import (
    Approval,
    Attachment,
    Input,
    Person,
    Phase,
    Project,
    ProjectId,
    Question,
    Session,
    Severity,
    Ticket,
    WorkspaceId,
)
from sessions.ports import InboxKey, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Somebody does something. `key` is None where nothing can be repeated by itself (a command of the operator)."""

    workspace: WorkspaceId
    person: Person
    key: InboxKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTicket:
    """A ticket to file; what is empty takes the project's defaults. `place` is where its thread is, or will be."""

    project: ProjectId
    title: str
    description: str
    place: Place
    phase: Phase | None = None
    severity: Severity = Severity.NORMAL
    category: str = ""
    base_branch: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What became of a message: `queued` for the agent, taken as the `answer` to its question, or a `follow_up`.

    `ordinal` is that of the input; of the question for an answer.
    """

    became: Literal["queued", "answer", "follow_up"]
    ticket: Ticket
    session: Session
    ordinal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a ticket stands now: what a card, a status line or a command needs to know."""

    ticket: Ticket
    project: Project
    sessions: tuple[Session, ...]
    approvals: tuple[Approval, ...]
    questions: tuple[Question, ...]
    inputs: tuple[Input, ...]

    @property
    def session(self) -> Session:
        """The newest session: the one that is meant where none is named."""
        return self.sessions[-1]
