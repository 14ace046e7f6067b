"""Questions of an agent's own that come as requests for permission, with the answers as options to allow.

People answer them as they answer any question, and the request is settled by the option they choose. An answer in other
words cancels the request, and reaches the agent as its next prompt.
"""

from dataclasses import dataclass

from acp.schema import PermissionOption

from runners.wire import WireInput
from runners.worker.cleaning import beginning, one_line
from runners.worker.client import Ask
from runners.worker.context import Context
from runners.worker.questions import OPTION_CHARS
from sessions.events import InputTaken, PeopleAwaited, QuestionFiled

QUESTION_CHARS = 20_000

_IDLE_TOOLS = ("other", "think")
"""What a question may be for ACP. Whatever else can be done needs somebody who may permit it, and not just an answer."""


def is_question(ask: Ask) -> bool:
    """Whether the request offers answers: several ways to allow it, none of them for good, and nothing would be done."""
    kinds = [option.kind for option in ask.options]
    return kinds.count("allow_once") > 1 and "allow_always" not in kinds and ask.call.event.tool in _IDLE_TOOLS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """A question that the agent waits on."""

    text: str
    ask: Ask

    def option(self, words: str) -> PermissionOption | None:
        wanted = _folded(words)
        return next((option for option in self.ask.options if _folded(option.name) == wanted), None)


class Choices:
    """The agent's own questions in one launch."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._open: list[_Open] = []
        self._early: list[WireInput] = []

    @property
    def waiting(self) -> bool:
        """Whether the agent waits for an answer now."""
        return bool(self._open)

    def hold(self, ask: Ask) -> None:
        """Put the question to people and hold the request; one that was asked already is not asked again."""
        saved = self._context.saved
        asked = _Open(text=beginning(ask.words or ask.call.event.title, QUESTION_CHARS), ask=ask)
        self._open.append(asked)
        known = asked.text in saved.questions
        if not known:
            options = tuple(one_line(o.name, OPTION_CHARS) for o in ask.options if o.kind == "allow_once")
            self._context.tell(QuestionFiled(text=asked.text, options=options))
            saved.questions.append(asked.text)
        saved.asked_in_turn = saved.turn
        self._context.keep()
        if known and not self._answered_early():
            self._context.tell(PeopleAwaited())

    def answer(self, said: WireInput) -> bool:
        """Settle the question that is answered; False where the answer is for the agent's next prompt."""
        for asked in self._open:
            option = asked.option(said.text)
            if option is not None:
                self._settle(asked, said, option)
                return True
        if not self._open:
            self._early.append(said)
        elif {asked.text for asked in self._open} >= set(self._context.saved.questions):
            # Whichever is meant, none of its options is.
            self.withdraw()
        return False

    def withdraw(self) -> None:
        """The agent waits no more. The questions stay: what people say to them comes as the next prompt."""
        for asked in self._open:
            if not asked.ask.answer.done():
                asked.ask.answer.set_result(None)
        self._open.clear()

    def _answered_early(self) -> bool:
        """An answer that came before the question was asked again waits in the queue; nobody gives it a second time."""
        early = [said for said in self._early if said.ordinal not in self._context.saved.taken]
        self._early.clear()
        if early and not any(self.answer(said) for said in early):
            self.withdraw()
        return bool(early)

    def _settle(self, asked: _Open, said: WireInput, option: PermissionOption) -> None:
        saved = self._context.saved
        answered = [one for one in self._open if one.text == asked.text]
        self._open = [one for one in self._open if one.text != asked.text]
        saved.questions.remove(asked.text)
        saved.asked_in_turn = saved.turn if self._open else 0
        saved.taken.append(said.ordinal)
        self._context.keep()
        self._context.tell(InputTaken(ordinal=said.ordinal))
        for one in answered:
            if not one.ask.answer.done():
                one.ask.answer.set_result(option)


def _folded(words: str) -> str:
    return one_line(words, OPTION_CHARS).casefold()
