"""What Discord takes in a message of components, as data, and what of it a payload breaks.

Sources: docs.discord.com/developers/components/reference (40 components, nested ones counted; 4,000 characters of text in
all; five buttons a row; label 80, custom_id 100 and unique, url 512) and /resources/message (ten attachments, each shown by
a component).
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from conversations.clipping import units

Json: TypeAlias = dict[str, object]

COMPONENTS: Final = 40
TEXT: Final = 4_000
ROW: Final = 5
LABEL: Final = 80
CUSTOM_ID: Final = 100
URL: Final = 512
ATTACHMENTS: Final = 10

ACTION_ROW: Final = 1
BUTTON: Final = 2
TEXT_DISPLAY: Final = 10
FILE: Final = 13
SEPARATOR: Final = 14
CONTAINER: Final = 17

LENGTHS: Final[Mapping[tuple[int, str], int]] = MappingProxyType(
    {(BUTTON, "label"): LABEL, (BUTTON, "custom_id"): CUSTOM_ID, (BUTTON, "url"): URL, (TEXT_DISPLAY, "content"): TEXT}
)
"""The longest texts in characters, by the component's type and field."""

CHILDREN: Final[Mapping[int, frozenset[int]]] = MappingProxyType(
    {
        CONTAINER: frozenset({ACTION_ROW, TEXT_DISPLAY, FILE, SEPARATOR}),
        ACTION_ROW: frozenset({BUTTON}),
    }
)


def every(components: Sequence[Json]) -> Iterator[Json]:
    """The components and all that is nested in them."""
    for component in components:
        yield component
        yield from every(nested(component))


def nested(component: Json) -> list[Json]:
    inner = component.get("components", [])
    assert isinstance(inner, list)
    return inner


def violations(components: Sequence[Json]) -> list[str]:
    """Every limit that a message breaks, in words for a developer; empty when Discord would take it."""
    found = [*_whole(components)]
    for component in every(components):
        found += _lengths(component)
        kind = component["type"]
        assert isinstance(kind, int)
        if any(inner["type"] not in CHILDREN.get(kind, ()) for inner in nested(component)):
            found.append(f"a component in one of type {kind} where it may not be")
        if kind in CHILDREN and not nested(component):
            found.append(f"an empty component of type {kind}")
        if kind == ACTION_ROW and len(nested(component)) > ROW:
            found.append(f"a row of {len(nested(component))} buttons")
    return found


def text_length(components: Sequence[Json]) -> int:
    """The characters of all texts, labels counted too, which is stricter than what is documented."""
    return sum(units(str(part.get(field, ""))) for part in every(components) for field in ("content", "label"))


def _whole(components: Sequence[Json]) -> Iterator[str]:
    parts = list(every(components))
    if not 0 < len(parts) <= COMPONENTS:
        yield f"{len(parts)} components"
    if (size := text_length(components)) > TEXT:
        yield f"{size} characters of text"
    ids = [part["custom_id"] for part in parts if "custom_id" in part]
    if len(set(ids)) < len(ids):
        yield "a custom_id twice"
    if sum(part["type"] == FILE for part in parts) > ATTACHMENTS:
        yield "too many files"


def _lengths(component: Json) -> Iterator[str]:
    for (kind, field), most in LENGTHS.items():
        value = component.get(field)
        if component["type"] == kind and isinstance(value, str) and not 0 < units(value) <= most:
            yield f"{field} of {units(value)} characters"
