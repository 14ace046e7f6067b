"""What a button means, in at most 100 bytes: the verb, the ticket, what it is about and which version was shown.

The digest part binds a press to exactly what the card showed; 16 hex digits are enough to tell revisions apart, and the
server compares them with the full digest it keeps.
"""

from dataclasses import dataclass
from enum import StrEnum

DIGEST_CHARS = 16
ENCODED_LIMIT = 100
"""Discord's limit for a `custom_id`; Slack allows more."""


class Verb(StrEnum):
    APPROVE = "approve"
    APPROVE_ALWAYS = "approve-always"
    REQUEST_CHANGES = "changes"
    REJECT = "reject"
    REJECT_ALWAYS = "reject-always"
    ANSWER = "answer"
    ANSWER_OTHER = "answer-other"
    STOP = "stop"
    RESUME = "resume"
    RETRY = "retry"
    DISCARD = "discard"
    REMOVE = "remove"
    DETAILS = "details"
    REOPEN = "reopen"
    FOLLOW_UP = "follow-up"
    FILE = "file"


class NotAnAction(ValueError):
    """The value of a pressed button is not one of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """`ordinal` is that of the approval, question, input or session; `choice` an option's number; `digest` what was shown."""

    verb: Verb
    ticket: str = ""
    ordinal: int = 0
    choice: int = 0
    digest: str = ""

    def encode(self) -> str:
        return f"v1:{self.verb}:{self.ticket}:{self.ordinal}:{self.choice}:{self.digest[:DIGEST_CHARS]}"


def decode(value: str) -> Action:
    """The action that `encode` wrote; raises `NotAnAction` for anything else."""
    fields = value.split(":")
    if len(fields) != 6 or fields[0] != "v1":
        raise NotAnAction(value[:ENCODED_LIMIT])
    try:
        return Action(
            verb=Verb(fields[1]), ticket=fields[2], ordinal=int(fields[3]), choice=int(fields[4]), digest=fields[5]
        )
    except ValueError:
        raise NotAnAction(value[:ENCODED_LIMIT]) from None
