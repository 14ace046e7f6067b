"""What the scripted agent knows of a session, written down after every step: a killed agent goes on where it was."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.demo.prompts import Kind


class Memory(BaseModel):
    """`script` and `step` say what comes next. `prompt` is the text that began the script, by which a repeat is known.

    `runs` tells of each command that was run, by its call, how it went: "red (4 tests: 3 passed, 1 failed)".
    """

    model_config = ConfigDict(frozen=True)

    directory: str
    script: Kind | None = None
    step: int = 0
    prompt: str = ""
    phase: Kind = Kind.RESEARCH
    answer: str = ""
    refuse: bool = False
    allowed: bool | None = None
    comments: tuple[str, ...] = ()
    runs: dict[str, str] = {}
    turns: int = 0


class Memories:
    """One file a session, below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, session: str) -> Memory | None:
        try:
            return Memory.model_validate_json(self._path(session).read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, session: str, memory: Memory) -> None:
        """Replace what was known, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._path(session).with_suffix(".part")
        part.write_text(memory.model_dump_json(), encoding="utf-8")
        part.replace(self._path(session))

    def _path(self, session: str) -> Path:
        return self._folder / f"{session if session.isalnum() else 'unknown'}.json"
