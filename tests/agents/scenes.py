"""What a scripted model says and does, one step for each request of the agent."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Words, and the end of the turn."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a tool.

    `tool` is its name as offered, or the end of it after a separator, since agents put prefixes of their own before
    the tools of MCP servers: `write_document` finds `mcp__viberator__write_document`.
    """

    tool: str
    arguments: Mapping[str, object]
    saying: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """Words that begin and never end: the stream stays open until the agent hangs up."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """The provider answers with an error of this HTTP status."""

    status: int
    message: str


Step = Say | Call | Stall | Refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    cue: str
    steps: tuple[Step, ...]
