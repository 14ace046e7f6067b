"""The commands and their options. Only words are parsed here; what a command does is in `bot.commands`.

The module of a command is imported when the command runs: `viberator --help` and shell completion answer in a fraction of
the time that importing every platform's library takes (docs/decisions/0003).
"""

import argparse
import difflib
import importlib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeAlias, cast

from bot.version import VERSION

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 (argparse names it nowhere else)

DONE, FAILED, WRONG_USAGE = 0, 1, 2
PHASES = ("research", "planning", "execution")


class Command(Protocol):
    """What every module of `bot.commands` offers."""

    @staticmethod
    def run(options: argparse.Namespace) -> int:
        """Do it; answers the exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 failed, 2 wrong usage or settings."""
    try:
        code = _run(argv)
        # Now, where it can be told, and not while Python exits.
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output left; Python would complain once more while it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code


def _run(argv: Sequence[str] | None) -> int:
    try:
        options, unknown = _parser().parse_known_args(argv)
        if unknown:
            options.parser.error(_not_known(unknown[0], options.parser))
    except SystemExit as ended:
        # What argparse has to say is said.
        return ended.code if isinstance(ended.code, int) else WRONG_USAGE
    command = cast("Command", importlib.import_module(f"bot.commands.{options.command}"))
    return command.run(options)


def _not_known(word: str, parser: argparse.ArgumentParser) -> str:
    """The sentence for a word that the command does not know, with the nearest option that it does."""
    options = re.findall(r"--[a-z][a-z-]*", parser.format_help())
    near = difflib.get_close_matches(word.partition("=")[0], options, n=1)
    guess = f"; did you mean {near[0]}?" if near else ""
    return f"there is no {word} here{guess}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="viberator", description="A chat bot that turns a request in a thread into a pushed branch."
    )
    parser.add_argument("--version", action="version", version=f"viberator {VERSION}")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="viberator.toml (default: in the working directory)"
    )
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="where state is kept (default: data_dir of the settings)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_chat(commands)
    _add_serve(commands)
    _add_administration(commands)
    _add_session(commands)
    _add_project(commands)
    return parser


def _add_demo(commands: _Commands) -> None:
    demo = commands.add_parser("demo", help="the whole story on a sample repository: no key, no service, no network")
    demo.set_defaults(parser=demo)
    demo.add_argument("--yes", action="store_true", help="press the buttons by itself")
    demo.add_argument(
        "--dir", type=Path, metavar="DIR", help="keep the story here, and go on with one that is here already"
    )


def _add_chat(commands: _Commands) -> None:
    chat = commands.add_parser("chat", help="the terminal as a chat, on a real repository with a real agent")
    chat.set_defaults(parser=chat)
    chat.add_argument("--repo", metavar="PATH_OR_URL", help="the repository to work on")
    chat.add_argument("--agent", metavar="NAME", help="an agent of the settings")
    chat.add_argument(
        "--agent-command", metavar="COMMAND", help="any program that speaks ACP, as one line of shell words"
    )
    chat.add_argument(
        "--agent-env",
        metavar="NAME",
        action="append",
        default=[],
        help="hand this variable of your environment to the agent, such as ANTHROPIC_API_KEY (repeatable)",
    )
    chat.add_argument("--branch", metavar="NAME", help="the base branch (default: the repository's own)")
    chat.add_argument("--phase", choices=PHASES, help="the phase to start with (default: research)")
    chat.add_argument("--test-command", metavar="COMMAND", help="run before anything is published")
    chat.add_argument("--resume", metavar="KEY", help="go on in the thread of this ticket")


def _add_serve(commands: _Commands) -> None:
    serve = commands.add_parser("serve", help="run the bot as a service, whole or in parts")
    serve.set_defaults(parser=serve)
    serve.add_argument(
        "--only", metavar="PARTS", help="some of: delivery, supervisor, worker-api, web (comma-separated)"
    )


def _add_administration(commands: _Commands) -> None:
    migrate = commands.add_parser("migrate", help="bring the database's schema up to date")
    doctor = commands.add_parser("doctor", help="what is configured, what is missing, how to get it")
    check = commands.add_parser("check", help="verify the invariants that a database can show")
    for command in (doctor, check):
        command.add_argument("--json", action="store_true", help="for scripts: one JSON object a line")
    for command in (migrate, doctor, check):
        command.set_defaults(parser=command)


def _add_session(commands: _Commands) -> None:
    session = commands.add_parser("session", help="list, show or follow sessions")
    verbs = session.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="the newest sessions")
    listing.add_argument("--all", action="store_true", help="ended ones too")
    show = verbs.add_parser("show", help="one session")
    log = verbs.add_parser("log", help="the events of a ticket or session")
    log.add_argument("--follow", action="store_true", help="wait for more")
    for verb in (show, log):
        verb.add_argument("key", help="a ticket's key, or a session's (key.n)")
    for verb in (listing, show, log):
        verb.set_defaults(parser=verb)
        verb.add_argument("--json", action="store_true", help="for scripts: one JSON object a line")


def _add_project(commands: _Commands) -> None:
    project = commands.add_parser("project", help="add, list or show projects")
    verbs = project.add_subparsers(dest="verb", required=True, metavar="VERB")
    add = verbs.add_parser("add", help="add a project to the database")
    add.add_argument("name")
    add.add_argument("repository", help="an address or a path")
    add.add_argument("--branch", default="", help="the base branch (default: the repository's own)")
    add.add_argument("--agent", default="", help="an agent of the settings")
    add.add_argument("--agent-command", default="", help="any program that speaks ACP, as one line of shell words")
    add.add_argument("--test-command", default="", help="run before anything is published")
    add.add_argument(
        "--deciders", default="", help="who may approve, as platform:id, comma-separated (default: the requester)"
    )
    listing = verbs.add_parser("list", help="all projects")
    show = verbs.add_parser("show", help="one project")
    show.add_argument("name")
    add.set_defaults(parser=add)
    for verb in (listing, show):
        verb.set_defaults(parser=verb)
        verb.add_argument("--json", action="store_true", help="for scripts: one JSON object a line")
