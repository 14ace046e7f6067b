"""The terminal's own thread, on disk: every card posted and everything said, one JSON line each, appended before it is shown.

A terminal forgets what it showed when it closes, so this file is what other platforms keep on their servers. It lets a
lost answer be read back (`find`), a thread be shown again after a restart, and two runs of a story be compared.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One card as it was last shown. `buttons` are (label, encoded action); `asks`: it waits for a person."""

    id: str
    slot: str
    nonce: str
    line: str
    text: str
    buttons: tuple[tuple[str, str], ...]
    asks: bool
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something the person at this terminal wrote or pressed; `taken` once the bot has stored it."""

    id: str
    text: str
    action: str = ""
    values: tuple[tuple[str, str], ...] = ()
    taken: bool = False


class JournalTaken(Exception):
    """Another process has this thread open."""


@contextmanager
def opened(path: Path) -> Iterator["Journal"]:
    """The journal for as long as the block runs; raises `JournalTaken` while another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalTaken from None
        yield Journal(path)


class Journal:
    """The thread's file and its present state. One process writes to it at a time: see `opened`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cards: dict[str, Shown] = {}
        self._said: dict[str, Said] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        for record in _records(path):
            self._apply(record)
        _end_last_line(path)

    @property
    def cards(self) -> tuple[Shown, ...]:
        """In the order in which they were first posted."""
        return tuple(self._cards.values())

    @property
    def untaken(self) -> tuple[Said, ...]:
        """What was said when the bot died before it could store it."""
        return tuple(said for said in self._said.values() if not said.taken)

    def asking(self) -> tuple[Shown, ...]:
        """The cards that wait for a person, the newest last."""
        return tuple(card for card in self._cards.values() if card.asks)

    def find(self, *, slot: str) -> Shown | None:
        return next((card for card in self._cards.values() if card.slot == slot), None)

    def next_card_id(self) -> str:
        return f"m{len(self._cards) + 1}"

    def next_said_id(self) -> str:
        return f"s{len(self._said) + 1}"

    def show(self, card: Shown) -> None:
        self._write(
            {
                "op": "card",
                "id": card.id,
                "slot": card.slot,
                "nonce": card.nonce,
                "line": card.line,
                "text": card.text,
                "buttons": [list(button) for button in card.buttons],
                "asks": card.asks,
                "live": card.live,
            }
        )

    def say(self, said: Said) -> None:
        values = [list(pair) for pair in said.values]
        self._write({"op": "said", "id": said.id, "text": said.text, "action": said.action, "values": values})

    def take(self, said_id: str) -> None:
        self._write({"op": "taken", "id": said_id})

    def _write(self, record: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._apply(record)

    def _apply(self, record: dict[str, Any]) -> None:
        match record["op"]:
            case "card":
                fields = {name: record[name] for name in ("id", "slot", "nonce", "line", "text", "asks", "live")}
                self._cards[record["id"]] = Shown(**fields, buttons=_pairs(record["buttons"]))
            case "said":
                self._said[record["id"]] = Said(
                    id=record["id"], text=record["text"], action=record["action"], values=_pairs(record["values"])
                )
            case "taken":
                self._said[record["id"]] = replace(self._said[record["id"]], taken=True)
            case _:
                pass


def _pairs(value: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in value)


def _end_last_line(path: Path) -> None:
    """So that what a crash cut short spoils nothing that is written after it."""
    if path.exists() and not path.read_bytes().endswith(b"\n"):
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")


def _records(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").split("\n"):
        try:
            yield json.loads(line)
        except ValueError:
            # The machine died while the last line was being written; that card was never shown as a whole.
            continue
