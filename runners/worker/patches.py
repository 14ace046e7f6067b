"""What a tool call changed in a file, from the text before and after, within bounds of time and size."""

import difflib
from itertools import takewhile

from sessions.events import FileChange

COMPARED_LINES = 400
"""Beyond this many lines between the first and the last difference, the lines count as replaced one and all."""

SHOWN_LINES = 120
CONTEXT_LINES = 3


def file_change(path: str, before: str, after: str) -> FileChange:
    """The change of one file; its patch has at most `SHOWN_LINES` lines, and `patch_cut` says how many are missing."""
    lines = patch_lines(before, after)
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    shown = lines[:SHOWN_LINES]
    return FileChange(
        path=path, added=added, removed=removed, patch="\n".join(shown), patch_cut=max(0, len(lines) - SHOWN_LINES)
    )


def patch_lines(before: str, after: str) -> list[str]:
    """The whole of a change as the lines of a unified diff, without its two headers."""
    return _hunks(before.splitlines(), after.splitlines())


def _hunks(old: list[str], new: list[str]) -> list[str]:
    """A unified diff without its two headers. Equal ends are set aside first: difflib is quadratic in what is left."""
    head = _equal(old, new)
    tail = _equal(old[head:][::-1], new[head:][::-1])
    left, right = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(left) + len(right) > COMPARED_LINES:
        mark = f"@@ -{head + 1},{len(left)} +{head + 1},{len(right)} @@"
        return [mark, *(f"-{line}" for line in left), *(f"+{line}" for line in right)]
    begin, end = max(0, head - CONTEXT_LINES), min(tail, CONTEXT_LINES)
    around = slice(begin, len(old) - tail + end), slice(begin, len(new) - tail + end)
    return list(difflib.unified_diff(old[around[0]], new[around[1]], lineterm="", n=CONTEXT_LINES))[2:]


def _equal(first: list[str], second: list[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))
