"""The nouns of threads: what was said to us, where a thread is, what was posted in it and how far it has come."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from conversations.actions import Action
from conversations.messages import Urgency
from sessions.models import Attachment, Digest, InstallationId, Person, Phase, Severity, ThreadId, TicketId, WorkspaceId
from sessions.ports import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One Slack team, Discord guild or terminal; `outlet` is whom platform limits apply to."""

    id: InstallationId
    workspace: WorkspaceId
    platform: str
    external_id: str
    outlet: str


class Change(StrEnum):
    """What became of a message; an edit or a deletion says the id of the message it is about."""

    WRITTEN = "written"
    EDITED = "edited"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMessage:
    """Somebody said something. `message_id` is the platform's own; with place and installation it is the inbox key.

    `addressed`: a mention, a direct message or a command, or a reply where plain replies count.
    """

    place: Place
    message_id: str
    person: Person
    text: str
    at: datetime
    addressed: bool = True
    attachments: tuple[Attachment, ...] = ()
    change: Change = Change.WRITTEN


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingPress:
    """Somebody pressed a button or sent a form back; `press_id` is the platform's id of the interaction."""

    place: Place
    press_id: str
    person: Person
    action: Action
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """A ticket as the form or the inline options describe it; empty fields take the project's defaults."""

    title: str
    description: str
    project: str = ""
    phase: Phase | None = None
    severity: Severity = Severity.NORMAL
    category: str = ""
    base_branch: str = ""
    agent: str = ""
    attachments: tuple[Attachment, ...] = ()


class SlotState(StrEnum):
    """`intended` before the platform is called, `done` after it answered, `gone` when the message was deleted there."""

    INTENDED = "intended"
    DONE = "done"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedSlot:
    """What the database knows of one message of ours; `digest` is of the message last posted or edited in."""

    slot: str
    state: SlotState
    digest: Digest
    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A ticket's place in a chat, and how far what was delivered there has come."""

    id: ThreadId
    workspace: WorkspaceId
    ticket: TicketId
    place: Place
    outlet: str
    wanted_event: int
    delivered_event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Say something new; `retry` when an earlier attempt's outcome is not known, so that it is settled by read-back first.

    `urgency` is that of the card, or of a more urgent one that is to stand below it.
    """

    slot: str
    digest: Digest
    view_index: int
    urgency: Urgency
    retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    slot: str
    digest: Digest
    view_index: int
    urgency: Urgency
    message_id: str


Operation = Post | Edit
