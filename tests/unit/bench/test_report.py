import json

import pytest

from bench.goals import AtMost, Never
from bench.report import figure, json_line, table
from bench.rows import Row

START = Row(
    name="G13 viberator --help",
    unit="s",
    goal=AtMost(5),
    ours=(0.06, 0.04, 0.05),
    base=(0.02, 0.02, 0.02),
    cpu_ours_s=1.25,
    cpu_base_s=0.5,
    load=0.75,
)
DUPLICATES = Row(
    name="G6 claimed twice", unit="", goal=Never(), ours=(0, 0), base=(), cpu_ours_s=1.0, cpu_base_s=0.0, load=0.5
)


def test_a_json_line_says_what_was_compared_and_how_it_ended() -> None:
    assert json.loads(json_line(START)) == {
        "name": "G13 viberator --help",
        "ours": 0.05,
        "base": 0.02,
        "ratio": 2.5,
        "goal": "≤ 5",
        "verdict": "PASS",
        "unit": "s",
        "min": 2.0,
        "max": 3.0,
        "repetitions": 3,
        "load": 0.75,
        "cpu_ours_s": 1.25,
        "cpu_base_s": 0.5,
    }


def test_a_json_line_is_one_line_and_begins_with_the_six_fields_everybody_reads() -> None:
    line = json_line(START)
    assert "\n" not in line
    assert list(json.loads(line))[:6] == ["name", "ours", "base", "ratio", "goal", "verdict"]


def test_a_row_without_a_base_has_nulls() -> None:
    line = json.loads(json_line(DUPLICATES))
    assert (line["base"], line["ratio"], line["min"], line["max"]) == (None, None, None, None)


def test_the_table_s_columns_stand_under_their_headings() -> None:
    assert table([START, DUPLICATES]).splitlines() == [
        "name                  ours   base   ratio  [min..max]  goal  verdict  load  CPU s (ours, base)",
        "G13 viberator --help  50 ms  20 ms  2.5    [2..3]      ≤ 5   PASS     0.8   1.2, 0.5",
        "G6 claimed twice      0      –      –      –           = 0   PASS     0.5   1.0",
    ]


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1.9784, "s", "1.98 s"),
        (0.0123, "s", "12.3 ms"),
        (0.0000123, "s", "12.3 µs"),
        (12345.6, "rows/s", "12,346 rows/s"),
        (3, "", "3"),
    ],
)
def test_figures_are_shown_in_the_unit_that_suits_them(value: float, unit: str, shown: str) -> None:
    assert figure(value, unit) == shown
