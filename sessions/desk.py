"""What workers do: the use cases behind the worker's API (`sessions.ports.WorkerDesk`)."""

import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

from sessions import publishing
from sessions.book import Book, changing, inputs_topic
from sessions.briefing import brief
from sessions.errors import FramesMissing, LaunchFenced
from sessions.events import (
    CONSEQUENTIAL,
    Event,
    WorkerFrame,
)
from sessions.ingest import Ingest
from sessions.models import AgentProfile, InputState, Launch, LaunchId, Limits, Publication
from sessions.ports import (
    Bootstrap,
    Clock,
    FrameLog,
    Host,
    Ids,
    Inbound,
    LaunchContext,
    Ledger,
    Signals,
    Transaction,
)
from sessions.redaction import Redactor
from sessions.reports import Reporting
from sessions.scrubbing import Scrubber
from sessions.tokens import hashed

RECOGNISED = 10_000
"""So many launches are remembered with their tokens' hashes; the one that came first is forgotten first."""


@dataclass(slots=True, kw_only=True)
class Desk:
    """Serves the workers of all workspaces; implements `sessions.ports.WorkerDesk`.

    `agents` are profiles by name, whole with their environments, of which the database holds only what is no secret.
    """

    ledger: Ledger
    log: FrameLog
    ingest: Ingest
    host: Host
    signals: Signals
    clock: Clock
    ids: Ids
    redactor: Redactor
    limits: Limits = field(default_factory=Limits)
    agents: Mapping[str, AgentProfile] = field(default_factory=dict)
    _scrubber: Scrubber = field(init=False)
    _recognised: dict[LaunchId, tuple[bytes, LaunchContext]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._scrubber = Scrubber(redactor=self.redactor)

    async def authenticate(self, launch: LaunchId, token: str) -> LaunchContext:
        """Raises `LaunchUnknown` for a wrong id or token, `LaunchFenced` when the launch has ended."""
        return await self.log.authenticate(launch, hashed(token))

    async def recognise(self, launch: LaunchId, token: str) -> LaunchContext:
        """As `authenticate`, but a launch that passed once passes again by the same token, even if it has ended since."""
        token_hash = hashed(token)
        known_hash, context = self._recognised.get(launch, (b"", None))
        if context is not None and hmac.compare_digest(known_hash, token_hash):
            return context
        context = await self.log.authenticate(launch, token_hash)
        self._recognised[launch] = token_hash, context
        if len(self._recognised) > RECOGNISED:
            del self._recognised[next(iter(self._recognised))]
        return context

    async def bootstrap(self, context: LaunchContext) -> Bootstrap:
        """All a worker begins with. Raises `LaunchFenced`."""
        async with self._holding(context) as (book, _):
            return await brief(book, context, limits=self.limits, agents=self.agents)

    async def take(self, context: LaunchContext, *, first: int, frames: Sequence[WorkerFrame | Event]) -> int:
        """Redact, sanitise and store the frames; answers the last number stored.

        A frame that the caller could not read stands in `frames` as `Quarantined`. Raises `FramesMissing`, `LaunchFenced`,
        `IngestBusy`, `Unavailable`.
        """
        scrubbed = self._scrubber.scrub(context.launch, frames, first=first)
        last = await self._store(context, first, scrubbed)
        self._scrubber.remember(context.launch, frames, first=first)
        return last

    async def _store(self, context: LaunchContext, first: int, scrubbed: Sequence[WorkerFrame | Event]) -> int:
        if scrubbed and _plain(scrubbed):
            return await self.ingest.store(context, first=first, events=scrubbed)
        async with self._holding(context) as (book, launch):
            known = launch.last_frame
            if first > known + 1:
                raise FramesMissing(known + 1)
            fresh = scrubbed[known + 1 - first :]
            if not fresh:
                return known
            return await self._tell(book, context, known + 1, fresh)

    async def inputs(self, context: LaunchContext, *, after: int, time_limit_s: float) -> Inbound:
        """Queued inputs with a higher ordinal, waiting for one until the limit; the worker counts as seen.

        Answers at once when the session is over. Raises `LaunchFenced`.
        """
        await self.log.seen(context.launch)
        until = self.clock.monotonic() + time_limit_s
        subscription = self.signals.subscribe(inputs_topic(context.session))
        try:
            while True:
                found = await self._inbound(context, after)
                left_s = until - self.clock.monotonic()
                if found.inputs or found.over or left_s <= 0:
                    return found
                await subscription.wait(time_limit_s=left_s)
        finally:
            subscription.close()

    async def publish(self, context: LaunchContext, *, bundle: Path, branch: str, base: str, head: str) -> Publication:
        """Push the bundle, record it and end the session; the same head again answers the same publication.

        Raises `PublishRefused`, `LaunchFenced`.
        """
        async with self._holding(context) as (book, _):
            done = await publishing.published(book, context.session, head)
            if done is not None:
                return done
            project = await book.tx.get_project(book.ticket.project)
            session = await publishing.require_allowed(book, context.session, project, branch=branch, base=base)
        # A push takes as long as it takes, and nothing is held meanwhile.
        publication = await self.host.publish(
            project=project, session=session, bundle=bundle, branch=branch, base=base, head=head
        )
        async with self._holding(context) as (book, _):
            return await publishing.record(book, self.ids, context.session, publication)

    @asynccontextmanager
    async def _holding(self, context: LaunchContext) -> AsyncIterator[tuple[Book, Launch]]:
        """The ticket, held for a change by its live launch; raises `LaunchFenced`."""
        async with changing(self.ledger, self.signals, context.workspace, context.ticket) as book:
            yield book, await _require_live(book.tx, context)

    async def _tell(self, book: Book, context: LaunchContext, first: int, frames: Sequence[WorkerFrame | Event]) -> int:
        last = first + len(frames) - 1
        stands = await book.tx.take_frames(context.launch, first=first, last=last)
        if stands != last:
            raise FramesMissing(stands + 1)
        project = await book.tx.get_project(book.ticket.project)
        await Reporting(book=book, ids=self.ids, project=project, context=context).tell(first, frames)
        return last

    async def _inbound(self, context: LaunchContext, after: int) -> Inbound:
        async with self.ledger.transaction(context.workspace) as tx:
            await _require_live(tx, context)
            session = await tx.get_session(context.session)
            queued = [
                held
                for held in await tx.inputs(context.session)
                if held.ordinal > after and held.state is InputState.QUEUED
            ]
        return Inbound(inputs=tuple(queued), over=session.over)


async def _require_live(tx: Transaction, context: LaunchContext) -> Launch:
    launch = await tx.live_launch(context.session)
    if launch is None or launch.id != context.launch:
        raise LaunchFenced
    return launch


def _plain(frames: Sequence[WorkerFrame | Event]) -> TypeGuard[Sequence[Event]]:
    """Whether the frames change nothing but the history."""
    return not any(isinstance(frame, CONSEQUENTIAL) for frame in frames)
