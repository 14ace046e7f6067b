"""Commit messages as a person would write them: what the change is, in one line, and what it touches."""

import re
import textwrap
from dataclasses import dataclass

from runners.worker.cleaning import one_line, storable

SUBJECT_CHARS = 72
WIDTH = 72
BODY_CHARS = 4_000
LISTED_FILES = 12

_MARKUP = re.compile(r"[`*_#>]+|<[@#!][^>]*>|^(?:[-–—:]|\s)+")
_TRAILER = re.compile(r"^[A-Za-z-]+: ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    path: str
    added: int
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a commit is told from: the agent's own report where it gave one, else the ticket's title."""

    title: str
    ticket: str
    requester: str
    report_title: str = ""
    report: str = ""


def commit_message(story: Story, changed: tuple[ChangedFile, ...]) -> str:
    """Subject, body and trailers; never anything of the prompt."""
    subject = subject_line(story.report_title or story.title)
    body = _body(story.report) or _list(changed)
    trailers = f"Ticket: {one_line(story.ticket, 60)}\nRequested-by: {one_line(story.requester, 120)}"
    return "\n\n".join(part for part in (subject, body, trailers) if part) + "\n"


def subject_line(title: str) -> str:
    """One line in the form of git's subjects: no markup, a capital, no full stop, at most 72 characters."""
    words = one_line(_MARKUP.sub("", storable(title).strip()), 500).rstrip(" .…:;,")
    line = textwrap.shorten(words, SUBJECT_CHARS, placeholder="…") if " " in words else one_line(words, SUBJECT_CHARS)
    return line[:1].upper() + line[1:] or "Change what the ticket asks for"


def _body(report: str) -> str:
    paragraphs = storable(report).strip()[:BODY_CHARS].split("\n\n")
    # A line of the report that looks like a trailer must not count as one.
    filled = (_wrapped(_TRAILER.sub(lambda m: m.group().replace(": ", " - "), p)) for p in paragraphs if p.strip())
    return "\n\n".join(filled)


def _wrapped(paragraph: str) -> str:
    return "\n".join(
        textwrap.fill(
            line, WIDTH, subsequent_indent="  " if line.startswith(("-", "*")) else "", break_long_words=False
        )
        for line in paragraph.splitlines()
        if line.strip()
    )


def _list(changed: tuple[ChangedFile, ...]) -> str:
    lines = [f"- {file.path} (+{file.added} -{file.removed})" for file in changed[:LISTED_FILES]]
    more = len(changed) - len(lines)
    return "\n".join([*lines, f"- and {more} more"] if more > 0 else lines)
