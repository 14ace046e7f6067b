"""What the scripted agent can do, a step at a time. A tool call's id is its step's name, so that a repeat is the same call."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Think:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`done` of the entries are completed, the next one is under way."""

    entries: tuple[str, ...]
    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    call: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Write a note for people; what stood there is replaced."""

    call: str
    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Replace `old` by `new` in a file; where that is done already, nothing is changed and the same is told."""

    call: str
    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPermission:
    """Ask whether the call may be made; how it is answered is remembered."""

    call: str
    title: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Run a command in the workspace; `python3` is the interpreter that runs us."""

    call: str
    title: str
    command: tuple[str, ...]


Step = Think | Say | Plan | Read | Write | Edit | AskPermission | Run
