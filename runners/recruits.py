"""Worker processes before they have work: started, all that they need imported, waiting for their order on a pipe.

Importing takes a worker longer than everything else before its agent's first word, so one is kept ready.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from runners.worker.order import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Recruit:
    """A worker without an order. `words` is where its error output goes until it has one."""

    child: "subprocess.Popen[bytes]"
    pipe: int
    words: IO[bytes]

    def give(self, order: Order) -> bool:
        """Hand the order over; False when the process is gone."""
        if self.child.poll() is not None:
            return False
        try:
            # It is small enough for the pipe's own room, so this never blocks (pipe(7)).
            os.write(self.pipe, order.model_dump_json().encode())
        except BrokenPipeError:
            return False
        finally:
            os.close(self.pipe)
        return True

    def dismiss(self) -> None:
        """End a process that has got no order."""
        os.close(self.pipe)
        self.child.kill()
        self.child.wait()
        self.words.close()


def enlist(environment: Mapping[str, str]) -> Recruit:
    """Start a worker that waits for its order; raises `OSError`."""
    reading, writing = os.pipe()
    words = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
    try:
        child = subprocess.Popen(
            [sys.executable, "-I", "-m", "runners.worker", str(reading), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            cwd="/",
            env=dict(environment),
            pass_fds=(reading,),
            start_new_session=True,
        )
    except OSError:
        os.close(writing)
        words.close()
        raise
    finally:
        os.close(reading)
    return Recruit(child=child, pipe=writing, words=words)
