"""The launch token, looked for from where the agent is."""

import ast
import asyncio
import os
import subprocess
import sys

from runners.worker.order import Order
from sessions.events import TurnEnded
from tests.fake_bot import TOKEN
from tests.stage import PATH, Stage, stage

# A test that runs as root gives up root's rights for worker and agent both: nothing on a machine hides from these.
WITHOUT_RIGHTS = """
import ctypes, os, sys
for right in range(64):
    ctypes.CDLL(None).prctl(24, right, 0, 0, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
LOOK = r"""
import os, re
worker = os.getppid()
while b"runners.worker" not in open(f"/proc/{worker}/cmdline", "rb").read():
    worker = int(re.search(r"PPid:\s+(\d+)", open(f"/proc/{worker}/status").read()).group(1))
def look(what):
    try:
        return what()
    except OSError as error:
        return type(error).__name__.encode()
def memory():
    found = b""
    for line in open(f"/proc/{worker}/maps"):
        begin, end = (int(part, 16) for part in line.split()[0].split("-"))
        with open(f"/proc/{worker}/mem", "rb") as file:
            file.seek(begin)
            found += file.read(end - begin)
    return found
def descriptors(owner):
    found = b""
    for name in os.listdir(f"/proc/{owner}/fd"):
        found += os.readlink(f"/proc/{owner}/fd/{name}").encode()
    return found
print({
    "environ": look(lambda: open(f"/proc/{worker}/environ", "rb").read()),
    "cmdline": look(lambda: open(f"/proc/{worker}/cmdline", "rb").read()),
    "descriptors": look(lambda: descriptors(worker)),
    "memory": look(memory),
    "own": repr(dict(os.environ)).encode(),
})
"""
REFUSED = b"PermissionError"


async def test_the_agent_cannot_read_the_launch_token() -> None:
    async with stage() as on:
        on.script([{"python": LOOK}])
        worker = start_without_rights(on)
        await on.sees(TurnEnded)
        [seen] = on.found("output")
        found = ast.literal_eval(seen)
        assert [found[name] for name in ("environ", "descriptors", "memory")] == [REFUSED] * 3
        assert b"runners.worker" in found["cmdline"]
        assert TOKEN not in seen
        assert await asyncio.to_thread(worker.wait, 30) == 0
        files = [path for path in on.directory.rglob("*") if path.is_file() and not path.is_symlink()]
        assert not [path for path in files if TOKEN.encode() in path.read_bytes()]


def start_without_rights(on: Stage) -> "subprocess.Popen[bytes]":
    """What the process runner does, for a worker with no more rights than its user has."""
    order = Order(launch=str(on.launch), session="s", token=TOKEN, socket=on.bot.socket, directory=on.directory)
    reading, writing = os.pipe()
    os.write(writing, order.model_dump_json().encode())
    os.close(writing)
    worker = ("-I", "-m", "runners.worker", str(reading), str(os.getpid()))
    try:
        return subprocess.Popen(
            [sys.executable, "-c", WITHOUT_RIGHTS, *worker],
            pass_fds=(reading,),
            env={"PATH": PATH},
            start_new_session=True,
        )
    finally:
        os.close(reading)
