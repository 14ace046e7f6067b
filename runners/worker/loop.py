"""One launch from its order to its last frame.

Three tasks: the work itself, the frames that leave, the inputs that arrive. Whoever wants the launch to end settles
`called_off`; the work is then cut off wherever it is, the agent is ended, what it has done is saved, and the last frames
are sent.
"""

import asyncio
import os
import signal
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import structlog

from runners import proctree
from runners.wire import FRAME, WireBootstrap
from runners.worker.asks import Asks
from runners.worker.context import Context, Ending, Place
from runners.worker.errors import BotUnreachable, CallRefused, Fenced, WorkerError, WorkspaceTaken
from runners.worker.failures import failure_of
from runners.worker.holding import holding
from runners.worker.inbox import Inbox
from runners.worker.launching import make_context, make_desk, make_work
from runners.worker.link import Link, connect
from runners.worker.order import Order
from runners.worker.outbox import Batch
from runners.worker.turns import Turns
from runners.worker.workspace import Workspace
from sessions.events import CheckpointSaved, WorkerEnded
from sessions.models import Failure, FailureKind, Limits

SEND_EVERY_S = 0.1
"""What is told within this time goes in one batch; the first of it goes at once."""

CANCEL_S = 1.0
HURRIED_S = 2.0
LAST_FRAMES_S = 2.0
"""From SIGTERM to the exit in 8 s: cancel, end the agent (1.5 s and a kill), save, send the last frames."""

UNHURRIED_S = 60.0

log = structlog.get_logger()


class Exit(IntEnum):
    """How the worker's process ends; what it has done is saved in every case."""

    DONE = 0
    FAILED = 1
    UNREACHABLE = 75
    FENCED = 76


async def run(order: Order) -> Exit:
    """Carry out a launch; SIGTERM ends it within 8 s."""
    called_off: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    def end(ending: Ending) -> None:
        if not called_off.done():
            called_off.set_result(ending)

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end, Ending(reason="terminated"))
    patience_s = Limits().unreachable_s
    async with connect(order.socket, launch=order.launch, token=order.token, patience_s=patience_s) as link:
        try:
            place = Place(root=order.directory)
            place.make()
            async with holding(place.state / "lock"):
                return await _launch(order, link, called_off)
        except Fenced:
            return Exit.FENCED
        except BotUnreachable:
            return Exit.UNREACHABLE
        except (WorkspaceTaken, OSError) as error:
            await _report(link, failure_of(error))
            return Exit.FAILED


async def _launch(order: Order, link: Link, called_off: "asyncio.Future[Ending]") -> Exit:
    brief = await _bootstrap(link, called_off)
    if brief is None:
        return Exit.DONE
    link.patience_s = brief.limits.unreachable_s
    context, left = make_context(order, brief, link)

    def end(ending: Ending) -> None:
        if not called_off.done():
            called_off.set_result(ending)

    asks, inbox = make_desk(context, left, end)
    return await Launch(context, context.workspace(), asks, inbox, called_off).run()


async def _bootstrap(link: Link, called_off: "asyncio.Future[Ending]") -> WireBootstrap | None:
    """What the session is about; None when the launch is called off before that is known."""
    asking = asyncio.create_task(link.bootstrap(), name="worker.bootstrap")
    try:
        both: set[asyncio.Future[Any]] = {asking, called_off}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return await asking if asking.done() else None
    finally:
        asking.cancel()


async def _report(link: Link, failure: Failure) -> None:
    """Tell of a launch that could not begin."""
    frame = FRAME.dump_python(WorkerEnded(reason="failed", failure=failure), mode="json")
    try:
        await link.post(Batch(1, (frame,)))
    except WorkerError:
        log.warning("launch.unreported")


@dataclass(slots=True)
class Launch:
    """A launch under way. `unsaved` while the workspace may hold what no checkpoint does."""

    context: Context
    workspace: Workspace
    asks: Asks
    inbox: Inbox
    called_off: "asyncio.Future[Ending]"
    turns: Turns | None = None
    unsaved: bool = False

    async def run(self) -> Exit:
        """Work until the end; whatever happens, no process of the session is left and its work is kept."""
        code = Exit.DONE
        try:
            async with asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(self._send(), name="worker.frames")
                listener = tasks.create_task(self.inbox.listen(), name="worker.inputs")
                ending = await self._work_until_called_off()
                listener.cancel()
                await self._finish(ending)
                sender.cancel()
        except* Fenced:
            code = Exit.FENCED
        except* BotUnreachable:
            code = Exit.DONE if self._hurried else Exit.UNREACHABLE
        finally:
            await self._clear_up()
        return code

    @property
    def _hurried(self) -> bool:
        return self.called_off.done() and self.called_off.result().reason == "terminated"

    async def _work_until_called_off(self) -> Ending:
        work = asyncio.create_task(self._work(), name="worker.work")
        try:
            await asyncio.wait([work, self.called_off], return_when=asyncio.FIRST_COMPLETED)
            return work.result() if work.done() else self.called_off.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _work(self) -> Ending:
        try:
            await self.workspace.prepare()
            self.unsaved = True
            async with make_work(self.context, self.workspace, self.asks, self.inbox) as work:
                self.turns = work.turns
                return await work.run()
        except (Fenced, BotUnreachable):
            raise
        except (WorkerError, OSError) as error:
            log.info("work.failed", error=type(error).__name__)
            return Ending(reason="failed", failure=failure_of(error))
        except Exception as error:
            log.exception("work.broken")
            return Ending(reason="failed", failure=Failure(kind=FailureKind.INTERNAL, detail=type(error).__name__))

    async def _send(self) -> None:
        """Send what is told, batch after batch, until cancelled."""
        outbox, link = self.context.outbox, self.context.link
        while True:
            await outbox.stirred.wait()
            batch = outbox.take()
            if batch is None:
                outbox.stirred.clear()
                continue
            try:
                stored = await link.post(batch)
            except CallRefused as refused:
                # Sent again it would be refused again, and nothing after it would arrive.
                log.warning("frames.refused", status=refused.status, first=batch.first, count=len(batch.frames))
                outbox.acknowledge(batch.last)
                continue
            if stored.last < batch.first - 1:
                outbox.renumber(stored.last)
            else:
                outbox.acknowledge(stored.last)
            await asyncio.sleep(SEND_EVERY_S)

    async def _finish(self, ending: Ending) -> None:
        """End the agent, save what it has done, and send the last frames."""
        if ending.reason in ("stopped", "finished"):
            self.context.saved.release()
        await self._end_agent()
        if ending.reason == "finished":
            self.unsaved = False
        await self._checkpoint(limit_s=HURRIED_S if self._hurried else UNHURRIED_S)
        self.context.tell(
            WorkerEnded(
                reason=ending.reason,
                failure=ending.failure,
                nothing_to_change=ending.nothing_to_change,
                words=ending.words,
            )
        )
        if self._hurried:
            self.context.link.patience_s = LAST_FRAMES_S
        try:
            async with asyncio.timeout(LAST_FRAMES_S if self._hurried else None):
                await self.context.outbox.settled()
        except TimeoutError:
            log.warning("frames.unsent")

    async def _clear_up(self) -> None:
        await self._end_agent()
        await self._checkpoint(limit_s=HURRIED_S)
        self.context.outbox.keep()
        left = proctree.descendants(os.getpid())
        proctree.send(left, signal.SIGKILL)
        await proctree.gone(left, within_s=1.0)
        proctree.reap(left)

    async def _end_agent(self) -> None:
        try:
            if self.turns is not None:
                await self.turns.close(cancel_within_s=CANCEL_S)
            self.context.keep()
        except OSError:
            log.warning("state.unsaved", exc_info=True)

    async def _checkpoint(self, *, limit_s: float) -> None:
        if not self.unsaved:
            return
        self.unsaved = False
        try:
            async with asyncio.timeout(limit_s):
                saved = await self.workspace.checkpoint()
        except (TimeoutError, WorkerError, OSError):
            log.warning("checkpoint.failed", exc_info=True)
            return
        if saved is not None:
            self.context.tell(CheckpointSaved(sha=saved[0], files=saved[1]))
