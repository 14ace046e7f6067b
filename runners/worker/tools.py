"""The tools an agent gets from us: `python -I -m runners.worker.tools SOCKET`, an MCP server over standard input and output.

It holds no state, since some agents start it twice, and hands every call to the worker over the socket. No tool waits for
a person: an agent's own limit on a call (60 s with some) would end the wait without the answer.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

from mcp.server.mcpserver import MCPServer
from pydantic import Field

CALL_LIMIT_S = 30.0
LINE_LIMIT_BYTES = 8 << 20

# Claude hides tools behind a search unless they say this.
ALWAYS = {"anthropic/alwaysLoad": True}

Question = Annotated[str, Field(description="One question, with what the person needs to know to answer it.")]
Options = Annotated[list[str], Field(description="The answers to choose from, at most five; empty for a free answer.")]
Markdown = Annotated[str, Field(description="The whole document in Markdown; it replaces what was written before.")]
PathInside = Annotated[str, Field(description="A file in the repository or below it.")]
Title = Annotated[
    str,
    Field(description="What the change does, in the imperative, as the subject of a commit: at most 72 characters."),
]
Summary = Annotated[
    str, Field(description="What was changed and why, in a few sentences, for the commit and its reviewers.")
]


def server(socket: Path) -> MCPServer:
    """The tools; each call is answered by whoever listens on the socket."""
    tools = MCPServer("viberator")

    @tools.tool(meta=ALWAYS)
    async def ask_human(question: Question, options: Options = []) -> str:  # noqa: B006 - read only, and its type is shown
        """Ask the people in the thread a question. Then end your turn: the answer comes as the next message."""
        return await call(socket, "ask_human", {"question": question, "options": options})

    @tools.tool(meta=ALWAYS)
    async def write_document(markdown: Markdown) -> str:
        """Write the document that this phase is to end with (research or plan); people read and approve it."""
        return await call(socket, "write_document", {"markdown": markdown})

    @tools.tool(meta=ALWAYS)
    async def attach_file(path: PathInside) -> str:
        """Show a file to the people in the thread, such as a screenshot or a log."""
        return await call(socket, "attach_file", {"path": path})

    @tools.tool(meta=ALWAYS)
    async def report(title: Title, summary: Summary) -> str:
        """Tell what you have changed, once the work is done; it becomes the message of the commit."""
        return await call(socket, "report", {"title": title, "summary": summary})

    return tools


async def call(socket: Path, tool: str, arguments: dict[str, object]) -> str:
    """Hand one call to the worker, as a line of JSON, and answer with the line that comes back."""
    async with asyncio.timeout(CALL_LIMIT_S):
        reader, writer = await asyncio.open_unix_connection(str(socket), limit=LINE_LIMIT_BYTES)
        try:
            writer.write(json.dumps({"tool": tool, "arguments": arguments}).encode() + b"\n")
            await writer.drain()
            return (await reader.readline()).decode(errors="replace").strip()
        finally:
            writer.close()


def main() -> None:
    server(Path(sys.argv[1])).run("stdio")


if __name__ == "__main__":
    main()
