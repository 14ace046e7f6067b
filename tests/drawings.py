"""Every card of tests/cards.py as each platform's writer draws it."""

import json
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Final

from bot.discord import components
from bot.slack import blocks
from bot.terminal import terminal
from conversations.messages import Message
from tests.cards import CARDS, DANA_ON_DISCORD

HERE: Final = Path(__file__).parent / "golden"


def drawings() -> dict[Path, str]:
    """What each golden file should hold."""
    writers = (("terminal", "txt", _terminal), ("slack", "json", _slack), ("discord", "json", _discord))
    return {
        HERE / platform / f"{name}.{ending}": draw(card)
        for name, card in CARDS.items()
        for platform, ending, draw in writers
    }


def _terminal(card: Message) -> str:
    return f"{terminal.line(card, zone=UTC)}\n\n{terminal.text(card, zone=UTC)}\n"


def _slack(card: Message) -> str:
    written = blocks.write(card)
    return _as_json({**written.payload(), "files": [file.name for file in written.files]})


def _discord(card: Message) -> str:
    there = replace(card, mentions=(DANA_ON_DISCORD,) if card.mentions else ())
    written = components.write(there)
    return _as_json({**written.payload(), "files": [file.name for file in written.files]})


def _as_json(payload: object) -> str:
    return json.dumps(payload, indent=2, ensure_ascii=False) + "\n"
