"""The commands that people are told to type next, as they can type them here."""

import argparse
import shlex
import shutil
import sys
from pathlib import Path

PROGRAM = "viberator"


def program() -> tuple[str, ...]:
    """How this program was called: by its name where that is on the PATH, else by where it is."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return (Path(sys.executable).name, "-m", "bot")
    return (PROGRAM,) if shutil.which(PROGRAM) else (str(called),)


def command_line(options: argparse.Namespace, *words: str) -> str:
    """The command with these words, on the same settings and data."""
    common: list[str] = []
    if options.config:
        common += ["--config", str(options.config)]
    if options.data_dir:
        common += ["--data-dir", str(options.data_dir)]
    return shlex.join([*program(), *common, *words])
