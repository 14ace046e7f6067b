"""git in a repository that somebody else has written in.

GitPython is the bot's; here a command must be cancelled, limited in time and ended with all it started. No hook, no
configuration but ours and the repository's own, no prompt, no pager, no editor. What a repository's own configuration can
still start (a filter, say) runs as the agent's user, without the launch token: it gains nothing that the agent has not.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runners.worker.cleaning import end
from runners.worker.errors import GitFailed

TIME_LIMIT_S = 600.0

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.quotePath=false",
    "commit.gpgSign=false",
    "diff.external=",
    "gc.auto=0",
    "init.defaultBranch=main",
    "maintenance.auto=false",
    "protocol.allow=never",
    "protocol.file.allow=always",
    "safe.directory=*",
    "submodule.recurse=false",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """git, run in `directory` with `environment` and nothing else."""

    directory: Path
    environment: Mapping[str, str]

    async def __call__(self, *arguments: str, more: Mapping[str, str] | None = None, text: str = "") -> str:
        """The command's output without its last line end; `text` is its input. Raises `GitFailed`."""
        child = await asyncio.create_subprocess_exec(
            *self._command(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.directory,
            env={**self.environment, **_QUIET, **(more or {})},
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(TIME_LIMIT_S):
                output, words = await child.communicate(text.encode())
        finally:
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)
                await child.wait()
        if child.returncode != 0:
            raise GitFailed(arguments[0], child.returncode or 0, end(words.decode(errors="replace").strip(), 2_000))
        return output.decode(errors="replace").removesuffix("\n")

    async def succeeds(self, *arguments: str) -> bool:
        """Whether the command says yes."""
        try:
            await self(*arguments)
        except GitFailed:
            return False
        return True

    def _command(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        settings = (part for setting in _SETTINGS for part in ("-c", setting))
        return ("git", *settings, *arguments)


_QUIET = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": "true",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C.UTF-8",
}
