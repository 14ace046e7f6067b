"""What git says when a repository cannot be used, in words that tell a person what to do next."""

import re
from collections.abc import Iterable

from runners.addresses import Address
from runners.git import Outcome
from sessions.models import FailureKind

WORDS_CHARS = 1000

_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_REMOTE_WORDS = re.compile(r"^remote: ?(.*)$", re.MULTILINE)
_REJECTED = re.compile(r"^!\t[^\t]*\t(.*)$", re.MULTILINE)

_SIGNS: tuple[tuple[FailureKind, tuple[str, ...], str], ...] = (
    (
        FailureKind.DISK_FULL,
        ("no space left on device", "disk quota exceeded", "file too large"),
        "The bot's disk is full. Make room in its data directory, then retry.",
    ),
    (
        FailureKind.SETTINGS,
        (r"ssh.*: (command )?not found", r"cannot run ssh"),
        "There is no ssh on the bot's machine. Install an ssh client, or use an https:// address, then retry.",
    ),
    (
        FailureKind.CREDENTIALS,
        ("host key verification failed",),
        "The host's ssh key is not known here. Add it to known_hosts of the user that runs the bot, then retry.",
    ),
    (
        FailureKind.CREDENTIALS,
        (
            "terminal prompts disabled",
            "could not read (username|password)",
            "authentication failed",
            r"permission denied \(",
            "publickey",
            "error: 401",
        ),
        "The bot has no credential for it, or a wrong one. Give it an ssh key or a credential helper, then retry.",
    ),
    (
        FailureKind.HOST_REFUSED,
        ("error: 403", "access denied", "forbidden"),
        "The host knows the bot and does not let it in. Give its account access to the repository, then retry.",
    ),
    (
        FailureKind.REPOSITORY,
        ("dubious ownership",),
        "It belongs to another user. Let that user run the bot, or add it to git's safe.directory, then retry.",
    ),
    (
        FailureKind.REPOSITORY,
        ("transport '.*' not allowed", "unable to find remote helper", r"remote-\w+' is not a git command"),
        "Its address must be a path, or begin with https:// or ssh://.",
    ),
    (
        FailureKind.REPOSITORY,
        ("not found", "error: 404", "does not appear to be a git repository", "not a git repository", "does not exist"),
        "There is no git repository there. Check the address, and that the bot may see it.",
    ),
    (
        FailureKind.REPOSITORY,
        (
            "could not resolve host",
            "connection (refused|timed out|reset)",
            "failed to connect",
            "network is unreachable",
            "no route to host",
            "timed out",
            "unable to access",
            "could not read from remote repository",
            "hung up unexpectedly",
        ),
        "It is out of reach. Check the address and the network, then retry.",
    ),
)


def classify(words: str) -> tuple[FailureKind, str]:
    """Which failure it is, and the next step."""
    for kind, signs, advice in _SIGNS:
        if any(re.search(sign, words, re.IGNORECASE) for sign in signs):
            return kind, advice
    return FailureKind.REPOSITORY, "Look at what git said, then retry."


def told(address: Address, words: str) -> str:
    """What git wrote, without control characters and credentials, at most `WORDS_CHARS` of them."""
    return _CONTROLS.sub("", address.redact(words)).strip()[:WORDS_CHARS]


def said_by_remote(outcome: Outcome) -> str:
    """Why a push was turned down: the remote's own lines, else the reason git gives for the branch, else all it wrote."""
    said = "\n".join(line.rstrip() for line in _REMOTE_WORDS.findall(outcome.words)).strip()
    rejected = "; ".join(_REJECTED.findall(outcome.output))
    return "\n".join(part for part in (said, rejected) if part) or outcome.words


def listed(names: Iterable[str], limit: int) -> str:
    """The first names, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - limit} more" if len(every) > limit else ""
    return ", ".join(every[:limit]) + more
