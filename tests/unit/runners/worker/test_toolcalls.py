from pathlib import Path

from acp.schema import ContentToolCallContent, FileEditToolCallContent, TextContentBlock, ToolCallLocation
from acp.schema import ToolCallProgress as Progress
from acp.schema import ToolCallStart as Start
from acp.schema import ToolCallUpdate as Asked

from runners.worker.toolcalls import fold, interrupted

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


def test_text_content_is_the_output() -> None:
    content = ContentToolCallContent(type="content", content=TextContentBlock(type="text", text="42 passed"))
    assert fold(None, start(content=[content]), root=ROOT).event.output == "42 passed"


def test_the_same_request_has_the_same_digest_and_another_input_has_not() -> None:
    def asked(command: str) -> str:
        report = Asked(tool_call_id=command, title="Run", kind="execute", raw_input={"command": command, "cwd": "/"})
        return fold(None, report, root=ROOT).digest

    assert asked("ls") == asked("ls")
    assert asked("ls") != asked("rm")


def test_a_request_that_holds_only_the_id_is_known_by_what_was_told_before() -> None:
    told = fold(None, start(kind="execute", rawInput={"command": "ls"}), root=ROOT)
    asked = fold(told, Asked(tool_call_id="t"), root=ROOT)
    assert asked == told


def test_an_interrupted_call_is_open_no_more() -> None:
    call = interrupted(fold(None, start(), root=ROOT))
    assert (call.event.status, call.open) == ("interrupted", False)
