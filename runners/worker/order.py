"""What a worker is started with: a line of JSON on a file descriptor, so that nobody reads the token in the environment."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from runners import proctree

LIMIT_BYTES = 1 << 16


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


def take_order(descriptor: int) -> Order:
    """Read the order to its end and close the descriptor; raises `ValueError` where there is none."""
    with os.fdopen(descriptor, "rb") as file:
        return Order.model_validate_json(file.read(LIMIT_BYTES))
