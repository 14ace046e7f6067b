"""The worker: `python -I -m runners.worker DESCRIPTOR`, where the descriptor yields a `runners.worker.order.Order`."""

import asyncio
import contextlib
import logging
import os
import signal
import sys

import structlog

from runners import proctree
from runners.worker.loop import Exit, run
from runners.worker.order import log_into, seal, take_order


def main() -> int:
    """Carry out one launch; the exit code is one of `runners.worker.loop.Exit`."""
    # Before anything else: from here on nobody of our uid can look into this process.
    seal()
    proctree.prctl(proctree.PR_SET_PDEATHSIG, signal.SIGTERM)
    proctree.prctl(proctree.PR_SET_CHILD_SUBREAPER, 1)
    _quiet_libraries()
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    if os.getppid() != parent:
        # The bot died before we could ask to be told of it.
        return Exit.FAILED
    order = take_order(descriptor)
    if order is None:
        return Exit.DONE
    with contextlib.suppress(OSError):
        # Where there is no room for a log, the launch itself says so.
        log_into(order.directory)
    code = asyncio.run(run(order))
    structlog.get_logger().info("worker.ended", exit=code.name.lower())
    return code


def _quiet_libraries() -> None:
    """Our own log goes to the error output; the SDK's tracebacks hold what agents say, and go nowhere."""
    logging.disable(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


if __name__ == "__main__":
    sys.exit(main())
