"""What Slack takes in a message, as data, and what of it a payload breaks.

Sources: docs.slack.dev/reference/block-kit (blocks, button element, text object), and for the whole message, which no page
documents, slackapi/bolt-js#2509: `msg_blocks_too_long` begins at about 13,000 characters.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from conversations.clipping import units

Json: TypeAlias = dict[str, object]

MESSAGE: Final = 12_500
"""Characters of all blocks as JSON together with the fallback text."""

FALLBACK: Final = 3_000
"""`chat.update` takes about 4,000 characters of `text`."""

BLOCKS: Final = 50
SECTION: Final = 3_000
ACTIONS: Final = 25
LABEL: Final = 75
URL: Final = 3_000
ACTION_ID: Final = 255
VALUE: Final = 2_000

LENGTHS: Final[Mapping[tuple[str, str], int]] = MappingProxyType(
    {
        ("section", "text.text"): SECTION,
        ("context", "text"): SECTION,
        ("header", "text.text"): 150,
        ("markdown", "text"): 12_000,
        ("button", "text.text"): LABEL,
        ("button", "url"): URL,
        ("button", "action_id"): ACTION_ID,
        ("button", "value"): VALUE,
    }
)
"""The longest texts in characters, by the type of the block or element and the path inside it."""

COUNTS: Final[Mapping[str, int]] = MappingProxyType({"actions": ACTIONS, "context": 10})
"""The most elements a block may have."""


def length(payload: object) -> int:
    """The characters of a payload as it is sent."""
    return units(json.dumps(payload, ensure_ascii=False))


def violations(text: str, blocks: Sequence[Json]) -> list[str]:
    """Every limit that a message breaks, in words for a developer; empty when Slack would take it."""
    found = [*_whole(text, blocks)]
    for block in blocks:
        elements = block.get("elements", [])
        assert isinstance(elements, list)
        kind = str(block["type"])
        if not 0 < len(elements) <= COUNTS.get(kind, 0) and kind in COUNTS:
            found.append(f"{kind} has {len(elements)} elements")
        found += [problem for part in (block, *elements) for problem in _texts(part, kind)]
    return found


def _whole(text: str, blocks: Sequence[Json]) -> Iterator[str]:
    size = length({"text": text, "blocks": blocks})
    if size > MESSAGE:
        yield f"message of {size} characters"
    if not 0 < units(text) <= FALLBACK:
        yield f"fallback text of {units(text)} characters"
    if not 0 < len(blocks) <= BLOCKS:
        yield f"{len(blocks)} blocks"
    ids = [element["action_id"] for block in blocks if block["type"] == "actions" for element in block["elements"]]  # type: ignore[attr-defined]  # a list of objects, by the format
    if len(set(ids)) < len(ids):
        yield "an action_id twice"


def _texts(part: Json, parent: str) -> Iterator[str]:
    kind = parent if part.get("type") == "mrkdwn" else str(part.get("type"))
    for (limited, path), most in LENGTHS.items():
        value: object = part
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if limited == kind and isinstance(value, str) and not 0 < units(value) <= most:
            yield f"{kind}.{path} of {units(value)} characters"
