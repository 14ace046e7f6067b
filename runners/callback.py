"""The server side of the worker protocol of `runners.wire`: aiohttp over a unix socket.

server = CallbackServer(desk, blobs, mirrors, spool=data_dir / "spool")
await server.start(socket_path)
…
await server.close()
"""

from dataclasses import dataclass
from pathlib import Path

from sessions.models import SessionId
from sessions.ports import Blobs, Mirrors, WorkerDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackLimits:
    """What one call may ask of us, in bytes and seconds."""

    blob_bytes: int = 1 << 30
    wait_s: float = 50.0


def blob_name(session: SessionId, name: str) -> str:
    """The name in the store of what a worker of the session calls `name`."""
    return f"{session}/{name}"


class CallbackServer:
    """Serves `desk` to workers. `spool` is a directory of our own on the file system of the blobs, for uploads."""

    def __init__(
        self,
        desk: WorkerDesk,
        blobs: Blobs,
        mirrors: Mirrors,
        *,
        spool: Path,
        limits: CallbackLimits = CallbackLimits(),
    ) -> None:
        self._desk = desk
        self._blobs = blobs
        self._mirrors = mirrors
        self._spool = spool
        self._limits = limits

    async def start(self, socket_path: Path) -> None:
        """Listen on the socket (mode 0600), replacing a stale one; raises `SocketUnusable`."""
        raise NotImplementedError

    async def close(self) -> None:
        """Answer what is under way, end the long polls, and remove the socket."""
        raise NotImplementedError
