"""What a permission is about, written out in full for those who decide, and which permissions nobody needs to decide."""

import json
import shlex
from collections.abc import Collection, Mapping
from pathlib import Path

from runners.worker.patches import patch_lines
from runners.worker.toolcalls import OWN_TOOLS, ToolCall, relative


def is_own_tool(call: ToolCall) -> bool:
    """Whether the agent asks if it may use one of the tools that it has from us."""
    return call.event.tool == "other" and call.name in OWN_TOOLS


def in_full(call: ToolCall, root: Path) -> str:
    """All that would be done: the changes of files as patches, then whatever the input says beside them.

    Empty where the agent has not told. Paths below `root` are told relative to it.
    """
    patches = [
        "\n".join([relative(edit.path, root), *patch_lines(edit.old_text or "", edit.new_text)]) for edit in call.edits
    ]
    told = {
        text for edit in call.edits for text in (edit.path, relative(edit.path, root), edit.old_text, edit.new_text)
    }
    return "\n\n".join(filter(None, [*patches, _readable(call.given, told - {None, ""})]))


def _readable(given: object, told: Collection[str | None]) -> str:
    match given:
        case None:
            return ""
        case str():
            return given
        case {"command": str(command), **rest} if not rest:
            return command
        case {"command": [*parts], **rest} if not rest:
            return _value(parts)
        case dict():
            return _listed({name: value for name, value in given.items() if not _is_in(value, told)})
        case _:
            return _json(given)


def _is_in(value: object, told: Collection[str | None]) -> bool:
    return isinstance(value, str) and value in told


def _listed(values: Mapping[str, object]) -> str:
    return "\n".join(f"{name}: {_value(value)}" for name, value in values.items())


def _value(value: object) -> str:
    """Text as it is, indented where it has several lines, so that it cannot pass for a further value."""
    match value:
        case str():
            return value if "\n" not in value else "\n" + "\n".join(f"    {line}" for line in value.split("\n"))
        case [*parts] if parts and all(isinstance(part, str) for part in parts):
            return shlex.join(map(str, parts))
        case _:
            return _json(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
