"""What `viberator check` says of what it found."""

import json

from bot.commands.check import ADVICE, in_json, in_words
from sessions.invariants import INVARIANTS, Inspection
from sessions.proofs import Violation

STUCK = Violation(invariant="I7", subject="4f2aa", problem="has a thread that was told 2 of 3 events")
WRONG = Violation(invariant="I9", subject="4f2aa.1", problem="is working, but by its history queued")


def test_each_violation_is_a_sentence_with_its_invariant_and_its_ticket() -> None:
    said = list(in_words(Inspection(tickets=3, violations=(STUCK, WRONG))))
    assert said[:2] == [
        "✗ I7  4f2aa has a thread that was told 2 of 3 events",
        "✗ I9  4f2aa.1 is working, but by its history queued",
    ]
    assert said[-1] == "checked 3 tickets: 2 violations"


def test_broken_invariants_are_told_once_each_and_the_others_not() -> None:
    said = "\n".join(in_words(Inspection(tickets=1, violations=(WRONG, WRONG))))
    assert [text for text in INVARIANTS.values() if text in said] == [INVARIANTS["I9"]]
    assert said.count(INVARIANTS["I9"]) == said.count(ADVICE) == 1


def test_where_nothing_is_wrong_only_the_count_is_said() -> None:
    assert list(in_words(Inspection(tickets=1, violations=()))) == ["checked 1 ticket; all is as it must be"]


def test_a_script_reads_an_object_a_line() -> None:
    said = [json.loads(line) for line in in_json(Inspection(tickets=3, violations=(WRONG,)))]
    assert said == [
        {"invariant": "I9", "subject": "4f2aa.1", "problem": "is working, but by its history queued"},
        {"tickets": 3, "violations": 1},
    ]
