"""A place among the processes that share a data directory, so that each has a name of its own that outlives it.

The first process has seat 1, and after it was killed, its successor has: so it finds the launches it left. Seats are locks
on files, which the kernel drops with their process.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO


@contextmanager
def seat(folder: Path) -> Iterator[int]:
    """The lowest number that no living process has, for as long as the block runs."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        with (folder / f"seat-{number}").open("ab") as file:
            if _taken(file):
                yield number
                return


def _taken(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
