"""git in repositories of our own, talking to those of others with the bot's own credential.

Of the bot's environment git sees what it needs to reach a remote (`PASSED`), and nothing else. No hook, monitor or prompt
runs, and only the protocols of the address are spoken.
"""

import asyncio
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from runners.addresses import Address
from runners.children import hear_out

PASSED = frozenset(
    {
        "ALL_PROXY", "CURL_CA_BUNDLE", "GIT_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH", "GIT_SSL_CERT", "GIT_SSL_KEY", "HOME", "HTTPS_PROXY", "HTTP_PROXY", "LOGNAME", "NO_PROXY",
        "PATH", "SSH_AGENT_PID", "SSH_ASKPASS", "SSH_AUTH_SOCK", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "USER",
        "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR",
    }
)  # fmt: skip
PASSED_PREFIX = "GIT_CONFIG_"

_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.quotePath=false",
    "diff.external=",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "init.defaultBranch=main",
    "log.showSignature=false",
    "maintenance.auto=false",
    "push.followTags=false",
    "push.gpgSign=false",
    "push.recurseSubmodules=no",
    "submodule.recurse=false",
)
_QUIET = {
    "GIT_EDITOR": "true",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
}
_HELPER = (
    '!viberator() { test "$1" = get && '
    'printf \'username=%s\\npassword=%s\\n\' "$VIBERATOR_GIT_USER" "$VIBERATOR_GIT_PASSWORD"; }; viberator'
)
# Run by root in place of what would run in somebody else's repository: it becomes that repository's owner first, so that
# neither its hooks run as root nor its files become root's.
_AS_OWNER = (
    "import os, sys; uid, gid, service, path = sys.argv[1:]; os.environ.pop('HOME', None); os.setgroups([]); "
    "os.setgid(int(gid)); os.setuid(int(uid)); os.execvp('git', ['git', service, path])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended: its exit code, its output, and what it wrote besides."""

    code: int
    output: str
    words: str

    @property
    def succeeded(self) -> bool:
        return self.code == 0


@dataclass(frozen=True, slots=True)
class Git:
    """git with the parts of `environment` that it may see. Ends with the time limit or the caller, whichever is first."""

    environment: Mapping[str, str]
    time_limit_s: float = 600.0

    async def __call__(
        self,
        repository: Path | None,
        *arguments: str,
        remote: Address | None = None,
        source: BinaryIO | None = None,
        keep: Sequence[int] = (),
    ) -> Outcome:
        """Run a command in a bare repository of ours, or in none, where `origin` is `remote`; raises `TimeoutError`.

        `source` is read as its input from where it stands; the descriptors `keep` stay open in it for as long as it runs.
        """
        child = await asyncio.create_subprocess_exec(
            "git",
            *(() if repository is None else (f"--git-dir={repository}",)),
            *(part for setting in (*_SETTINGS, *_remote_settings(remote)) for part in ("-c", setting)),
            *arguments,
            stdin=source or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=self._environment(remote),
            pass_fds=keep,
            start_new_session=True,
        )
        output, words = await hear_out(child, limit_s=self.time_limit_s)
        return Outcome(
            code=child.returncode or 0,
            output=output.decode(errors="replace").removesuffix("\n"),
            words=words.decode(errors="replace").strip(),
        )

    def _environment(self, remote: Address | None) -> dict[str, str]:
        passed = {k: v for k, v in self.environment.items() if k in PASSED or k.upper() in PASSED}
        passed |= {k: v for k, v in self.environment.items() if k.startswith(PASSED_PREFIX)}
        if "GIT_SSH_COMMAND" not in passed and "GIT_SSH" not in passed:
            passed["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o ConnectTimeout=20"
        if remote is not None:
            passed["GIT_ALLOW_PROTOCOL"] = remote.protocols
            if remote.password:
                passed |= {"VIBERATOR_GIT_USER": remote.user, "VIBERATOR_GIT_PASSWORD": remote.password}
        return {**passed, **_QUIET}


def _remote_settings(remote: Address | None) -> tuple[str, ...]:
    """`origin` for one command: nothing of it is written where a worker could read it."""
    if remote is None:
        return ()
    settings = [f"remote.origin.url={remote.url}"]
    if remote.password:
        settings += ["credential.helper=", f"credential.helper={_HELPER}"]
    elif remote.user:
        settings.append(f"credential.username={remote.user}")
    if remote.local is not None:
        settings += _services(remote.local)
    return tuple(settings)


def _services(path: Path) -> list[str]:
    """How to serve a repository on this machine that belongs to somebody else; git refuses to do so by itself."""
    try:
        owner = path.stat()
    except OSError:
        return []
    if owner.st_uid == os.geteuid():
        return []
    if os.geteuid() != 0:
        return [f"remote.origin.uploadpack={shlex.join(['git', '-c', f'safe.directory={path}', 'upload-pack'])}"]
    become = [sys.executable, "-I", "-c", _AS_OWNER, str(owner.st_uid), str(owner.st_gid)]
    return [f"remote.origin.{service}={shlex.join([*become, name])}" for service, name in _SERVICES]


_SERVICES = (("uploadpack", "upload-pack"), ("receivepack", "receive-pack"))
