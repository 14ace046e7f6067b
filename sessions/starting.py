"""Starting a claimed session's worker: its mirror brought up to date, then the runner's turn."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from sessions.errors import RunnerUnavailable
from sessions.losses import Loss
from sessions.models import Failure, FailureKind
from sessions.ports import Claim, Clock, LaunchOrder, Mirrors, RepositoryUnusable, Runner, Unavailable
from sessions.scrubbing import Scrubber

log = structlog.get_logger()

LONGEST_PAUSE_S = 60.0


@dataclass(slots=True, kw_only=True, eq=False)
class Pause:
    """How long a runner that starts nothing is left alone: 1, 2, 4 … seconds, until it starts something again."""

    clock: Clock
    _refusals: int = 0
    _until: float = 0.0

    @property
    def left_s(self) -> float:
        return max(0.0, self._until - self.clock.monotonic())

    def refused(self) -> None:
        pause_s = min(LONGEST_PAUSE_S, 2.0**self._refusals)
        self._refusals += 1
        self._until = self.clock.monotonic() + pause_s
        log.warning("runner.unavailable", pause_s=pause_s)

    def started(self) -> None:
        self._refusals = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """Starts workers below `directory`, that call back on `socket`."""

    runner: Runner
    mirrors: Mirrors
    socket: Path
    directory: Path
    scrubber: Scrubber
    pause: Pause

    async def start(self, claim: Claim, token: str, *, wanted: Callable[[], bool]) -> str | Loss:
        """The runner's reference of the worker, or why there is none. Whether it is still `wanted` is asked last."""
        try:
            order = await self._order(claim, token)
            if not wanted():
                return Loss(detail="The bot was shut down before the worker was started.", blameless=True)
            reference = await self.runner.launch(order)
        except RepositoryUnusable as error:
            return _failed(FailureKind.REPOSITORY, self.scrubber.text(error.detail))
        except RunnerUnavailable as error:
            self.pause.refused()
            return Loss(detail=self.scrubber.text(error.detail))
        except Unavailable as error:
            return Loss(detail=f"The {error.part} could not be reached.")
        except Exception:
            log.exception("launch.failed", launch=claim.launch.id)
            return _failed(FailureKind.INTERNAL, "The worker could not be started; the log says why.")
        self.pause.started()
        return reference

    async def _order(self, claim: Claim, token: str) -> LaunchOrder:
        project = claim.project
        mirror = await self.mirrors.refresh(project.repository)
        await self.mirrors.resolve(project.repository, claim.ticket.base_branch or project.branch)
        return LaunchOrder(
            launch=claim.launch.id,
            session=claim.session.id,
            token=token,
            socket=self.socket,
            directory=self.directory / str(claim.session.id),
            mirror=mirror,
        )


def _failed(kind: FailureKind, detail: str) -> Loss:
    return Loss(detail=detail, failure=Failure(kind=kind, detail=detail))
