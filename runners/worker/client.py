"""What the agent may ask of us over ACP: to hear its updates, to decide about its tools, to read a file."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from acp import RequestError
from acp.schema import (
    AllowedOutcome,
    DeniedOutcome,
    PermissionOption,
    ReadTextFileResponse,
    RequestPermissionResponse,
    ToolCallUpdate,
    WriteTextFileResponse,
)

from runners.worker import files, toolcalls
from runners.worker.errors import PathOutside
from runners.worker.narration import Narration, Update
from runners.worker.toolcalls import ToolCall
from sessions.models import Verdict

_WISHES: dict[Verdict, tuple[str, ...]] = {
    Verdict.APPROVE: ("allow_once", "allow_always"),
    Verdict.APPROVE_ALWAYS: ("allow_always", "allow_once"),
    Verdict.REJECT: ("reject_once", "reject_always"),
    Verdict.REQUEST_CHANGES: ("reject_once", "reject_always"),
    Verdict.REJECT_ALWAYS: ("reject_always", "reject_once"),
}


Answer = Verdict | PermissionOption | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The agent waits for a decision. `words` is what the request itself tells people.

    Settle `answer` with a verdict, with one of the options, or with None for «cancelled».
    """

    call: ToolCall
    words: str
    options: tuple[PermissionOption, ...]
    answer: asyncio.Future[Answer]


class Client:
    """The client side of one agent's connection; `ask` is called once for each permission that the agent wants."""

    def __init__(self, narration: Narration, root: Path, ask: Callable[[Ask], None]) -> None:
        self._narration = narration
        self._root = root
        self._ask = ask
        self._waiting: set[asyncio.Future[Answer]] = set()

    async def session_update(self, session_id: str, update: Update, **_: object) -> None:
        self._narration.hear(update)

    async def request_permission(
        self,
        session_id: str,
        tool_call: ToolCallUpdate,
        options: list[PermissionOption],
        **_: object,
    ) -> RequestPermissionResponse:
        """Hold the request until it is decided from outside, however long that takes."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.add(answer)
        try:
            call, words = self._narration.hear_call(tool_call), toolcalls.words(tool_call)
            self._ask(Ask(call=call, words=words, options=tuple(options), answer=answer))
            return chosen(await answer, options)
        finally:
            self._waiting.discard(answer)

    async def read_text_file(
        self,
        session_id: str,
        path: str,
        line: int | None = None,
        limit: int | None = None,
        **_: object,
    ) -> ReadTextFileResponse:
        """A file of the workspace, from line `line` (1 is the first), `limit` lines of it."""
        try:
            text = files.read_inside(self._root, path).decode(errors="replace")
        except (OSError, PathOutside) as error:
            raise RequestError.resource_not_found(path) from error
        begin = max(0, (line or 1) - 1)
        lines = text.splitlines(keepends=True)[begin:]
        return ReadTextFileResponse(content="".join(lines if limit is None else lines[:limit]))

    async def write_text_file(
        self,
        session_id: str,
        path: str,
        content: str,
        **_: object,
    ) -> WriteTextFileResponse:
        """Acknowledged and nothing else: we offer no writing, and who calls this all the same writes the file itself."""
        return WriteTextFileResponse()

    def cancel_asks(self) -> None:
        """Tell the agent of every waiting request that the turn is cancelled, as ACP wants it."""
        for answer in self._waiting:
            if not answer.done():
                answer.set_result(None)


def chosen(answer: Answer, options: list[PermissionOption]) -> RequestPermissionResponse:
    """The option for a verdict, by kind and never by id; cancelled where nothing that means the same is offered."""
    option = answer if isinstance(answer, PermissionOption) else _first(answer, options)
    if option is None:
        return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
    return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=option.option_id))


def _first(verdict: Verdict | None, options: list[PermissionOption]) -> PermissionOption | None:
    for kind in _WISHES[verdict] if verdict is not None else ():
        for option in options:
            if option.kind == kind:
                return option
    return None
