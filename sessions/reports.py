"""A worker's frames that change more than the history, told to the ticket's book one by one.

The three requests become numbered events; the rest are events as they stand, with their effects. After the session's end
nothing has an effect any more but that the launch ends too, and what is an event is still kept as history.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from sessions import endings
from sessions.asking import PHASES_WITH_DOCUMENT, Asking
from sessions.book import Book, Origin
from sessions.events import (
    DocumentSubmitted,
    Event,
    InputTaken,
    PermissionRequested,
    QuestionFiled,
    SessionFinished,
    SessionQueued,
    UsageReported,
    WorkerEnded,
    WorkerFrame,
)
from sessions.losses import Loss, carry_out_stops, declare_lost, queue_for_inputs
from sessions.models import InputKind, InputState, Project, Session, SessionState
from sessions.ports import Ids, LaunchContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """One worker's batch being told to the book of its ticket."""

    book: Book
    ids: Ids
    project: Project
    context: LaunchContext

    @property
    def session(self) -> Session:
        return self.book.session(self.context.session)

    async def tell(self, first: int, frames: Sequence[WorkerFrame | Event]) -> None:
        """Frames `first` …, in order."""
        for number, frame in enumerate(frames, first):
            self.book.came_of(Origin(launch=self.context.launch, frame=number))
            if self.session.over:
                await self._keep(frame)
            else:
                await self._apply(number, frame)
        self.book.came_of(None)

    async def _keep(self, frame: WorkerFrame | Event) -> None:
        match frame:
            case DocumentSubmitted() | PermissionRequested() | QuestionFiled():
                # Nobody is left to decide or answer it, and what it asks is no fact.
                return
            case WorkerEnded():
                await self.book.tx.end_launch(self.context.launch)
            case UsageReported():
                await self._count(frame)
            case _:
                pass
        self._record(frame)

    async def _apply(self, number: int, frame: WorkerFrame | Event) -> None:
        match frame:
            case DocumentSubmitted():
                await self._asking().submit(number, frame)
            case PermissionRequested():
                await self._asking().permit(frame)
            case QuestionFiled():
                await self._asking().ask(frame)
            case WorkerEnded():
                await self._end(frame)
            case InputTaken(ordinal=ordinal):
                self._record(frame)
                await self._take(ordinal)
            case UsageReported():
                self._record(frame)
                await self._count(frame)
            case _:
                self._record(frame)

    def _asking(self) -> Asking:
        return Asking(book=self.book, project=self.project, session=self.session)

    def _record(self, event: Event) -> None:
        self.book.record(event, self.context.session)

    # inputs and usage
    async def _take(self, ordinal: int) -> None:
        for held in await self.book.tx.inputs(self.context.session):
            # A stop is carried out when the worker has ended, not when it has heard of it.
            if held.ordinal == ordinal and held.kind is not InputKind.STOP:
                await self.book.tx.set_input_state(self.book.ticket.id, ordinal, InputState.SENT)

    async def _count(self, usage: UsageReported) -> None:
        await self.book.tx.count_usage(
            self.context.session,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=usage.cost_usd,
        )

    # the end
    async def _end(self, ended: WorkerEnded) -> None:
        match ended.reason:
            case "finished" if ended.nothing_to_change and self.session.phase not in PHASES_WITH_DOCUMENT:
                self._record(ended)
                await self._complete(ended)
            case "finished":
                self._record(ended)
                loss = Loss(detail="The worker ended before its work was done.")
                await declare_lost(self.book, self.context.launch, self.context.session, self.context.fence, loss)
            case "stopped" | "idle" | "failed" | "terminated":
                await self._sleep(ended)
            case _:
                assert_never(ended.reason)

    async def _complete(self, ended: WorkerEnded) -> None:
        await self.book.tx.end_launch(self.context.launch)
        finished = SessionFinished(outcome="nothing_to_change", words=ended.words)
        await endings.complete(self.book, self.ids, self.session, self.project, finished)

    async def _sleep(self, ended: WorkerEnded) -> None:
        await self.book.tx.end_launch(self.context.launch)
        was_working = self.session.state is SessionState.WORKING
        last_stop = await self._last_stop()
        if await carry_out_stops(self.book, self.context.session) and ended.reason != "failed":
            # However the worker took its end: a person asked for it.
            ended = replace(ended, reason="stopped")
        self._record(ended)
        match ended.reason:
            case "terminated" if was_working:
                self._record(SessionQueued(cause="restart"))
            case "stopped" | "idle" | "terminated":
                await queue_for_inputs(self.book, self.context.session, after=last_stop)
            case _:
                # A failure would only repeat itself; somebody presses Retry when its cause is gone.
                pass

    async def _last_stop(self) -> int:
        queued = await self.book.queued_inputs(self.context.session)
        return max((held.ordinal for held in queued if held.kind is InputKind.STOP), default=0)
