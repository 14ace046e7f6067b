"""Revisions of documents, and how they are told."""

from hypothesis import given
from hypothesis import strategies as st

from sessions.documents import digest, fenced, latest, revise, summary, title
from sessions.models import Document, Phase

PLAN = "# The plan\n\nGuard the discount,\nthen test it.\n\n## Steps\n\n```\n# no heading\n```\n\n## Risks\n\nNone."


def first() -> Document:
    document = revise([], phase=Phase.PLANNING, author="Agent", markdown=PLAN)
    assert document is not None
    return document


def test_revisions_count_from_one_within_their_phase() -> None:
    one = first()
    other = revise([one], phase=Phase.RESEARCH, author="Agent", markdown="Something")
    two = revise([one], phase=Phase.PLANNING, author="Agent", markdown="Another")
    assert (one.revision, other and other.revision, two and two.revision) == (1, 1, 2)


def test_the_same_text_is_no_new_revision() -> None:
    assert revise([first()], phase=Phase.PLANNING, author="Agent", markdown=f"\n{PLAN}\n\n  ") is None


def test_an_older_text_again_is_a_new_revision() -> None:
    second = revise([first()], phase=Phase.PLANNING, author="Agent", markdown="Another")
    assert second is not None
    third = revise([first(), second], phase=Phase.PLANNING, author="Agent", markdown=PLAN)
    assert third is not None
    assert (third.revision, third.digest) == (3, first().digest)


def test_a_blank_document_is_none() -> None:
    assert revise([], phase=Phase.PLANNING, author="Agent", markdown=" \n\t\n") is None


def test_the_digest_is_of_the_text_that_is_kept() -> None:
    assert first().digest == digest(first().markdown)


def test_latest_is_of_the_phase_asked_for() -> None:
    assert latest([first()], Phase.RESEARCH) is None
    assert latest([first()], Phase.PLANNING) == first()


def test_summary_has_the_first_paragraph_and_the_headings_outside_of_code() -> None:
    assert summary(PLAN) == "Guard the discount, then test it.\n\n- The plan\n- Steps\n- Risks"


def test_a_long_summary_says_that_there_is_more() -> None:
    many = "\n".join(f"# Part {n}" for n in range(20))
    assert summary("word " * 1000).endswith("…")
    assert summary(many).endswith("- … and 12 more")


def test_title_is_the_first_heading_or_the_phase() -> None:
    assert title(first()) == "The plan"
    bare = revise([], phase=Phase.RESEARCH, author="Agent", markdown="no heading")
    assert bare is not None
    assert title(bare) == "Research"


@given(st.text(alphabet="`a\n", max_size=30))
def test_a_fence_is_longer_than_any_inside(text: str) -> None:
    lines = fenced(text).split("\n")
    assert lines[0] == lines[-1]
    assert lines[0] not in "\n".join(lines[1:-1])
