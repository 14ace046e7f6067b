"""Tool calls as the agent tells them, bit by bit: each is known by its id, and what is not said again stays as it was."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, assert_never

from acp.schema import (
    ContentToolCallContent,
    FileEditToolCallContent,
    TerminalToolCallContent,
    TextContentBlock,
    ToolCallLocation,
    ToolCallProgress,
    ToolCallStart,
    ToolCallUpdate,
)

from runners.worker.cleaning import as_text, beginning, end, one_line
from runners.worker.patches import file_change
from sessions.events import FileChange, ToolCalled

TITLE_CHARS = 200
INPUT_CHARS = 4_000
OUTPUT_CHARS = 8_000
LOCATIONS = 20
CHANGES = 50

Report = ToolCallStart | ToolCallProgress | ToolCallUpdate
Content = ContentToolCallContent | FileEditToolCallContent | TerminalToolCallContent
Status = Literal["pending", "running", "completed", "failed", "interrupted"]

_STATUS: dict[str, Status] = {
    "pending": "pending",
    "in_progress": "running",
    "completed": "completed",
    "failed": "failed",
}
_OPEN = ("pending", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """What is known of one call: the event that shows it, and the sha256 hex of its tool and whole input."""

    event: ToolCalled
    digest: str = ""

    @property
    def open(self) -> bool:
        return self.event.status in _OPEN


def fold(known: ToolCall | None, report: Report, *, root: Path) -> ToolCall:
    """The call after the report. Paths below `root` are told relative to it."""
    before = known.event if known is not None else _unknown(report)
    event = replace(
        before,
        title=one_line(report.title, TITLE_CHARS) if report.title else before.title,
        tool=report.kind or before.tool,
        status=_STATUS[report.status] if report.status else before.status,
        input=_input(report, before),
        output=_output(report, before),
        locations=_locations(report.locations, root) if report.locations is not None else before.locations,
        changes=_changes(report.content, root) if report.content is not None else before.changes,
    )
    return ToolCall(event=event, digest=_digest(report, event, known.digest if known is not None else ""))


def interrupted(call: ToolCall) -> ToolCall:
    """The call as one that nobody will end any more."""
    return replace(call, event=replace(call.event, status="interrupted"))


def _unknown(report: Report) -> ToolCalled:
    return ToolCalled(call=report.tool_call_id, title="", tool="other", status="pending")


def _input(report: Report, before: ToolCalled) -> str:
    return before.input if report.raw_input is None else beginning(as_text(report.raw_input), INPUT_CHARS)


def _output(report: Report, before: ToolCalled) -> str:
    said = "\n".join(filter(None, (_text(content) for content in report.content or ())))
    if not said and report.raw_output is not None:
        said = as_text(report.raw_output)
    return end(said, OUTPUT_CHARS) if said else before.output


def _text(content: Content) -> str:
    match content:
        case ContentToolCallContent(content=TextContentBlock(text=text)):
            return text
        case ContentToolCallContent() | FileEditToolCallContent() | TerminalToolCallContent():
            return ""
        case _:
            assert_never(content)


def _locations(locations: Sequence[ToolCallLocation], root: Path) -> tuple[str, ...]:
    return tuple(relative(location.path, root) for location in locations[:LOCATIONS])


def _changes(contents: Sequence[Content], root: Path) -> tuple[FileChange, ...]:
    edits = [content for content in contents if isinstance(content, FileEditToolCallContent)]
    return tuple(
        file_change(
            relative(edit.path, root), beginning(edit.old_text or "", 1 << 20), beginning(edit.new_text, 1 << 20)
        )
        for edit in edits[:CHANGES]
    )


def relative(path: str, root: Path) -> str:
    """The path as people know it: below the workspace without the workspace's own place."""
    inside = path.removeprefix(f"{root}/")
    return one_line(inside, 300)


def _digest(report: Report, event: ToolCalled, before: str) -> str:
    edits = [c.model_dump(mode="json") for c in report.content or () if isinstance(c, FileEditToolCallContent)]
    said = report.raw_input if report.raw_input is not None else edits or None
    if said is None and before:
        return before
    whole = json.dumps([event.tool, event.title, said], sort_keys=True, default=str)
    return hashlib.sha256(whole.encode(errors="replace")).hexdigest()
