"""What research and planning leave behind: numbered revisions, and how to tell one in a few lines."""

import hashlib
import re
from collections.abc import Sequence

from sessions.models import Digest, Document, Phase
from sessions.sanitising import one_line

SUMMARY_CHARS = 600
SUMMARY_HEADINGS = 8
_HEADING = re.compile(r"^#{1,6}\s+(?P<words>.+?)\s*#*$")
_FENCE = re.compile(r"^\s*(```|~~~)")


def digest(text: str) -> Digest:
    """sha256 in hex of the text in UTF-8."""
    return Digest(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def latest(documents: Sequence[Document], phase: Phase) -> Document | None:
    """The newest revision of the phase's document."""
    return max((found for found in documents if found.phase is phase), key=lambda one: one.revision, default=None)


def revise(documents: Sequence[Document], *, phase: Phase, author: str, markdown: str) -> Document | None:
    """The next revision; None when the text is blank, or the same as the newest revision but for space at its end."""
    text = markdown.strip("\n").rstrip()
    newest = latest(documents, phase)
    if not text.strip() or (newest is not None and newest.markdown == text):
        return None
    revision = 1 if newest is None else newest.revision + 1
    return Document(phase=phase, revision=revision, author=author, markdown=text, digest=digest(text))


def summary(markdown: str) -> str:
    """The first paragraph and the headings, as markdown of a few lines; what is cut ends in an ellipsis."""
    lines = _outside_fences(markdown)
    paragraph = " ".join(_first_paragraph(lines))
    headings = [f"- {found['words']}" for line in lines if (found := _HEADING.match(line))]
    hidden = len(headings) - SUMMARY_HEADINGS
    if hidden > 0:
        headings = [*headings[:SUMMARY_HEADINGS], f"- … and {hidden} more"]
    return "\n\n".join(part for part in (_shortened(paragraph), "\n".join(headings)) if part)


def title(document: Document) -> str:
    """The document's first heading; the name of its phase where it has none."""
    for line in _outside_fences(document.markdown):
        if found := _HEADING.match(line):
            return one_line(found["words"])
    return document.phase.capitalize()


def fenced(text: str) -> str:
    """The text as a block of code in markdown, whatever it holds."""
    longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{text}\n{fence}"


def _outside_fences(markdown: str) -> list[str]:
    kept: list[str] = []
    fenced = False
    for line in markdown.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            kept.append(line)
    return kept


def _first_paragraph(lines: Sequence[str]) -> list[str]:
    found: list[str] = []
    for line in lines:
        if line.strip() and not _HEADING.match(line):
            found.append(line.strip())
        elif found:
            break
    return found


def _shortened(text: str) -> str:
    return text if len(text) <= SUMMARY_CHARS else text[: SUMMARY_CHARS - 1].rstrip() + "…"
