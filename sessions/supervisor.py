"""Keeps the queued sessions of all workspaces running, as many at a time as this engine has room for.

It claims, launches, and watches for the end of every worker it started; a worker that is gone without a last word is
declared lost, and its session goes on with a new one unless that was tried too often. All of it is written down before it
is acted upon, so that the next start of the same engine goes on where a killed one was.
"""

from pathlib import Path

from sessions.ports import Clock, Dispatch, Ids, Ledger, Mirrors, Runner, Signals


class Supervisor:
    """One engine's. `engine` is the stable name under which it finds its own launches after a restart.

    `socket` is where workers call back; each session works below `directory`/<session id>, which outlives its launches.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        dispatch: Dispatch,
        runner: Runner,
        mirrors: Mirrors,
        signals: Signals,
        clock: Clock,
        ids: Ids,
        engine: str,
        socket: Path,
        directory: Path,
        max_sessions: int = 4,
        sweep_s: float = 2.0,
    ) -> None:
        self._ledger = ledger
        self._dispatch = dispatch
        self._runner = runner
        self._mirrors = mirrors
        self._signals = signals
        self._clock = clock
        self._ids = ids
        self._engine = engine
        self._socket = socket
        self._directory = directory
        self._max_sessions = max_sessions
        self._sweep_s = sweep_s

    async def run(self) -> None:
        """Adopt what an earlier process left, then claim, watch and sweep until cancelled."""
        raise NotImplementedError

    async def drain(self, *, grace_s: float = 10.0) -> None:
        """Claim nothing more and stop the workers, which save their work; what was at work is queued for the next start.

        Returns when no worker of ours runs. The callback server must go on serving meanwhile.
        """
        raise NotImplementedError
