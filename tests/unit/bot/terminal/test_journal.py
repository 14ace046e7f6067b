"""The terminal's thread survives the terminal."""

from dataclasses import replace
from pathlib import Path

from bot.terminal.journal import Journal, Said, Shown

CARD = Shown(
    id="m1",
    slot="approval/1",
    nonce="n",
    line="plan v1",
    text="plan v1\n",
    buttons=(("Approve", "v1:approve:k:1:0:d"),),
    asks=True,
    live=False,
)


def test_a_thread_is_read_back_as_it_was_last_shown(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "thread.jsonl")
    journal.show(CARD)
    journal.show(replace(CARD, line="approved", buttons=(), asks=False))

    again = Journal(tmp_path / "thread.jsonl")
    assert [card.line for card in again.cards] == ["approved"]
    assert again.asking() == ()
    assert again.next_card_id() == "m2"


def test_what_was_said_and_not_stored_is_said_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "thread.jsonl")
    journal.say(Said(id="s1", text="one"))
    journal.take("s1")
    journal.say(Said(id="s2", text="two", action="v1:stop:k:1:0:", values=(("comment", "why"),)))

    assert Journal(tmp_path / "thread.jsonl").untaken == (
        Said(id="s2", text="two", action="v1:stop:k:1:0:", values=(("comment", "why"),)),
    )


def test_a_line_cut_short_by_a_crash_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "thread.jsonl"
    Journal(file).show(CARD)
    with file.open("a") as opened:
        opened.write('{"op": "card", "id": "m2", "slo')

    assert [card.id for card in Journal(file).cards] == ["m1"]


def test_a_line_after_one_cut_short_is_still_read(tmp_path: Path) -> None:
    file = tmp_path / "thread.jsonl"
    Journal(file).show(CARD)
    with file.open("a") as opened:
        opened.write('{"op": "card", "id": "m2", "slo')

    Journal(file).say(Said(id="s1", text="hello"))

    assert [said.id for said in Journal(file).untaken] == ["s1"]


def test_a_text_may_hold_what_else_counts_as_the_end_of_a_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "thread.jsonl")
    journal.show(replace(CARD, text="one\u2028two\x85three"))
    assert [card.text for card in Journal(tmp_path / "thread.jsonl").cards] == ["one\u2028two\x85three"]
