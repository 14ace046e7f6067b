from pathlib import Path

import pytest
from acp.schema import FileEditToolCallContent
from acp.schema import ToolCallStart as Start

from runners.worker.permits import in_full, is_own_tool
from runners.worker.toolcalls import ToolCall, fold

ROOT = Path("/w/workspace")


def call(**fields: object) -> ToolCall:
    report = Start.model_validate({"sessionUpdate": "tool_call", "toolCallId": "t", "title": "Run", **fields})
    return fold(None, report, root=ROOT)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"command": "make && make install"}, "make && make install"),
        ({"command": ["sh", "-c", "rm -rf x"]}, "sh -c 'rm -rf x'"),
        ({"command": "ls", "cwd": "/etc"}, "command: ls\ncwd: /etc"),
        ({"path": "a", "content": "1\ncwd: 2"}, "path: a\ncontent: \n    1\n    cwd: 2"),
        ({"count": 3, "deep": {"a": [1]}}, 'count: 3\ndeep: {"a": [1]}'),
        ([1, 2], "[1, 2]"),
        ("anything", "anything"),
        (None, ""),
    ],
)
def test_all_of_the_input_is_shown_readably(given: object, shown: str) -> None:
    assert in_full(call(rawInput=given), ROOT) == shown


def test_the_whole_change_is_shown_and_what_it_shows_is_not_shown_twice() -> None:
    new = "".join(f"{n}\n" for n in range(1000))
    edit = FileEditToolCallContent(type="diff", path="/w/workspace/a.txt", old_text="", new_text=new)
    shown = in_full(call(content=[edit], rawInput={"path": "a.txt", "content": new, "mode": "0755"}), ROOT)
    assert shown.startswith("a.txt\n@@ ")
    assert shown.endswith("\n+999\n\nmode: 0755")
    assert shown.count("\n+") == 1000


@pytest.mark.parametrize(
    ("title", "kind", "own"),
    [
        ("mcp__viberator__write_document", "other", True),
        ("mcp__viberator__ask_human", None, True),
        ("mcp__viberator__rm", "other", False),
        ("mcp__elsewhere__write_document", "other", False),
        ("mcp__viberator__report; rm -rf /", "other", False),
        ("mcp__viberator__report", "execute", False),
    ],
)
def test_only_our_own_tools_are_known_as_ours(title: str, kind: str | None, *, own: bool) -> None:
    assert is_own_tool(call(title=title, kind=kind)) is own


def test_a_title_that_comes_later_makes_no_tool_ours() -> None:
    first = call(title="Bash", kind="other")
    report = Start(session_update="tool_call", tool_call_id="t", title="mcp__viberator__report", kind="other")
    assert not is_own_tool(fold(first, report, root=ROOT))
