"""What a prompt is about, told by its words: those of the templates in `runners/worker/templates`."""

from enum import StrEnum


class Kind(StrEnum):
    RESEARCH = "research"
    PLANNING = "planning"
    EXECUTION = "execution"
    ANSWER = "answer"
    CHANGES = "changes"
    DECISION = "decision"
    MESSAGE = "message"
    REMINDER = "reminder"
    REPAIR = "repair"
    UNKNOWN = "unknown"


PHASES = frozenset({Kind.RESEARCH, Kind.PLANNING, Kind.EXECUTION})

_MARKS = {
    Kind.RESEARCH: "# What to do now: research",
    Kind.PLANNING: "# What to do now: plan",
    Kind.EXECUTION: "# What to do now: make the change",
    Kind.ANSWER: " answers your question:",
    Kind.CHANGES: " has read the document and asks for changes:",
    Kind.DECISION: "You had asked for permission:",
    Kind.MESSAGE: " writes:\n",
    Kind.REMINDER: "This phase ends with a document,",
    Kind.REPAIR: "The tests fail. This is try ",
}
_INTERRUPTED = "You were interrupted, and have been started again"
_REFUSED = "a missing discount is **refused**"


def read_kind(prompt: str) -> Kind:
    """What the prompt ends with: what comes before is told again, such as the task before an answer."""
    places = {prompt.rfind(mark): kind for kind, mark in _MARKS.items() if mark in prompt}
    return places[max(places)] if places else Kind.UNKNOWN


def interrupted(prompt: str) -> bool:
    return _INTERRUPTED in prompt


def said(prompt: str) -> str:
    """What the person wrote in an answer, a comment or a message."""
    kind = read_kind(prompt)
    text = prompt.rpartition(_MARKS.get(kind, ":"))[2].strip()
    return text.partition("\n\nWrite the whole document again,")[0].partition("\n\nFiles that came with it:")[0].strip()


def plan_refuses(prompt: str) -> bool:
    """Whether the approved plan in the prompt is to refuse a missing discount."""
    return _REFUSED in prompt


def phase_named(prompt: str) -> Kind | None:
    """The phase whose document the prompt asks for."""
    return next((phase for phase in (Kind.RESEARCH, Kind.PLANNING) if f".viberator/{phase}.md" in prompt), None)
