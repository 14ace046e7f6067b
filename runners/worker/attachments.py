"""Files that come in with a ticket or a message, and files that the agent shows to people."""

import mimetypes
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runners.worker import files
from runners.worker.context import Context
from runners.worker.errors import CallRefused, PathOutside
from runners.worker.workspace import NOTES
from sessions.events import FileAttached
from sessions.models import Attachment

FOLDER = Path(NOTES) / "attachments"
LARGEST_BYTES = 20 << 20

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """The files of one session."""

    context: Context

    async def fetch(self, attachments: Iterable[Attachment]) -> list[str]:
        """Bring them into the workspace; answers where each is, and leaves out what cannot be had."""
        places = [await self._fetch(attachment) for attachment in attachments]
        return [place for place in places if place]

    async def show(self, path: str) -> str:
        """Send a file of the workspace to the thread; answers what the agent is told."""
        try:
            content = files.read_inside(self.context.place.workspace, path, limit=LARGEST_BYTES)
        except (OSError, PathOutside):
            return f"There is no plain file of at most {LARGEST_BYTES >> 20} MB at {path} in the repository."
        name = _safe(Path(path).name)
        blob = f"{self.context.saved.turn}-{len(content)}-{name}"
        try:
            await self.context.link.put_blob(blob, content)
        except CallRefused:
            return "The file could not be sent."
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self.context.tell(FileAttached(name=name, blob=blob, media_type=media_type, size_bytes=len(content)))
        return "The file is shown in the thread."

    async def _fetch(self, attachment: Attachment) -> str:
        place = FOLDER / f"{_safe(Path(attachment.blob).name)[-40:]}-{_safe(attachment.name)}"
        target = self.context.place.workspace / place
        if target.exists():
            return str(place)
        try:
            content = await self.context.link.get_blob(attachment.blob)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except (CallRefused, OSError):
            return ""
        return str(place)


def _safe(name: str) -> str:
    return _UNSAFE.sub("-", name).strip(".-")[-80:] or "file"
