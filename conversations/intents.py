"""What a person wants with what they wrote. Pure: the same words in the same situation always mean the same.

`[repo=… branch=… agent=… phase=…]` sets a new ticket's options, anywhere in its text. Lines that begin with `!` are
commands. Words decide only while something waits for a decision, since people also write “approve” in passing.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sessions.models import Phase, Severity, Verdict

TITLE_LENGTH: Final = 80

_PAIR: Final = r"[a-z]+[ ]?=[ ]?[^\s\],=]+"
_OPTIONS: Final = re.compile(rf"\[\s*({_PAIR}(?:[\s,]+{_PAIR})*)[\s,]*\]", re.IGNORECASE)
_OPTION: Final = re.compile(r"([a-z]+)\s*=\s*([^\s\],=]+)", re.IGNORECASE)
_COMMAND: Final = re.compile(r"!([a-z]+)\b[ \t]*(.*)", re.IGNORECASE | re.DOTALL)
_SLASH: Final = re.compile(r"/viberator\b\s*(.*)", re.IGNORECASE | re.DOTALL)
_MENTIONS: Final = re.compile(r"^(?:@viberator\b[\s,:]*)+", re.IGNORECASE)

_APPROVE: Final = re.compile(r"(?:approved?|lgtm|ship it|allow)\b(.*)", re.IGNORECASE | re.DOTALL)
_REJECT: Final = re.compile(r"(?:rejected|reject|deny)\b(.*)", re.IGNORECASE | re.DOTALL)
_CHANGES: Final = re.compile(r"(?:request changes|changes?)\s*[:–—-]\s*(.+)", re.IGNORECASE | re.DOTALL)
_BUT: Final = re.compile(
    r"[\s.,;:–—-]*\b((?:but|if|except|after|once|when|unless|only|provided)\b.*)", re.IGNORECASE | re.DOTALL
)
_BECAUSE: Final = re.compile(r"(?:[\s,;]*\b(?:because|since|as)\b|\s*[:–—-])[\s,:]*(.+)", re.IGNORECASE | re.DOTALL)
_POLITE: Final = re.compile(
    r"[\s.!,;:]*(?:(?:it|this|that|the|plan|research|document|please|thanks|thank|you|once|👍|✅|v\d+)[\s.!,;:]*)*",
    re.IGNORECASE,
)
_REVISION: Final = re.compile(r"\bv(\d+)\b", re.IGNORECASE)


class Word(StrEnum):
    """The commands that work in any thread."""

    STATUS = "status"
    STOP = "stop"
    RESUME = "resume"
    RETRY = "retry"
    DIFF = "diff"
    DISCARD = "discard"
    REOPEN = "reopen"
    HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A new ticket. `unknown` are options nobody knows or whose value makes no sense, as they were written."""

    title: str
    description: str
    project: str = ""
    branch: str = ""
    agent: str = ""
    phase: Phase | None = None
    severity: Severity = Severity.NORMAL
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Something for the agent: a message, or the answer to its question."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """`revision` is set where the person named one: approve v2."""

    verdict: Verdict
    comment: str = ""
    revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    word: Word
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownCommand:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenForm:
    """`text` is what was written after /viberator, as the form's first words."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """A mention and no words."""


Intent = Request | Say | Decide | Command | UnknownCommand | OpenForm | Nothing


def read_intent(text: str, *, in_thread: bool, offers: tuple[Verdict, ...] = ()) -> Intent:
    """What the text wants. `in_thread`: the thread has a ticket; `offers` are those of the one approval that waits."""
    words = _MENTIONS.sub("", text.strip()).strip()
    if slash := _SLASH.fullmatch(words):
        return OpenForm(text=slash[1].strip())
    if command := _COMMAND.fullmatch(words):
        return _command(command[1].lower(), command[2].strip())
    if not words:
        return Nothing()
    if not in_thread:
        return _request(words)
    decision = _decision(words)
    return decision if decision and decision.verdict in offers else Say(text=words)


def _command(name: str, rest: str) -> Intent:
    return Command(word=Word(name), rest=rest) if name in set(Word) else UnknownCommand(name=name)


def _decision(words: str) -> Decide | None:
    """None for anything that only begins like a decision: “approve the first part”, “reject null values too”.

    “Approve, but …” asks for the change that follows: nobody means to run what they object to.
    """
    if changes := _CHANGES.fullmatch(words):
        return Decide(verdict=Verdict.REQUEST_CHANGES, comment=changes[1].strip())
    if approve := _APPROVE.fullmatch(words):
        return _approval(approve[1])
    if reject := _REJECT.fullmatch(words):
        return _rejection(reject[1])
    return None


def _approval(rest: str) -> Decide | None:
    if _POLITE.fullmatch(rest):
        revision = _REVISION.search(rest)
        return Decide(verdict=Verdict.APPROVE, revision=int(revision[1]) if revision else None)
    condition = _BUT.fullmatch(rest)
    return Decide(verdict=Verdict.REQUEST_CHANGES, comment=condition[1].strip()) if condition else None


def _rejection(rest: str) -> Decide | None:
    because = _BECAUSE.fullmatch(rest)
    if because:
        return Decide(verdict=Verdict.REJECT, comment=because[1].strip())
    return Decide(verdict=Verdict.REJECT) if _POLITE.fullmatch(rest) else None


# ── new tickets ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _request(words: str) -> Request | Nothing:
    options = [pair for group in _OPTIONS.findall(words) for pair in _OPTION.findall(group)]
    text = _OPTIONS.sub("", words).strip()
    if not text:
        return Nothing()
    return _with_options(Request(title=title_of(text), description=text), options)


def title_of(text: str) -> str:
    """The first line, or as much of it as fits a title, ended at a word."""
    line = " ".join(text.strip().splitlines()[0].split())
    if len(line) <= TITLE_LENGTH:
        return line
    head = line[: TITLE_LENGTH - 1]
    return f"{head.rpartition(' ')[0] or head}…"


def _with_options(request: Request, options: list[tuple[str, str]]) -> Request:
    known: dict[str, str] = {}
    unknown: list[str] = []
    for name, value in options:
        if name.lower() in _FIELDS and _makes_sense(name.lower(), value):
            known[_FIELDS[name.lower()]] = value
        else:
            unknown.append(f"{name}={value}")
    phase = known.get("phase")
    severity = known.get("severity")
    return Request(
        title=request.title,
        description=request.description,
        project=known.get("project", ""),
        branch=known.get("branch", ""),
        agent=known.get("agent", ""),
        phase=Phase(phase.lower()) if phase else None,
        severity=Severity(severity.lower()) if severity else Severity.NORMAL,
        unknown=tuple(unknown),
    )


_FIELDS: Final = {
    "repo": "project",
    "project": "project",
    "branch": "branch",
    "agent": "agent",
    "phase": "phase",
    "severity": "severity",
}


def _makes_sense(name: str, value: str) -> bool:
    match name:
        case "phase":
            return value.lower() in set(Phase)
        case "severity":
            return value.lower() in set(Severity)
        case _:
            return True
