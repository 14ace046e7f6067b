"""Tool calls as the agent tells them, bit by bit: each is known by its id, and what is not said again stays as it was."""

import hashlib
import json
from collections.abc import Mapping, Sequence
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

OWN_TOOLS: Mapping[str, str] = {
    "mcp__viberator__ask_human": "Ask a question",
    "mcp__viberator__write_document": "Write the document",
    "mcp__viberator__attach_file": "Show a file",
    "mcp__viberator__report": "Report what was done",
}
"""The tools that agents have from us, by the names that some give them, and what people read instead.

Names differ from agent to agent; these are those of agents that cannot be told beforehand to ask nobody about them.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """What is known of one call. `event` shows it, and what is long is cut there.

    `name` is the first title: some agents begin with the tool's name and say later what it does. `given` is the whole
    input, None while it is not known, and `exact` whether the agent has said it as such, and not only as text.
    """

    event: ToolCalled
    name: str = ""
    given: object = None
    exact: bool = False
    edits: tuple[FileEditToolCallContent, ...] = ()

    @property
    def open(self) -> bool:
        return self.event.status in _OPEN

    @property
    def digest(self) -> str:
        """The sha256 hex of the tool and its whole input, by which a repeat is recognised.

        Empty where the input is not known: two such calls may be anything, and what was said of one is not said of the other.
        """
        if not self.given and not self.edits:
            return ""
        edits = [edit.model_dump(mode="json") for edit in self.edits]
        whole = json.dumps([self.event.tool, self.name, self.given, edits], sort_keys=True, default=str)
        return hashlib.sha256(whole.encode(errors="replace")).hexdigest()


def fold(known: ToolCall | None, report: Report, *, root: Path) -> ToolCall:
    """The call after the report. Paths below `root` are told relative to it."""
    call = known if known is not None else ToolCall(event=_unknown(report))
    before, given_before = call.event, call.given
    name = call.name or one_line(report.title or "", TITLE_CHARS)
    title = one_line(report.title, TITLE_CHARS) if report.title else before.title
    status = _STATUS[report.status] if report.status else before.status
    call = _with_input(replace(call, name=name), report, status)
    edits = _edits(report, call)
    event = replace(
        before,
        title=OWN_TOOLS.get(title, title),
        tool=report.kind or before.tool,
        status=status,
        input=before.input if call.given is given_before else beginning(as_text(call.given), INPUT_CHARS),
        output=_output(report, call, status),
        locations=_locations(report.locations, root) if report.locations is not None else before.locations,
        changes=before.changes if edits == call.edits else _changes(edits, root),
    )
    return replace(call, event=event, edits=edits)


def interrupted(call: ToolCall) -> ToolCall:
    """The call as one that nobody will end any more."""
    return replace(call, event=replace(call.event, status="interrupted"))


def closed(call: ToolCall) -> ToolCall:
    """The call without what is only asked about before its end, and may be large."""
    return replace(call, given=None, edits=())


def words(report: Report) -> str:
    """The text that the report shows to people."""
    return "\n".join(filter(None, (_text(content) for content in report.content or ())))


def _unknown(report: Report) -> ToolCalled:
    return ToolCalled(call=report.tool_call_id, title="", tool="other", status="pending")


def _with_input(call: ToolCall, report: Report, status: Status) -> ToolCall:
    """With the input, if the report has it. Before it runs, the text of a call is what some agents tell of its input."""
    if report.raw_input is not None:
        return replace(call, given=report.raw_input, exact=True)
    if not _is_told(report) or status != "pending" or call.exact:
        return call
    return replace(call, given=_read(words(report)) or call.given)


def _is_told(report: Report) -> bool:
    """Whether the call itself is told; what a request for permission says is about the request."""
    return isinstance(report, ToolCallStart | ToolCallProgress)


def _read(text: str) -> object:
    """The text as what it stands for, so that blanks in JSON make no difference."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict | list) else text


def _output(report: Report, call: ToolCall, status: Status) -> str:
    if not _is_told(report) or status == "pending":
        return call.event.output
    said = words(report)
    if status == "running" and said and _read(said) == call.given:
        said = ""
    if not said and report.raw_output is not None:
        said = as_text(report.raw_output)
    return end(said, OUTPUT_CHARS) if said else call.event.output


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


def _edits(report: Report, call: ToolCall) -> tuple[FileEditToolCallContent, ...]:
    if report.content is None:
        return call.edits
    edits = tuple(content for content in report.content if isinstance(content, FileEditToolCallContent))
    return edits if edits or _is_told(report) else call.edits


def _changes(edits: Sequence[FileEditToolCallContent], root: Path) -> tuple[FileChange, ...]:
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
