"""Permissions that the agent asks for: told to the bot, held open, and settled by a decision or by an earlier one."""

import asyncio
from typing import Literal

from runners.wire import WireInput
from runners.worker.cleaning import beginning
from runners.worker.client import Ask
from runners.worker.context import Context
from runners.worker.saved import PendingAsk, Rule
from sessions.events import InputTaken, PermissionRequested, PermissionSettled
from sessions.models import PermissionOption, Verdict

SHOWN_CHARS = 6_000
ALLOWING = frozenset({Verdict.APPROVE, Verdict.APPROVE_ALWAYS})


class Asks:
    """The open requests of one launch. One of an earlier launch is in `saved.asks` only: nobody waits for it any more."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._open: dict[str, asyncio.Future[Verdict | None]] = {}
        self._early: dict[str, WireInput] = {}
        self._count = 0

    @property
    def waiting(self) -> bool:
        """Whether the agent waits for a person now."""
        return bool(self._open)

    def ask(self, ask: Ask) -> None:
        """Take a request; a rule that fits it is used up, else the bot is told."""
        rule = self._context.saved.rules.pop(ask.call.digest, None)
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
            return
        self._count += 1
        requested = _requested(f"{self._context.launch.replace('-', '')[-10:]}.{self._count}", ask)
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

    def _known(self, grant: str) -> PendingAsk | None:
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


def _requested(request: str, ask: Ask) -> PermissionRequested:
    event = ask.call.event
    patches = "\n".join(f"{change.path}\n{change.patch}" for change in event.changes)
    return PermissionRequested(
        request=request,
        call=event.call,
        title=event.title or event.input[:200] or "a tool",
        tool=event.tool,
        input=beginning(event.input or patches, SHOWN_CHARS),
        grant=ask.call.digest,
        options=tuple(PermissionOption(kind=o.kind, label=beginning(o.name, 80)) for o in ask.options),
    )
