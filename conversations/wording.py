"""The words of the cards, apart from the code that lays them out, so that a person can read and better them in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conversations.actions import Verb
from sessions.models import ApprovalKind, ApprovalState, FailureKind, Phase, Verdict

PHASES: Final[Mapping[Phase, str]] = {
    Phase.RESEARCH: "Research",
    Phase.PLANNING: "Planning",
    Phase.EXECUTION: "Execution",
}

DOCUMENTS: Final[Mapping[Phase, str]] = {
    Phase.RESEARCH: "research",
    Phase.PLANNING: "plan",
    Phase.EXECUTION: "report",
}

VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.APPROVE: "Approve",
    Verdict.APPROVE_ALWAYS: "Always allow",
    Verdict.REQUEST_CHANGES: "Request changes",
    Verdict.REJECT: "Reject",
    Verdict.REJECT_ALWAYS: "Always reject",
}
"""What a button says, whatever label the agent gave it; see `VERDICTS_BY_KIND` for the exceptions."""

VERDICTS_BY_KIND: Final[Mapping[tuple[ApprovalKind, Verdict], str]] = {
    (ApprovalKind.PERMISSION, Verdict.APPROVE): "Allow once",
    (ApprovalKind.PERMISSION, Verdict.REJECT): "Reject",
    (ApprovalKind.PUBLISH, Verdict.APPROVE): "Publish",
    (ApprovalKind.BUDGET, Verdict.APPROVE): "Go on",
}

STARTS: Final[Mapping[Phase, str]] = {Phase.RESEARCH: "look", Phase.PLANNING: "plan", Phase.EXECUTION: "run"}
"""What approving a document starts, on its button: Approve & run."""

TYPED: Final[Mapping[Verdict, str]] = {
    Verdict.APPROVE: "approve",
    Verdict.REQUEST_CHANGES: "changes: …",
    Verdict.REJECT: "reject because …",
}
"""The words that decide where there are no buttons; `conversations.intents` reads them."""

COMMANDS: Final[Mapping[Verb, str]] = {
    Verb.STOP: "!stop",
    Verb.RESUME: "!resume",
    Verb.RETRY: "!retry",
    Verb.REOPEN: "!reopen",
    Verb.DISCARD: "!discard {ticket}",
}
"""What does the same as a button, where there are none; `{ticket}` is the ticket's key."""

DECIDED: Final[Mapping[ApprovalState, str]] = {
    ApprovalState.PENDING: "Waiting",
    ApprovalState.APPROVED: "Approved",
    ApprovalState.CHANGES_REQUESTED: "Changes requested",
    ApprovalState.REJECTED: "Rejected",
    ApprovalState.LAPSED: "Lapsed",
}

TOOLS: Final[Mapping[str, str]] = {
    "read": "read",
    "edit": "edited",
    "delete": "deleted",
    "move": "moved",
}
"""ACP's kinds of tools that touch one file, said of a file when it is done."""

NOT_REPORTED: Final = "cost not reported"

RESUMED: Final[Mapping[str, str]] = {
    "input": "Gone on with a new message.",
    "resume": "Resumed.",
    "retry": "Tried again.",
    "restart": "Gone on after a restart of the bot.",
}
"""By the cause in `SessionQueued`, where nobody's name is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to say of a class of failures: what happened, the one next step, and the label of the button that takes it."""

    happened: str
    next_step: str
    button: str = "Retry"


FAILURES: Final[Mapping[FailureKind, Advice]] = {
    FailureKind.SETTINGS: Advice(
        happened="The bot's settings do not allow this yet",
        next_step="Ask the operator to run `viberator doctor`; it says what is missing. Then retry.",
    ),
    FailureKind.REPOSITORY: Advice(
        happened="The repository cannot be used",
        next_step="Correct the project's repository or branch, then retry.",
    ),
    FailureKind.CREDENTIALS: Advice(
        happened="A key or password was not accepted",
        next_step="Renew it in the bot's settings, then retry.",
    ),
    FailureKind.QUOTA: Advice(
        happened="The agent's account has nothing left to spend",
        next_step="Add credit or wait until it is renewed, then retry.",
    ),
    FailureKind.HOST_REFUSED: Advice(
        happened="The code host refused the push",
        next_step="Let the bot push to this branch, then retry.",
        button="Retry push",
    ),
    FailureKind.AGENT_MISSING: Advice(
        happened="The agent's program was not found",
        next_step="Install it, or correct the agent's command, then retry.",
    ),
    FailureKind.AGENT_CRASHED: Advice(
        happened="The agent's program ended by itself",
        next_step="Retry: it goes on from what was saved.",
    ),
    FailureKind.AGENT_SILENT: Advice(
        happened="The agent gave no answer",
        next_step="Retry; if it stays silent, start its command by hand to see what it waits for.",
    ),
    FailureKind.AGENT_PROTOCOL: Advice(
        happened="The agent's program does not speak the Agent Client Protocol",
        next_step="Use a command that starts it in ACP mode, then retry.",
    ),
    FailureKind.RUNNER: Advice(
        happened="The worker could not be kept running",
        next_step="Retry; if it fails again, ask the operator to run `viberator doctor`.",
    ),
    FailureKind.TIME_LIMIT: Advice(
        happened="The agent took longer than it may",
        next_step="Retry: it goes on from what was saved. A smaller request helps too.",
    ),
    FailureKind.DISK_FULL: Advice(
        happened="The disk is full",
        next_step="Ask the operator to make room, then retry.",
    ),
    FailureKind.TESTS_RED: Advice(
        happened="The tests still fail after the last repair",
        next_step="Tell the agent here what to do, or retry.",
    ),
    FailureKind.POLICY: Advice(
        happened="The change is not allowed by the project's rules",
        next_step="Tell the agent here to leave that part out, or ask a maintainer to change the rules.",
        button="Retry push",
    ),
    FailureKind.DATABASE: Advice(
        happened="The database could not be reached",
        next_step="Retry; if it fails again, ask the operator to run `viberator doctor`.",
    ),
    FailureKind.INTERNAL: Advice(
        happened="Something went wrong in the bot itself",
        next_step="Retry; if it fails again, give the operator the reference below.",
    ),
}

HELP: Final = """\
Mention me, or write here, to tell the agent something; while it works your message waits in a queue.
!status – how things stand
!stop – stop the agent; its work is saved
!resume – go on after a stop
!retry – try again after a failure
!diff – how to see the difference
!discard – end it and throw the work away
!reopen – take it up again after its end
!help – this
“approve”, “approve, but …”, “changes: …” and “reject because …” decide what waits for a decision.
A new request may begin with [repo=NAME branch=NAME phase=research|planning|execution]."""
