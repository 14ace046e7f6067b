"""A question as an agent writes it to a file: its text, and at its end, if it likes, a list of answers to choose from."""

import re

OPTIONS_LIMIT = 8
OPTION_CHARS = 200

_ITEM = re.compile(r"\s{0,3}(?:[-*+]|\d{1,2}[.)])\s+(?P<text>\S.*)")


def read_question(markdown: str) -> tuple[str, tuple[str, ...]]:
    """The question and its options. A list with text after it, or too long to choose from, is part of the text."""
    lines = markdown.strip().splitlines()
    options: list[str] = []
    while lines and (item := _ITEM.fullmatch(lines[-1])):
        options.insert(0, item["text"].strip())
        lines.pop()
    text = "\n".join(lines).strip()
    if not text or not 2 <= len(options) <= OPTIONS_LIMIT or any(len(option) > OPTION_CHARS for option in options):
        return markdown.strip(), ()
    return text, tuple(options)
