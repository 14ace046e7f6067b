"""Secrets become `[redacted]` before anything is stored or sent: raw, base64, URL- and hex-encoded.

Text that comes in pieces is searched as one, so that a secret cut in two by a chunk's edge is found as well.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote, quote_plus

MARK = "[redacted]"
SHORTEST_SECRET = 6
"""What is shorter would hit words of ordinary text."""

HEAD = 6
"""So many characters of a secret's beginning at the end of a piece are taken for the secret itself."""


class Redactor:
    """Knows the secrets of this process; a string without any is answered as it is, at the cost of one search."""

    __slots__ = ("_forms", "_heads", "_pattern", "reach")

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = sorted({form for secret in secrets for form in _forms(secret)}, key=lambda form: (-len(form), form))
        self._forms = tuple(forms)
        self._heads = {form[:HEAD] for form in forms}
        self._pattern = re.compile(_alternatives(forms)) if forms else None
        self.reach = max(map(len, forms), default=1) - 1
        """How many characters before a piece may belong to a secret that ends in it."""

    def finds(self, text: str) -> bool:
        """Whether there is a secret in the text, more quickly than it takes to say where."""
        return any(form in text for form in self._forms)

    def finds_begun(self, text: str) -> bool:
        """Whether a secret begins in the text that its end cuts off, where no whole one is in it."""
        return self._begun(text, 0) is not None

    def redact(self, text: str) -> str:
        if self._pattern is None or self._pattern.search(text) is None:
            return text
        return self._pattern.sub(MARK, text)

    def redact_pieces(self, pieces: Sequence[str], *, before: str = "") -> list[str]:
        """The pieces of one text, redacted across their edges.

        `before` is what was sent already, of which `reach` characters are enough. The mark stands where a secret begins; a
        secret that only begins at the very end is marked too, since nobody knows what comes next.
        """
        text = before + "".join(pieces)
        spans = [*self._found(text)]
        if not spans:
            return list(pieces)
        kept: list[str] = []
        start = len(before)
        for piece in pieces:
            kept.append(_without(text, start, start + len(piece), spans))
            start += len(piece)
        return kept

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        if self._pattern is None:
            return
        end = 0
        for found in self._pattern.finditer(text):
            yield found.span()
            end = found.end()
        begun = self._begun(text, end)
        if begun is not None:
            yield begun, len(text)

    def _begun(self, text: str, after: int) -> int | None:
        """Where a secret begins that the text's end cuts off."""
        begin = max(after, len(text) - self.reach)
        tail = text[begin:]
        if not any(head in tail for head in self._heads):
            return None
        starts = (at for at in range(len(tail) - HEAD + 1) if tail[at : at + HEAD] in self._heads)
        for at in starts:
            if any(form.startswith(tail[at:]) for form in self._forms):
                return begin + at
        return None


def _without(text: str, start: int, end: int, spans: Sequence[tuple[int, int]]) -> str:
    """`text[start:end]` with the spans taken out, a mark standing where one begins."""
    parts: list[str] = []
    at = start
    for first, last in spans:
        if last <= at or first >= end:
            continue
        parts.append(text[at : max(first, at)])
        if first >= start:
            parts.append(MARK)
        at = min(last, end)
    return "".join([*parts, text[at:end]])


def _alternatives(forms: Sequence[str]) -> str:
    """A pattern that branches once on the first character, since most positions fail there."""
    by_first: dict[str, list[str]] = {}
    for form in forms:
        by_first.setdefault(form[0], []).append(form[1:])
    return "|".join(
        f"{re.escape(first)}(?:{'|'.join(map(re.escape, rests))})" for first, rests in sorted(by_first.items())
    )


def _forms(secret: str) -> Iterator[str]:
    stripped = secret.strip()
    if len(stripped) < SHORTEST_SECRET:
        return
    yield stripped
    raw = stripped.encode("utf-8", "surrogatepass")
    yield from (raw.hex(), raw.hex().upper())
    escaped = quote(stripped, safe="", errors="replace")
    yield from (escaped, quote_plus(stripped, errors="replace"), re.sub("%..", lambda hit: hit[0].lower(), escaped))
    yield from (form for form in _base64_forms(raw) if len(form) >= SHORTEST_SECRET)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """What the secret looks like inside longer base64: only the characters that its neighbours have no part in."""
    for offset in range(3):
        bits = (offset * 8, (offset + len(raw)) * 8)
        first, last = -(-bits[0] // 6), bits[1] // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * offset + raw).decode()[first:last]
