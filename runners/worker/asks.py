"""Permissions that the agent asks for: told to the bot, held open, and settled by a decision or by an earlier one."""

import asyncio
from pathlib import Path
from typing import Literal

from runners.wire import WireInput
from runners.worker.choices import Choices, is_question
from runners.worker.cleaning import beginning, one_line
from runners.worker.client import Answer, Ask
from runners.worker.context import Context
from runners.worker.permits import in_full, is_own_tool
from runners.worker.saved import PendingAsk, Rule
from sessions.events import InputTaken, PeopleAwaited, PermissionRequested, PermissionSettled
from sessions.models import PermissionOption, Verdict

SHOWN_CHARS = 60_000
"""People see all that they permit; far more than this nobody reads."""

ALLOWING = frozenset({Verdict.APPROVE, Verdict.APPROVE_ALWAYS})


class Asks:
    """The open requests of one launch. One of an earlier launch is in `saved.asks` only: nobody waits for it any more."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._choices = Choices(context)
        self._open: dict[str, asyncio.Future[Answer]] = {}
        self._early: dict[str, WireInput] = {}
        self._count = 0

    @property
    def waiting(self) -> bool:
        """Whether the agent waits for a person now."""
        return bool(self._open) or self._choices.waiting

    def ask(self, ask: Ask) -> None:
        """Take a request: what needs nobody's word is allowed, a question is put as one, the rest is for people to permit."""
        if is_own_tool(ask.call):
            ask.answer.set_result(Verdict.APPROVE_ALWAYS)
        elif is_question(ask):
            self._choices.hold(ask)
        else:
            self._permit(ask)

    def answer(self, said: WireInput) -> bool:
        """Answer the agent's own question; False where it waits for none that this answers."""
        return self._choices.answer(said)

    def _permit(self, ask: Ask) -> None:
        """A rule that fits the request is used up, else the bot is told."""
        rule = self._context.saved.rules.pop(ask.call.digest, None) if ask.call.digest else None
        if rule is not None:
            self._context.keep()
            ask.answer.set_result(rule.verdict)
            self._settle(rule.request, rule.verdict, by_rule=True)
            return
        known = self._known(ask.call.digest)
        if known is not None:
            # The very same was asked before, and its card still stands.
            self._open[known.request] = ask.answer
            self._remember(known)
            if known.request in self._early:
                self.decide(self._early.pop(known.request))
            else:
                self._context.tell(PeopleAwaited())
            return
        self._count += 1
        request = f"{self._context.launch.replace('-', '')[-10:]}.{self._count}"
        requested = _requested(request, ask, self._context.place.workspace)
        self._open[requested.request] = ask.answer
        self._context.tell(requested)
        self.adopt(requested)

    def adopt(self, requested: PermissionRequested) -> None:
        """Remember what was asked for, so that a decision that comes after this launch is understood."""
        self._remember(PendingAsk(request=requested.request, grant=requested.grant, title=requested.title, turn=0))

    def decide(self, decision: WireInput) -> bool:
        """Answer the request that the decision is about; False when nobody waits for it yet, or any more."""
        answer = self._open.pop(decision.request, None)
        if answer is None or decision.verdict is None:
            self._early[decision.request] = decision
            return False
        self._forget(decision.request)
        self._context.saved.taken.append(decision.ordinal)
        self._context.keep()
        self._context.tell(InputTaken(ordinal=decision.ordinal))
        self._settle(decision.request, decision.verdict)
        if not answer.done():
            answer.set_result(decision.verdict)
        return True

    def remember(self, decision: WireInput) -> str:
        """Make a rule of a decision that came after its launch had ended; answers what had been asked for."""
        asked = self._context.saved.asks.pop(decision.request, None)
        grant = decision.grant or (asked.grant if asked is not None else "")
        if grant and decision.verdict is not None:
            self._context.saved.rules[grant] = Rule(verdict=decision.verdict, request=decision.request)
        return asked.title if asked is not None else "what you were about to do"

    def withdraw(self) -> None:
        """The turn has ended and nobody waits any more; a decision that comes now is told to the agent as its next prompt."""
        for request, answer in self._open.items():
            self._context.tell(PermissionSettled(request=request, outcome="cancelled"))
            if not answer.done():
                answer.set_result(None)
        self._open.clear()
        self._choices.withdraw()

    def _known(self, grant: str) -> PendingAsk | None:
        if not grant:
            return None
        asks = self._context.saved.asks.values()
        return next((ask for ask in asks if ask.grant == grant and ask.request not in self._open), None)

    def _remember(self, asked: PendingAsk) -> None:
        saved = self._context.saved
        saved.asks[asked.request] = asked.model_copy(update={"turn": saved.turn})
        self._context.keep()

    def _forget(self, request: str) -> None:
        self._context.saved.asks.pop(request, None)

    def _settle(self, request: str, verdict: Verdict, *, by_rule: bool = False) -> None:
        outcome: Literal["allowed", "rejected"] = "allowed" if verdict in ALLOWING else "rejected"
        self._context.tell(PermissionSettled(request=request, outcome=outcome, by_rule=by_rule))


def _requested(request: str, ask: Ask, root: Path) -> PermissionRequested:
    event, whole = ask.call.event, in_full(ask.call, root) or ask.words
    return PermissionRequested(
        request=request,
        call=event.call,
        title=event.title or one_line(whole, 200) or "a tool",
        tool=event.tool,
        input=beginning(whole, SHOWN_CHARS),
        grant=ask.call.digest,
        options=tuple(PermissionOption(kind=o.kind, label=beginning(o.name, 80)) for o in ask.options),
    )
