"""Keeps the queued sessions of all workspaces running, as many at a time as this engine has room for.

It claims, launches, and watches for the end of every worker it started; a worker that is gone without a last word is
declared lost, and its session goes on with a new one unless that was tried too often. All of it is written down before it
is acted upon, so that the next start of the same engine goes on where a killed one was.
"""

from dataclasses import dataclass
from pathlib import Path

from sessions.ports import Clock, Dispatch, Ids, Ledger, Mirrors, Runner, Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Where and how much one engine runs. By its `name`, which is stable, it finds its launches after a restart.

    Workers call back on `socket`; each session works below `directory`/<session id>, which outlives its launches. Every
    `sweep_s` seconds it looks for work even if nothing woke it.
    """

    name: str
    socket: Path
    directory: Path
    max_sessions: int = 4
    sweep_s: float = 2.0
    stop_grace_s: float = 10.0
    silent_s: float = 300.0


@dataclass(slots=True, kw_only=True)
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

    async def run(self) -> None:
        """Adopt what an earlier process left, then claim, watch and sweep until cancelled."""
        raise NotImplementedError

    async def drain(self) -> None:
        """Claim nothing more and stop the workers, which save their work; what was at work is queued for the next start.

        Returns when no worker of ours runs. The callback server must go on serving meanwhile.
        """
        raise NotImplementedError
