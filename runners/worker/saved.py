"""What one launch of a session leaves for the next in `state/worker.json`, beside what the server knows."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from runners.worker.cleaning import beginning
from sessions.events import ToolCalled
from sessions.models import Verdict

WORDS_CHARS = 2_000

Stage = Literal["task", "turn", "settle", "waiting"]
"""What comes next: the first prompt; a turn was under way; a turn has ended and is to be looked at; people are waited for."""


class PendingAsk(BaseModel):
    """A permission that the agent was waiting for in turn `turn`; 0 when it does not wait for it any more."""

    model_config = ConfigDict(frozen=True)

    request: str
    grant: str
    title: str
    turn: int


class Rule(BaseModel):
    """A decision that is good for one repeat of what it was asked about."""

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    request: str


class Saved(BaseModel):
    """The state of a session's worker; changed in place and written after each step that must not be taken twice.

    `asked_in_turn` is the turn in which the agent waits for the answer to a question of its own; 0 when it does not.
    """

    stage: Stage = "task"
    agent_session: str = ""
    turn: int = 0
    prompt: str = ""
    taken: list[int] = []
    questions: list[str] = []
    asked_in_turn: int = 0
    asks: dict[str, PendingAsk] = {}
    rules: dict[str, Rule] = {}
    open_calls: list[ToolCalled] = []
    document: str = ""
    submitted: bool = False
    revising: bool = False
    reminded: bool = False
    repairs: int = 0
    said: str = ""
    report_title: str = ""
    report: str = ""
    cost_usd: float = 0.0

    @property
    def words(self) -> str:
        """What the agent has to say about its work: its report, or else its last message."""
        return beginning(self.report or self.said, WORDS_CHARS)

    @property
    def held_up(self) -> bool:
        """Whether the turn that was under way waits for a decision or an answer."""
        asked = bool(self.questions) and self.asked_in_turn == self.turn
        return asked or any(ask.turn == self.turn for ask in self.asks.values())

    def release(self) -> None:
        """Nobody waits for decisions any more; one that comes all the same is still understood."""
        self.asks = {key: ask.model_copy(update={"turn": 0}) for key, ask in self.asks.items()}
        self.asked_in_turn = 0


class StateFile:
    """Where it is kept; a torn or foreign file reads as nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Saved | None:
        try:
            return Saved.model_validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, saved: Saved) -> None:
        """Replace what is kept, whole or not at all."""
        part = self._path.with_suffix(".part")
        part.write_text(saved.model_dump_json())
        part.replace(self._path)


def first_state(turns: int, *, agent_session: str, submitted: bool) -> Saved:
    """The state where the file is lost, from what the server knows."""
    stage: Stage = "task" if turns == 0 else "waiting" if submitted else "turn"
    return Saved(stage=stage, turn=turns, agent_session=agent_session, submitted=submitted)
