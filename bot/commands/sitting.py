"""A person's sitting at a terminal's thread, from the thread's opening to the line that says how to come back."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from prompt_toolkit.patch_stdout import patch_stdout

from bot.commands.person import Somebody
from bot.commands.thread import open_thread
from bot.commands.thread_project import Wanted
from bot.settings import Settings, environment
from bot.terminal.lines import Lines
from bot.terminal.platform import Presser, Standing, TerminalSession
from bot.terminal.screen import Interrupted, Screen
from bot.terminal.transcript import Transcript

LOOK_AGAIN_S = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """What the thread is about and who sits at it.

    `greeting` tells a person at a keyboard what this is, while everything starts. `request` is filed where nothing was
    filed yet. A `presser` presses in the person's place. With `ends_when_over` the
    sitting ends with the ticket. `way_back` is the command that opens the thread of a ticket's key again.
    """

    settings: Settings
    wanted: Wanted
    somebody: Somebody
    way_back: Callable[[str], str]
    greeting: str = ""
    request: str = ""
    presser: Presser | None = None
    ends_when_over: bool = False


async def sit(sitting: Sitting) -> Standing:
    """Where the thread stands when the person leaves. With a pipe at either side, it is a plain transcript."""
    return await (_at_keyboard(sitting) if sitting.presser is None and _is_terminal() else _in_pipe(sitting))


def _is_terminal() -> bool:
    able = environment().get("TERM", "dumb") != "dumb"
    return able and sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def parting(key: str, standing: Standing, way_back: Callable[[str], str]) -> str:
    """The last line of a thread that is left."""
    match standing:
        case Standing.NEW:
            return "nothing was asked for"
        case Standing.OVER:
            return f"{key} is over"
        case Standing.FAILED:
            return f"{key} has failed and is kept; go on with: {way_back(key)}"
        case Standing.BUSY:
            return f"{key} rests until you come back: {way_back(key)}"
        case Standing.WAITING:
            return f"{key} waits for you; go on with: {way_back(key)}"


# ── a pipe ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _in_pipe(sitting: Sitting) -> Standing:
    somebody = sitting.somebody
    with closing(Transcript(person=somebody.login, source=Lines(_input()), sink=sys.stdout)) as transcript:
        async with open_thread(sitting.settings, sitting.wanted, person=somebody, display=transcript) as thread:
            await thread.catch_up()
            standing = await _follow(sitting, thread)
            key = await thread.patience.key()
        transcript.notice(parting(key, standing, sitting.way_back))
        return standing


async def _follow(sitting: Sitting, thread: TerminalSession) -> Standing:
    if sitting.presser is not None:
        return await thread.follow_presser(sitting.request, sitting.presser)
    await _begin(sitting, thread)
    return await thread.follow_script()


async def _begin(sitting: Sitting, thread: TerminalSession) -> None:
    if sitting.request and await thread.patience.settled() is Standing.NEW:
        await thread.say(sitting.request)


def _input() -> int | None:
    """Python has no `sys.stdin` where the descriptor was closed before the start."""
    return None if sys.stdin is None else sys.stdin.fileno()


# ── a keyboard ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def _at_keyboard(sitting: Sitting) -> Standing:
    screen = Screen(person=sitting.somebody.login)
    with patch_stdout(raw=True), closing(screen):
        if sitting.greeting:
            screen.notice(sitting.greeting)
        async with open_thread(sitting.settings, sitting.wanted, person=sitting.somebody, display=screen) as thread:
            await thread.catch_up()
            await _begin(sitting, thread)
            await _until_left(sitting, thread, screen)
            key, standing = await thread.patience.key(), await thread.patience.now()
            if standing is Standing.BUSY:
                screen.notice("saving the work …")
        screen.close()
        screen.notice(parting(key, standing, sitting.way_back))
        return standing


async def _until_left(sitting: Sitting, thread: TerminalSession, screen: Screen) -> None:
    tasks = {asyncio.create_task(_converse(thread, screen), name="sitting.converse")}
    if sitting.ends_when_over:
        tasks.add(asyncio.create_task(_over(thread), name="sitting.over"))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _converse(thread: TerminalSession, screen: Screen) -> None:
    """Until the person leaves: Ctrl-C stops what runs, and leaves when nothing does or when pressed again."""
    interrupted = False
    while True:
        try:
            line = await screen.ask()
        except Interrupted:
            if interrupted or not await thread.stop():
                return
            interrupted = True
            continue
        if line is None:
            return
        interrupted = False
        await thread.act(line)


async def _over(thread: TerminalSession) -> None:
    # A thread that waits for the person is settled too, and does not tell when it is no more.
    while await thread.patience.settled() is not Standing.OVER:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_AGAIN_S)
