"""The agent's tools, from the server that it starts to the worker that answers."""

import stat
from pathlib import Path

import pytest
from mcp.server.mcpserver.exceptions import ToolError

from runners.worker import tools
from runners.worker.toolbox import AskHuman, AttachFile, Call, Report, WriteDocument, open_toolbox

CALLS: dict[str, dict[str, object]] = {
    "ask_human": {"question": "Zero?", "options": ["Zero", "One"]},
    "write_document": {"markdown": "# Plan"},
    "attach_file": {"path": "a.png"},
    "report": {"title": "Fix it", "summary": "Done."},
}


class Worker:
    def __init__(self) -> None:
        self.calls: list[Call] = []

    async def answer(self, call: Call) -> str:
        self.calls.append(call)
        return f"Heard\n{call.tool}."


async def test_every_tool_is_shown_at_once_and_reaches_the_worker(tmp_path: Path) -> None:
    worker = Worker()
    async with open_toolbox(tmp_path, worker.answer) as place:
        server = tools.server(place)
        listed = await server.list_tools()
        assert [tool.name for tool in listed] == list(CALLS)
        assert all(tool.meta == {"anthropic/alwaysLoad": True} for tool in listed)
        for name, arguments in CALLS.items():
            assert await tools.call(place, name, arguments) == f"Heard {name}."
    assert [type(call) for call in worker.calls] == [AskHuman, WriteDocument, AttachFile, Report]


async def test_only_the_owner_may_connect(tmp_path: Path) -> None:
    async with open_toolbox(tmp_path, Worker().answer) as place:
        assert stat.S_IMODE(place.stat().st_mode) == 0o600


async def test_a_directory_with_a_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 120)
    long.mkdir()
    worker = Worker()
    async with open_toolbox(long, worker.answer) as place:
        assert len(bytes(place)) <= 100
        assert await tools.call(place, "attach_file", {"path": "a"}) == "Heard attach_file."


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("ask_human", {"question": ""}), ("ask_human", {}), ("rm", {}), ("write_document", {"markdown": 1})],
)
async def test_a_call_that_cannot_be_read_is_told_so(tmp_path: Path, tool: str, arguments: dict[str, object]) -> None:
    worker = Worker()
    async with open_toolbox(tmp_path, worker.answer) as place:
        assert (await tools.call(place, tool, arguments)).startswith("This call cannot be read")
    assert worker.calls == []


async def test_a_worker_that_is_gone_is_an_error_of_the_tool(tmp_path: Path) -> None:
    with pytest.raises((ToolError, FileNotFoundError)):
        await tools.server(tmp_path / "gone.sock").call_tool("attach_file", {"path": "a"})
