"""What a worker is started with: a line of JSON on a file descriptor, so that nobody reads the token in the environment."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from runners import proctree

LIMIT_BYTES = 1 << 16
WORKER_LOG = "worker.log"


class Order(BaseModel):
    """One launch: where the bot is, what opens its door, and where to work."""

    model_config = ConfigDict(frozen=True)

    launch: str
    session: str
    token: str
    socket: Path
    directory: Path


def seal() -> bool:
    """Make this process undumpable: from now on its memory, environment and descriptors in /proc are root's alone.

    Nobody of our own uid can read them then, and neither attach to us (prctl(2), ptrace(2)); root can. An agent's process,
    which begins with exec, is dumpable again. False where the system has no such thing.
    """
    return proctree.prctl(proctree.PR_SET_DUMPABLE, 0)


def take_order(descriptor: int) -> Order | None:
    """Wait for the order, read it to its end and close the descriptor; None when the bot has gone without one."""
    with os.fdopen(descriptor, "rb") as file:
        words = file.read(LIMIT_BYTES)
    return Order.model_validate_json(words) if words else None


def log_into(directory: Path) -> None:
    """From now on our outputs go to the session's log, begun anew with each launch."""
    state = directory / "state"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(state / WORKER_LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    for output in (1, 2):
        os.dup2(handle, output)
    os.close(handle)
