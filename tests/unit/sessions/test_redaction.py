"""No secret passes, in any form, whole or in pieces."""

import base64
import itertools
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.redaction import MARK, Redactor

SECRET = "sk-ant/api03+Zz9 x=ü"
OTHER = "ghp_0123456789abcdef"
REDACTOR = Redactor([SECRET, OTHER])
PLAIN = Redactor([OTHER])


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote(SECRET, safe="")
        .replace("%2F", "%2f")
        .replace("%2B", "%2b")
        .replace("%3D", "%3d")
        .replace("%C3%BC", "%c3%bc"),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
    ],
)
def test_every_form_is_redacted(written: str) -> None:
    assert REDACTOR.redact(f"before {written} after") == f"before {MARK} after"


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_base64_is_redacted_wherever_the_secret_stands_in_it(before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        written = encode(before + SECRET.encode() + after).decode()
        redacted = REDACTOR.redact(written)
        assert MARK in redacted
        longest = max(map(len, redacted.split(MARK)))
        assert longest <= len(encode(before)) + len(encode(after)) + 4


@given(st.text(max_size=50))
def test_text_without_secrets_is_the_same_object(text: str) -> None:
    if OTHER not in text:
        assert PLAIN.redact(text) is text


@given(st.text(alphabet="ghp_01x ", max_size=20), st.lists(st.integers(0, 60), max_size=12), st.integers(0, 2))
def test_no_secret_survives_any_cut_into_pieces(around: str, cuts: list[int], repeats: int) -> None:
    text = f"{around}{OTHER * repeats}{around}{OTHER}{around}"
    edges = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[first:last] for first, last in itertools.pairwise(edges)]
    assert OTHER not in "".join(PLAIN.redact_pieces(pieces))
    assert "".join(PLAIN.redact_pieces(pieces)).startswith(PLAIN.redact(text)[: len(around)])


@given(st.lists(st.integers(1, 19), min_size=1, max_size=6, unique=True))
def test_a_secret_in_separate_batches_leaves_no_more_than_its_first_characters(cuts: list[int]) -> None:
    edges = sorted({0, *cuts, len(OTHER)})
    sent, before = "", ""
    for first, last in itertools.pairwise(edges):
        piece = OTHER[first:last]
        sent += PLAIN.redact_pieces([piece], before=before)[0]
        before = (before + piece)[-PLAIN.reach :]
    assert len(sent.replace(MARK, "")) < 6


def test_what_follows_a_secret_in_the_next_piece_is_kept() -> None:
    assert PLAIN.redact_pieces([f"a {OTHER[:9]}", f"{OTHER[9:]} b"]) == [f"a {MARK}", " b"]


def test_a_secret_that_only_began_in_the_last_batch_is_completed_by_nothing() -> None:
    assert PLAIN.redact_pieces([f"{OTHER[12:]} b"], before=f"a {OTHER[:12]}") == [" b"]


def test_short_secrets_are_no_secrets() -> None:
    assert Redactor(["abc", "", "   "]).redact("abc") == "abc"


def test_without_secrets_everything_passes() -> None:
    nothing = Redactor([])
    assert nothing.redact(OTHER) == OTHER
    assert nothing.redact_pieces(["a", "b"]) == ["a", "b"]


def test_a_hundred_secrets_cost_little() -> None:
    many = Redactor([f"secret-number-{n}-{n * 7919:x}" for n in range(100)])
    text = "The agent edits billing/proration.py and runs the tests again. " * 8
    began = time.perf_counter()
    for _ in range(200):
        many.redact(text)
    assert (time.perf_counter() - began) / 200 < 0.002
