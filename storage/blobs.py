"""Blobs in a directory: one file each, put there whole by a rename."""

from pathlib import Path


class DirectoryBlobs:
    """Blobs below `directory`; a name is a path of plain segments, and whatever else it holds is escaped."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def put(self, name: str, source: Path) -> None:
        """Move the file into the store under that name, replacing an older one."""
        raise NotImplementedError

    async def path(self, name: str) -> Path | None:
        """Where the blob can be read; None when there is none."""
        raise NotImplementedError
