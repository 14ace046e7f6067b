from collections.abc import Sequence
from pathlib import Path

import pytest
from acp.schema import ContentToolCallContent, FileEditToolCallContent, TextContentBlock, ToolCallLocation
from acp.schema import ToolCallProgress as Progress
from acp.schema import ToolCallStart as Start
from acp.schema import ToolCallUpdate as Asked

from runners.worker.toolcalls import Content, Report, ToolCall, fold, interrupted

ROOT = Path("/w/workspace")


def start(**fields: object) -> Start:
    return Start.model_validate({"sessionUpdate": "tool_call", "toolCallId": "t", "title": "Run", **fields})


def progress(**fields: object) -> Progress:
    return Progress.model_validate({"sessionUpdate": "tool_call_update", "toolCallId": "t", **fields})


def test_what_is_not_said_again_stays() -> None:
    call = fold(None, start(kind="execute", rawInput={"command": "ls"}), root=ROOT)
    call = fold(call, progress(status="in_progress"), root=ROOT)
    call = fold(call, progress(status="completed", rawOutput="README"), root=ROOT)
    event = call.event
    assert (event.title, event.tool, event.status, event.input, event.output) == (
        "Run",
        "execute",
        "completed",
        "ls",
        "README",
    )
    assert not call.open


def test_an_update_of_a_call_nobody_has_announced_begins_it() -> None:
    call = fold(None, progress(title="Edit", status="in_progress"), root=ROOT)
    assert (call.event.title, call.event.status, call.open) == ("Edit", "running", True)


def test_paths_are_told_from_the_workspace() -> None:
    call = fold(
        None,
        start(
            locations=[ToolCallLocation(path="/w/workspace/src/a.py"), ToolCallLocation(path="/etc/hosts")],
            content=[
                FileEditToolCallContent(type="diff", path="/w/workspace/src/a.py", old_text="1\n", new_text="2\n")
            ],
        ),
        root=ROOT,
    )
    assert call.event.locations == ("src/a.py", "/etc/hosts")
    assert [(c.path, c.added, c.removed) for c in call.event.changes] == [("src/a.py", 1, 1)]


def text(words: str) -> list[Content]:
    return [ContentToolCallContent(type="content", content=TextContentBlock(type="text", text=words))]


@pytest.mark.parametrize("status", ["in_progress", "completed", "failed"])
def test_text_content_is_the_output(status: str) -> None:
    assert fold(None, start(status=status, content=text("42 passed")), root=ROOT).event.output == "42 passed"


def test_the_same_request_has_the_same_digest_and_another_input_has_not() -> None:
    def asked(command: str) -> str:
        report = Asked(tool_call_id=command, title="Run", kind="execute", raw_input={"command": command, "cwd": "/"})
        return fold(None, report, root=ROOT).digest

    assert asked("ls") == asked("ls")
    assert asked("ls") != asked("rm")


def as_kimi_asks(command: str) -> list[Report]:
    """A call, the request about it, its start and its end, as Kimi Code 2.1.0 tells them."""
    run = start(title="Bash", kind="execute", status="pending", content=text(f'{{"command": "{command}"}}'))
    ask = Asked(tool_call_id="t", title="Bash", content=text(f"Requesting approval to Running: {command}"))
    given, told = {"command": command}, text(f'{{"command":"{command}"}}')
    begun = progress(title=f"Running: {command}", status="in_progress", rawInput=given, content=told)
    return [run, ask, begun, progress(status="completed", content=text("done"), rawOutput="done")]


def folded(reports: Sequence[Report]) -> ToolCall:
    call: ToolCall | None = None
    for report in reports:
        call = fold(call, report, root=ROOT)
    assert call is not None
    return call


def test_input_that_comes_as_text_before_the_call_runs_is_its_input() -> None:
    asked = folded(as_kimi_asks("ls")[:2])
    assert (asked.event.title, asked.event.input, asked.event.output) == ("Bash", "ls", "")
    assert asked.digest == folded(as_kimi_asks("ls")[:2]).digest != folded(as_kimi_asks("rm -rf x")[:2]).digest
    assert asked.digest == folded(as_kimi_asks("ls")[:3]).digest


def test_input_told_as_text_is_no_output() -> None:
    begun, ended = folded(as_kimi_asks("ls")[:3]), folded(as_kimi_asks("ls"))
    assert (begun.event.title, begun.event.input, begun.event.output) == ("Running: ls", "ls", "")
    assert (ended.event.input, ended.event.output) == ("ls", "done")


@pytest.mark.parametrize(
    "reports",
    [
        [Asked(tool_call_id="t", title="Bash", kind="execute")],
        [Asked(tool_call_id="t", title="Bash", kind="execute", content=text("May I run something?"))],
        [start(kind="execute", rawInput={}), Asked(tool_call_id="t")],
    ],
)
def test_a_call_whose_input_is_not_known_has_no_digest_that_another_could_have(reports: Sequence[Report]) -> None:
    assert folded(reports).digest == ""


def test_tools_that_agents_have_from_us_are_told_in_words() -> None:
    called = fold(None, start(title="mcp__viberator__report", kind="other"), root=ROOT)
    assert called.event.title == "Report what was done"


def test_what_a_request_says_takes_no_change_away_and_is_no_output() -> None:
    edit = FileEditToolCallContent(type="diff", path="a.py", old_text="1\n", new_text="2\n")
    told = fold(None, start(kind="edit", content=[edit]), root=ROOT)
    asked = fold(told, Asked(tool_call_id="t", content=text("May I edit a.py?")), root=ROOT)
    assert asked == told


def test_another_change_has_another_digest_though_the_input_is_the_same() -> None:
    def asked(new: str) -> str:
        edit = FileEditToolCallContent(type="diff", path="a.py", old_text="1\n", new_text=new)
        return fold(None, start(kind="edit", rawInput={"path": "a.py"}, content=[edit]), root=ROOT).digest

    assert asked("2\n") == asked("2\n")
    assert asked("2\n") != asked("3\n")


def test_a_request_that_holds_only_the_id_is_known_by_what_was_told_before() -> None:
    told = fold(None, start(kind="execute", rawInput={"command": "ls"}), root=ROOT)
    asked = fold(told, Asked(tool_call_id="t"), root=ROOT)
    assert asked == told


def test_an_interrupted_call_is_open_no_more() -> None:
    call = interrupted(fold(None, start(), root=ROOT))
    assert (call.event.status, call.open) == ("interrupted", False)
