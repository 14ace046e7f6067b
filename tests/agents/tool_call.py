"""One call of an MCP tool: `python tool_call.py COMMAND ARGUMENTS TOOL VALUES`, all but the first and third as JSON."""

import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main(command: str, arguments: str, tool: str, values: str) -> None:
    parameters = StdioServerParameters(command=command, args=json.loads(arguments))
    async with stdio_client(parameters) as (reader, writer), ClientSession(reader, writer) as tools:
        await tools.initialize()
        answer = await tools.call_tool(tool, json.loads(values))
        print("".join(getattr(content, "text", "") for content in answer.content))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
