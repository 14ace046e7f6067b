"""What all parts of one launch share: where it works, what it was told, what it remembers, and its way to the bot."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runners.wire import WireBootstrap
from runners.worker.link import Link
from runners.worker.outbox import Outbox
from runners.worker.saved import Saved, StateFile
from runners.worker.workspace import Author, Source, Workspace
from sessions.events import WorkerFrame
from sessions.models import Failure

Reason = Literal["finished", "stopped", "idle", "failed", "terminated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The session's directory; what the agent keeps is keyed by these paths, so every launch uses the same."""

    root: Path

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def state(self) -> Path:
        return self.root / "state"

    def make(self) -> None:
        """The directories, closed to others."""
        for directory in (self.root, self.home, self.state):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a launch ends, as `WorkerEnded` says it."""

    reason: Reason
    failure: Failure | None = None
    nothing_to_change: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One launch. `saved` changes; `keep` writes it down. `environment` is what every program of the session gets."""

    launch: str
    session: str
    brief: WireBootstrap
    place: Place
    environment: Mapping[str, str]
    saved: Saved
    state: StateFile
    outbox: Outbox
    link: Link

    def keep(self) -> None:
        self.state.write(self.saved)

    def tell(self, frame: WorkerFrame) -> None:
        self.outbox.put(frame)

    def author(self) -> Author:
        return Author(name=self.brief.author_name, email=self.brief.author_email)

    def workspace(self) -> Workspace:
        source = Source(
            mirror=Path(self.brief.mirror),
            base=self.brief.base,
            commit=self.brief.base_commit,
            branch=self.brief.branch,
        )
        return Workspace(self.place.workspace, self.place.state, source, self.author(), self.environment)

    def mark(self, program: str) -> str:
        """By what the processes of one program are found again."""
        return f"VIBERATOR_PROGRAM={self.launch}.{program}"
