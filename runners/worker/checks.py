"""The project's test command, run in the workspace as the agent left it."""

import asyncio
import time
from dataclasses import dataclass

from runners.worker.cleaning import end
from runners.worker.context import Context
from runners.worker.leash import Program, hold
from sessions.events import TestsRun

OUTPUT_CHARS = 6_000
TIMED_OUT = 124
"""The code that timeout(1) gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """Runs the tests of one launch. All that they start is ended with them."""

    context: Context

    async def run(self, attempt: int) -> TestsRun:
        """Run the command by the shell; `attempt` 0 is the first run, 1 … follow a repair."""
        brief, log = self.context.brief, self.context.place.state / "tests.log"
        program = Program(
            command=("sh", "-c", brief.test_command),
            directory=self.context.place.workspace,
            environment=self.context.environment,
            mark=self.context.mark(f"tests.{attempt}.{time.monotonic_ns()}"),
        )
        began = time.monotonic()
        with log.open("wb") as file:
            leash = await hold(program, output=file)
        try:
            async with asyncio.timeout(brief.limits.test_s):
                code = await leash.exited()
        except TimeoutError:
            code = TIMED_OUT
        finally:
            await leash.end(grace_s=1.0)
        return TestsRun(
            command=brief.test_command,
            attempt=attempt,
            passed=code == 0,
            exit_code=code,
            output=_tail(log.read_bytes()[-4 * OUTPUT_CHARS :], timed_out=code == TIMED_OUT),
            took_s=round(time.monotonic() - began, 2),
        )


def _tail(output: bytes, *, timed_out: bool) -> str:
    words = end(output.decode(errors="replace").strip(), OUTPUT_CHARS)
    return f"{words}\n(stopped: it took too long)".strip() if timed_out else words
