import errno
from pathlib import Path

import pytest

from runners.worker.errors import (
    AgentExited,
    AgentMissing,
    AgentRefused,
    AgentSaidNothing,
    AgentSilent,
    AgentSpeaksNoAcp,
    AgentVersionUnknown,
    BranchUnknown,
    CallRefused,
    GitFailed,
    NotARepository,
    NothingToPublish,
    PromptBroken,
    RepositoryEmpty,
    TurnTooLong,
    WorkerError,
    WorkspaceTaken,
)
from runners.worker.failures import failure_of
from sessions.models import FailureKind as Kind


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (AgentMissing("kimi", "No such file or directory"), Kind.AGENT_MISSING, "kimi cannot be run: No such file"),
        (AgentExited(3, "oh"), Kind.AGENT_CRASHED, "ended with code 3"),
        (AgentExited(-9, "oh"), Kind.AGENT_CRASHED, "was ended by SIGKILL"),
        (AgentExited(-200, "oh"), Kind.AGENT_CRASHED, "was ended by signal 200"),
        (AgentExited(None, "oh"), Kind.AGENT_CRASHED, "closed its output"),
        (AgentSilent("initialize", 60.0, ""), Kind.AGENT_SILENT, "did not answer initialize within 60 s"),
        (AgentSaidNothing("end_turn", ""), Kind.AGENT_SILENT, "(end_turn) without a word or a change"),
        (AgentSpeaksNoAcp("usage:", ""), Kind.AGENT_PROTOCOL, "it wrote: usage:"),
        (AgentVersionUnknown(2, 1), Kind.AGENT_PROTOCOL, "version 2"),
        (AgentRefused("session/new", -32000, "log in", ""), Kind.CREDENTIALS, "log in"),
        (AgentRefused("session/prompt", -32603, "API error 429", ""), Kind.QUOTA, "429"),
        (AgentRefused("session/prompt", -32603, "Rate limit reached", ""), Kind.QUOTA, "Rate limit"),
        (AgentRefused("session/prompt", -32603, "oops", ""), Kind.AGENT_PROTOCOL, "refused session/prompt: oops"),
        (GitFailed("clone", 128, "fatal: No space left on device"), Kind.DISK_FULL, "no room left"),
        (GitFailed("commit", 1, "unmerged"), Kind.REPOSITORY, "git commit failed"),
        (NotARepository(Path("/x")), Kind.REPOSITORY, "not a git repository"),
        (RepositoryEmpty(), Kind.REPOSITORY, "no commit"),
        (BranchUnknown("dev", ("main",)), Kind.REPOSITORY, "no branch dev. It has: main."),
        (NothingToPublish(), Kind.REPOSITORY, "no commit of its own"),
        (PromptBroken("planning.md.j2", 3, "oh"), Kind.SETTINGS, "planning.md.j2, line 3"),
        (TurnTooLong(7200), Kind.TIME_LIMIT, "7200 s"),
        (WorkspaceTaken(), Kind.RUNNER, "still holds"),
        (CallRefused("frames", 413, "too large"), Kind.INTERNAL, "frames (413)"),
        (OSError(errno.ENOSPC, "No space left on device"), Kind.DISK_FULL, "no room left"),
        (OSError(errno.EACCES, "Permission denied"), Kind.RUNNER, "Permission denied"),
    ],
)
def test_every_error_is_told_in_a_sentence(error: WorkerError | OSError, kind: Kind, words: str) -> None:
    failure = failure_of(error)
    assert failure.kind is kind
    assert words in failure.detail
