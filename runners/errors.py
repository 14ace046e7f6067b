"""What can go wrong between us and those who work for us; each error carries what an operator needs to read."""

from pathlib import Path


class RunnersError(Exception):
    """The base of everything this package raises."""


class SocketUnusable(RunnersError):
    """The workers' socket cannot be opened there; `advice` is the operator's next step."""

    def __init__(self, path: Path, reason: str, advice: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason
        self.advice = advice


class CallUnreadable(RunnersError):
    """A call's name, number or body is none that can be; of a batch, not even the frames' numbers are known."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BatchTooLarge(RunnersError):
    """More frames came in one call than the protocol allows."""

    def __init__(self, frames: int) -> None:
        super().__init__(frames)
        self.frames = frames


class UploadTooLarge(RunnersError):
    """More came, or was announced, than may be uploaded."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self.limit_bytes = limit_bytes


class GitFailed(RunnersError):
    """git could not tell what was asked; `words` is what it said."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words
