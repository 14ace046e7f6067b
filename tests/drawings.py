"""Every card of tests/cards.py as each platform's writer draws it."""

import json
from datetime import UTC
from pathlib import Path
from typing import Final

from bot.terminal import terminal
from conversations.messages import Message
from tests.cards import CARDS

HERE: Final = Path(__file__).parent / "golden"


def drawings() -> dict[Path, str]:
    """What each golden file should hold."""
    return {
        HERE / platform / f"{name}.{ending}": draw(card)
        for name, card in CARDS.items()
        for platform, ending, draw in (("terminal", "txt", _terminal),)
    }


def _terminal(card: Message) -> str:
    return f"{terminal.line(card, zone=UTC)}\n\n{terminal.text(card, zone=UTC)}\n"


def _as_json(payload: object) -> str:
    return json.dumps(payload, indent=2, ensure_ascii=False) + "\n"
