"""Keeps the queued sessions of all workspaces running, as many at a time as this engine has room for.

It claims, launches, and watches for the end of every worker it started; a worker that is gone without a last word is
declared lost, and its session goes on with a new one unless that was tried too often. All of it is written down before it
is acted upon, so that the next start of the same engine goes on where a killed one was.

A sweep is one query, whatever the number of sessions; between sweeps nothing runs for a session that is quiet.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from sessions.book import SESSIONS_TOPIC, changing, inputs_topic, wake
from sessions.errors import RunnerUnavailable
from sessions.losses import Loss, declare_lost
from sessions.models import InstallationId, Launch, LaunchId
from sessions.ports import (
    Claim,
    Clock,
    Dispatch,
    Ids,
    Ledger,
    LiveLaunch,
    Mirrors,
    Runner,
    Signals,
    Subscription,
    Unavailable,
)
from sessions.redaction import Redactor
from sessions.roster import Worker, has_room
from sessions.scrubbing import Scrubber
from sessions.starting import Pause, Starter
from sessions.tokens import hashed

log = structlog.get_logger()

SPARE_S = 5.0
"""What stopping all workers may take beside their own time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Where and how much one engine runs. By its `name`, which is stable, it finds its launches after a restart.

    So many as `max_sessions` are at work at a time; those that wait for people count apart (`sessions.roster`). Workers call
    back on `socket`; each session works below `directory`/<session id>, which outlives its launches. Every `sweep_s` seconds it
    looks for work even if nothing woke it. A worker that should have ended is stopped after `stop_grace_s`, and again so much
    later by force; so is one that was not heard of for `silent_s`. With an `installation` it claims that one's sessions and no
    others.
    """

    name: str
    socket: Path
    directory: Path
    max_sessions: int = 4
    sweep_s: float = 2.0
    stop_grace_s: float = 10.0
    silent_s: float = 300.0
    installation: InstallationId | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Supervisor:
    """Claims, launches and watches for one engine."""

    engine: Engine
    ledger: Ledger
    dispatch: Dispatch
    runner: Runner
    mirrors: Mirrors
    signals: Signals
    clock: Clock
    ids: Ids
    redactor: Redactor = field(default_factory=lambda: Redactor(()))
    _workers: dict[LaunchId, Worker] = field(default_factory=dict)
    _ended_early: set[str] = field(default_factory=set)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _scrubber: Scrubber = field(init=False)
    _starter: Starter = field(init=False)
    _adopted: bool = False
    _draining: bool = False

    def __post_init__(self) -> None:
        self._idle.set()
        self._scrubber = Scrubber(redactor=self.redactor)
        self._starter = Starter(
            runner=self.runner,
            mirrors=self.mirrors,
            socket=self.engine.socket,
            directory=self.engine.directory,
            scrubber=self._scrubber,
            pause=Pause(clock=self.clock),
        )

    async def run(self) -> None:
        """Adopt what an earlier process left, then claim, watch and sweep until cancelled."""
        subscription = self.signals.subscribe(SESSIONS_TOPIC)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch(), name="supervisor.watch")
                await self._work(tasks, subscription)
        finally:
            subscription.close()

    async def drain(self) -> None:
        """Claim nothing more and stop the workers, which save their work; what was at work is queued for the next start.

        Returns when no worker of ours runs. The callback server must go on serving meanwhile.
        """
        self._draining = True
        for_all_s = 2 * self.engine.stop_grace_s + SPARE_S
        try:
            async with asyncio.timeout(for_all_s), asyncio.TaskGroup() as tasks:
                for worker in list(self._workers.values()):
                    if worker.reference:
                        tasks.create_task(self._alone(worker, self._stop(worker)), name=f"drain:{worker.launch}")
                await self._idle.wait()
        except TimeoutError:
            log.warning("supervisor.left_workers", workers=len(self._workers))

    # the loops
    async def _work(self, tasks: asyncio.TaskGroup, subscription: Subscription) -> None:
        while True:
            try:
                await self._look(tasks)
            except Unavailable as error:
                log.warning("supervisor.waits", part=error.part)
                self._forgive_silence()
            except Exception:
                log.exception("supervisor.failed")
            rest_s = self._starter.pause.left_s or self.engine.sweep_s
            await subscription.wait(time_limit_s=min(rest_s, self.engine.sweep_s))

    async def _look(self, tasks: asyncio.TaskGroup) -> None:
        if not self._adopted:
            # Before anything is claimed, so that what an earlier process left counts.
            await self._sweep(tasks)
            self._adopted = True
        await self._claim_all(tasks)
        was_full = not self._has_room()
        await self._sweep(tasks)
        if was_full:
            # The sweep may have seen that some only wait for people now.
            await self._claim_all(tasks)

    async def _watch(self) -> None:
        while True:
            try:
                for reference in await self.runner.wait_any(time_limit_s=self.engine.sweep_s):
                    await self._ended(reference)
            except Exception:
                log.exception("supervisor.blind")
                await asyncio.sleep(self.engine.sweep_s)

    async def _alone(self, worker: Worker, doing: Awaitable[None]) -> None:
        """What fails for one worker fails for no other; the next sweep takes it as it finds it."""
        try:
            await doing
        except Exception:
            log.exception("worker.unmanaged", launch=worker.launch)
            worker.stopping = False
            if not worker.reference:
                self._forget(worker)

    # claiming and starting
    async def _claim_all(self, tasks: asyncio.TaskGroup) -> None:
        while not self._draining and self._has_room() and not self._starter.pause.left_s:
            token = self.ids.token()
            claim = await self._claim(token)
            if claim is None:
                return
            worker = self._remember(claim)
            starting = self._alone(worker, self._start(claim, worker, token))
            tasks.create_task(starting, name=f"launch:{claim.launch.id}")

    def _has_room(self) -> bool:
        return has_room(self._workers.values(), places=self.engine.max_sessions)

    async def _claim(self, token: str) -> Claim | None:
        claim = await self.dispatch.claim(
            engine=self.engine.name,
            runner=self.runner.name,
            launch=LaunchId(self.ids.uuid()),
            token_hash=hashed(token),
            installation=self.engine.installation,
        )
        if claim is not None:
            log.info("session.claimed", session=claim.session.id, launch=claim.launch.id, fence=claim.launch.fence)
        return claim

    def _remember(self, claim: Claim) -> Worker:
        worker = Worker(
            workspace=claim.workspace,
            ticket=claim.ticket.id,
            session=claim.session.id,
            launch=claim.launch.id,
            fence=claim.launch.fence,
            heard_at=self.clock.monotonic(),
        )
        self._workers[worker.launch] = worker
        self._idle.clear()
        return worker

    async def _start(self, claim: Claim, worker: Worker, token: str) -> None:
        started = await self._starter.start(claim, token, wanted=lambda: not self._draining)
        if isinstance(started, Loss):
            await self._lose(worker, started)
            return
        worker.reference = started
        await self._note_reference(worker)
        if started in self._ended_early:
            self._ended_early.discard(started)
            await self._ended(started)
        elif self._draining:
            await self._stop(worker)

    async def _note_reference(self, worker: Worker) -> None:
        try:
            await self.dispatch.launched(worker.launch, reference=worker.reference)
        except Unavailable as error:
            # The next sweep sees that it is missing.
            log.warning("launch.unnoted", launch=worker.launch, part=error.part)

    # sweeping
    async def _sweep(self, tasks: asyncio.TaskGroup) -> None:
        """Compare what the database holds for alive with what runs."""
        live = await self.dispatch.live(engine=self.engine.name)
        for found in live:
            worker = self._workers.get(found.launch.id)
            if worker is None:
                await self._adopt(found)
            elif worker.reference:
                await self._look_after(worker, found, tasks)
        self._end_leftovers({found.launch.id for found in live}, tasks)

    async def _adopt(self, found: LiveLaunch) -> None:
        """A launch of an earlier process, or one whose loss could not be written down."""
        launch = found.launch
        worker = Worker(
            workspace=found.workspace,
            ticket=found.ticket,
            session=found.session,
            launch=launch.id,
            fence=launch.fence,
            reference=launch.reference,
            heard_at=self.clock.monotonic(),
        )
        if launch.reference and await self.runner.running(launch.reference):
            self._workers[launch.id] = worker
            self._idle.clear()
            log.info("launch.adopted", launch=launch.id)
            return
        await self._lose(worker, await self._loss_of(launch, blameless=not self._adopted))

    async def _loss_of(self, launch: Launch, *, blameless: bool) -> Loss:
        if not launch.reference:
            return Loss(detail="The worker was never started.", blameless=True)
        words = await self.runner.last_words(launch.reference)
        detail = "The bot was started again, and the worker was gone." if blameless else "The worker was gone."
        return Loss(detail=detail, last_words=self._scrubber.text(words), blameless=blameless)

    async def _look_after(self, worker: Worker, found: LiveLaunch, tasks: asyncio.TaskGroup) -> None:
        now = self.clock.monotonic()
        worker.waiting = found.waiting
        if not found.launch.reference:
            await self._note_reference(worker)
        if worker.heard != found.seen_at:
            worker.heard, worker.heard_at = found.seen_at, now
        if worker.news != (found.last_input, found.over):
            # Whoever said it has woken the worker's poll, unless that was lost on its way from another replica.
            worker.news = found.last_input, found.over
            await wake(self.signals, {inputs_topic(worker.session)})
        if not found.over and found.stopping_since is None:
            worker.ending_since = None
            overdue = now - worker.heard_at > self.engine.silent_s
        else:
            overdue = self._overdue(worker)
        if overdue:
            self._stop_soon(worker, tasks)

    def _end_leftovers(self, live: set[LaunchId], tasks: asyncio.TaskGroup) -> None:
        """Workers whose launch has ended should be gone in a moment; those that stay are stopped."""
        for worker in list(self._workers.values()):
            if worker.reference and worker.launch not in live and self._overdue(worker):
                self._stop_soon(worker, tasks)

    def _overdue(self, worker: Worker) -> bool:
        if worker.ending_since is None:
            worker.ending_since = self.clock.monotonic()
        return self.clock.monotonic() - worker.ending_since >= self.engine.stop_grace_s

    def _stop_soon(self, worker: Worker, tasks: asyncio.TaskGroup) -> None:
        if not worker.stopping:
            worker.stopping = True
            log.info("worker.stopped", launch=worker.launch)
            tasks.create_task(self._alone(worker, self._stop(worker)), name=f"stop:{worker.launch}")

    def _forgive_silence(self) -> None:
        """Without the database no worker can be heard."""
        for worker in self._workers.values():
            worker.heard_at = self.clock.monotonic()

    # ends
    async def _stop(self, worker: Worker) -> None:
        try:
            await self.runner.stop(worker.reference, grace_s=self.engine.stop_grace_s)
        except RunnerUnavailable as error:
            log.warning("worker.unstoppable", launch=worker.launch, detail=error.detail)
            worker.stopping = False
        else:
            await self._ended(worker.reference)

    async def _ended(self, reference: str) -> None:
        """A worker's process is gone."""
        worker = next((known for known in self._workers.values() if known.reference == reference), None)
        if worker is None:
            if any(not starting.reference for starting in self._workers.values()):
                self._ended_early.add(reference)
            return
        words = self._scrubber.text(await self.runner.last_words(reference))
        detail = "The worker ended without saying why."
        await self._lose(worker, Loss(detail=detail, last_words=words, blameless=self._draining))

    async def _lose(self, worker: Worker, loss: Loss) -> None:
        """The worker is gone; written down where it has not said so itself."""
        try:
            async with changing(self.ledger, self.signals, worker.workspace, worker.ticket) as book:
                lost = await declare_lost(book, worker.launch, worker.session, worker.fence, loss)
            if lost:
                log.warning("launch.lost", launch=worker.launch, session=worker.session, blameless=loss.blameless)
        except Unavailable as error:
            # It stays alive in the database, and the next sweep finds it without a worker.
            log.warning("launch.loss_unwritten", launch=worker.launch, part=error.part)
        except Exception:
            log.exception("launch.loss_unwritten", launch=worker.launch)
        finally:
            self._forget(worker)
        await wake(self.signals, {SESSIONS_TOPIC})

    def _forget(self, worker: Worker) -> None:
        self._workers.pop(worker.launch, None)
        if not self._workers:
            self._idle.set()
