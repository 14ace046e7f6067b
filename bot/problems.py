"""What is wrong with the settings, in sentences that name the place, the wrong key and the nearest right one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

Place = tuple[int | str, ...]
"""Where a value stands: names of tables and keys, and indexes in lists of tables."""


class SettingsInvalid(Exception):
    """The settings cannot be used; `problems` are sentences for the operator, one a mistake."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the values came from: the file's name, what it held, and the variable that set a place instead of it."""

    file: str
    document: Mapping[str, object]
    variables: Mapping[Place, str]


def describe(error: ErrorDetails, model: type[BaseModel], origin: Origin) -> str:
    """The sentence for one finding of pydantic's about `model`."""
    place = error["loc"]
    if variable := next((name for path, name in origin.variables.items() if place[: len(path)] == path), None):
        return f"{variable}: {_plain(error)}"
    if error["type"] == "extra_forbidden":
        return f"{origin.file}: {_unknown(place, model, origin)}"
    table, key = _split(place, origin)
    if error["type"] == "missing":
        return f"{origin.file}: {table} lacks {key}" if table else f"{origin.file}: {key} is missing"
    return f"{origin.file}: {' '.join(filter(None, (table, key)))}: {_plain(error)}"


def nearest(name: str, known: Sequence[str]) -> str:
    """The end of a sentence that refuses `name`: the nearest known name, or all of them."""
    if close := get_close_matches(name, known, n=1, cutoff=0.6):
        return f"did you mean {close[0]}?"
    return f"known are {', '.join(known)}"


def leaves(model: type[BaseModel], place: Place = ()) -> Iterator[Place]:
    """Every single value that can be set outside of lists of tables."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, (*place, name))
        elif not _tables_in(field.annotation):
            yield (*place, name)


def _plain(error: ErrorDetails) -> str:
    if error["type"] == "model_type":
        return "should be a table"
    return error["msg"].removeprefix("Value error, ").removeprefix("Input ")


def _unknown(place: Place, model: type[BaseModel], origin: Origin) -> str:
    name, table = str(place[-1]), _table(place[:-1], origin)
    known = list(_model_at(place[:-1], model).model_fields)
    refused = f"{table} has no key {name}" if table else f"there is no table or key {name}"
    elsewhere = [_table(leaf[:-1], origin) for leaf in leaves(model) if leaf[-1] == name]
    if elsewhere and not get_close_matches(name, known, n=1, cutoff=0.6):
        return f"{refused}; there is one in {' and in '.join(elsewhere)}"
    return f"{refused}; {nearest(name, known)}"


def _split(place: Place, origin: Origin) -> tuple[str, str]:
    """The table of a place and the key within it, with the index of a value in a list."""
    keys = [index for index, part in enumerate(place) if isinstance(part, str)]
    end = keys[-1]
    key = str(place[end]) + "".join(f"[{part}]" for part in place[end + 1 :])
    return _table(place[:end], origin), key


def _table(place: Place, origin: Origin) -> str:
    """`[web]`, or `[[projects]] widgets` where the entry of a list has a name, or its number where it has none."""
    match place:
        case ():
            return ""
        case (str(name), int(index), *_):
            return f"[[{name}]] {_entry(origin.document.get(name), index)}"
        case _:
            return f"[{'.'.join(str(part) for part in place)}]"


def _entry(entries: object, index: int) -> str:
    table = entries[index] if isinstance(entries, list) else None
    name = table.get("name") if isinstance(table, dict) else None
    return str(name) if name else f"number {index + 1}"


def _model_at(place: Place, model: type[BaseModel]) -> type[BaseModel]:
    for part in place:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            model = next(iter(_tables_in(annotation)), model)
    return model


def _tables_in(annotation: object) -> tuple[type[BaseModel], ...]:
    candidates = (annotation, *get_args(annotation))
    return tuple(found for found in candidates if isinstance(found, type) and issubclass(found, BaseModel))
