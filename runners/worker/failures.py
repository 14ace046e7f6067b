"""What went wrong, as the domain has it: a class, and a sentence with what a person needs to know."""

import errno
import re
import signal

from runners.worker.errors import (
    AgentExited,
    AgentMissing,
    AgentRefused,
    AgentSaidNothing,
    AgentSilent,
    AgentSpeaksNoAcp,
    AgentVersionUnknown,
    BotUnreachable,
    BranchUnknown,
    CallRefused,
    Fenced,
    GitFailed,
    NotARepository,
    NothingToPublish,
    PathOutside,
    PromptBroken,
    RepositoryEmpty,
    TurnTooLong,
    WorkerError,
    WorkspaceTaken,
)
from sessions.models import Failure, FailureKind

AgentError = (
    AgentMissing | AgentExited | AgentSilent | AgentSaidNothing | AgentSpeaksNoAcp | AgentVersionUnknown | AgentRefused
)

AUTH_REQUIRED = -32000
"""ACP's own code for an agent where nobody is logged in (agentclientprotocol.com, error codes)."""

# Agents pass on what their model's provider said, each in its own words.
_QUOTA = re.compile(r"\b429\b|quota|rate.?limit|too many requests|insufficient (credit|funds|balance)", re.IGNORECASE)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FULL_WORDS = ("No space left on device", "Disk quota exceeded")


def failure_of(error: WorkerError | OSError) -> Failure:
    """The failure that a card is made of."""
    if isinstance(error, AgentError):
        return _agent_failure(error)
    match error:
        case GitFailed() | NotARepository() | RepositoryEmpty() | BranchUnknown() | NothingToPublish():
            return _repository_failure(error)
        case PromptBroken(template=template, line=line, reason=reason):
            place = f"{template}, line {line}" if line else template
            return Failure(kind=FailureKind.SETTINGS, detail=f"The prompt template {place} cannot be used: {reason}")
        case TurnTooLong(limit_s=limit_s):
            return Failure(
                kind=FailureKind.TIME_LIMIT, detail=f"The agent worked for more than {limit_s:.0f} s on one turn."
            )
        case WorkspaceTaken():
            return Failure(kind=FailureKind.RUNNER, detail="Another worker still holds the session's directory.")
        case OSError() if error.errno in _FULL:
            return Failure(kind=FailureKind.DISK_FULL, detail="There is no room left on the worker's disk.")
        case OSError():
            return Failure(kind=FailureKind.RUNNER, detail=f"The worker's system refused: {error.strerror or error}")
        case CallRefused(call=call, status=status):
            return Failure(kind=FailureKind.INTERNAL, detail=f"The bot refused the worker's call {call} ({status}).")
        case BotUnreachable() | Fenced() | PathOutside() | WorkerError():
            return Failure(kind=FailureKind.INTERNAL, detail=type(error).__name__)


def _agent_failure(error: AgentError) -> Failure:
    match error:
        case AgentMissing(command=command, reason=reason):
            return Failure(
                kind=FailureKind.AGENT_MISSING, detail=f"The agent's command {command} cannot be run: {reason}"
            )
        case AgentExited(code=code, last_words=words):
            return Failure(kind=FailureKind.AGENT_CRASHED, detail=f"The agent {_how(code)}.", last_words=words)
        case AgentSilent(waiting_for=what, limit_s=limit_s, last_words=words):
            detail = f"The agent did not answer {what} within {limit_s:.0f} s."
            return Failure(kind=FailureKind.AGENT_SILENT, detail=detail, last_words=words)
        case AgentSaidNothing(stop_reason=reason, last_words=words):
            detail = f"The agent ended its turn ({reason}) without a word or a change. Can it reach its model?"
            return Failure(kind=FailureKind.AGENT_SILENT, detail=detail, last_words=words)
        case AgentSpeaksNoAcp(sample=sample, last_words=words):
            detail = f"The agent's command does not speak ACP; it wrote: {sample}"
            return Failure(kind=FailureKind.AGENT_PROTOCOL, detail=detail, last_words=words)
        case AgentVersionUnknown(theirs=theirs, ours=ours):
            detail = f"The agent speaks version {theirs} of ACP, and we speak version {ours}."
            return Failure(kind=FailureKind.AGENT_PROTOCOL, detail=detail)
        case AgentRefused(request=request, message=message, last_words=words):
            detail = f"The agent refused {request}: {message}"
            return Failure(kind=_why_refused(error), detail=detail, last_words=words)


def _repository_failure(
    error: GitFailed | NotARepository | RepositoryEmpty | BranchUnknown | NothingToPublish,
) -> Failure:
    match error:
        case GitFailed(action=action, words=words) if any(full in words for full in _FULL_WORDS):
            detail = f"There is no room left on the worker's disk (git {action})."
            return Failure(kind=FailureKind.DISK_FULL, detail=detail, last_words=words)
        case GitFailed(action=action, words=words):
            return Failure(kind=FailureKind.REPOSITORY, detail=f"git {action} failed.", last_words=words)
        case NotARepository():
            return Failure(kind=FailureKind.REPOSITORY, detail="The bot's mirror is not a git repository.")
        case RepositoryEmpty():
            return Failure(kind=FailureKind.REPOSITORY, detail="The repository has no commit to begin from.")
        case BranchUnknown(branch=branch, known=known):
            detail = f"The repository has no branch {branch}. It has: {', '.join(known)}."
            return Failure(kind=FailureKind.REPOSITORY, detail=detail)
        case NothingToPublish():
            return Failure(kind=FailureKind.REPOSITORY, detail="The branch has no commit of its own.")


def _why_refused(error: AgentRefused) -> FailureKind:
    if error.code == AUTH_REQUIRED:
        return FailureKind.CREDENTIALS
    return FailureKind.QUOTA if _QUOTA.search(error.message) else FailureKind.AGENT_PROTOCOL


def _how(code: int | None) -> str:
    if code is None:
        return "closed its output"
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
