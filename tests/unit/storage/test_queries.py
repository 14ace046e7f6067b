import pytest

from storage.errors import DuplicateStatement, UnknownStatement, UnnamedStatement
from storage.queries import parse

TEXT = """\
-- What a garden knows.

-- name: count_trees
-- Dead ones too.
SELECT count(*)
FROM trees  -- all of them
WHERE height > $1;

-- name: plant
INSERT INTO trees VALUES ($1)
"""


def test_statements_are_read_by_name_without_their_comments() -> None:
    queries = parse(TEXT, source="garden.sql")
    assert list(queries) == ["count_trees", "plant"]
    assert queries["count_trees"] == "SELECT count(*)\nFROM trees  -- all of them\nWHERE height > $1"
    assert queries["plant"] == "INSERT INTO trees VALUES ($1)"


def test_a_name_that_stands_twice_is_an_error() -> None:
    with pytest.raises(DuplicateStatement) as error:
        parse(f"{TEXT}\n-- name: plant\nSELECT 1", source="garden.sql")
    assert error.value.name == "plant"


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(UnknownStatement):
        parse(TEXT, source="garden.sql")["fell"]


def test_sql_without_a_name_is_an_error() -> None:
    with pytest.raises(UnnamedStatement) as error:
        parse("SELECT 1;\n-- name: plant\nSELECT 2", source="garden.sql")
    assert error.value.file == "garden.sql"
