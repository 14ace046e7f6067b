"""The last few things an agent did, and how many there were: bounded, however long the session."""

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final, Literal

from conversations.cleaning import one_line
from sessions.events import TestsRun, ToolCalled

ENDED_KEPT: Final = 5
RUNNING_KEPT: Final = 12
SEEN_KEPT: Final = 64
LONGEST_TITLE: Final = 160

Status = Literal["pending", "running", "completed", "failed", "interrupted"]
_OPEN: Final = frozenset[Status]({"pending", "running"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts:
    """One tool call or test run. `changed` is the number of files it edited, `path` the first of them."""

    call: str
    tool: str
    title: str
    status: Status
    position: int
    changed: int = 0
    path: str = ""
    added: int = 0
    removed: int = 0

    @property
    def open(self) -> bool:
        return self.status in _OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLog:
    """`shown` are the steps that still run and the last that ended, as they began; `count` is of distinct tool calls.

    An agent may report on a call long after others began. Calls that run stay in `shown`, so they are known; of the
    others the last `SEEN_KEPT` are remembered by a short digest in `seen`. A report on one of these that is not shown any
    more changes nothing, neither a line nor the count. Only a call that ended more than that many calls ago would be
    counted again, which no agent was seen to do.
    """

    shown: tuple[StepFacts, ...] = ()
    seen: tuple[str, ...] = ()
    count: int = 0


NO_STEPS: Final = StepLog()


def with_call(log: StepLog, called: ToolCalled, *, position: int) -> StepLog:
    """The log after a report on a tool call, whether it is new or known.

    One that is first heard of as interrupted belongs to an earlier launch, and was taken out when this one began.
    """
    step = _of_call(called, position)
    if any(shown.call == step.call for shown in log.shown):
        return replace(log, shown=_kept(tuple(step if one.call == step.call else one for one in log.shown)))
    if (mark := _mark(called.call)) in log.seen or step.status == "interrupted":
        return log
    return StepLog(shown=_kept((*log.shown, step)), seen=(*log.seen, mark)[-SEEN_KEPT:], count=log.count + 1)


def with_tests(log: StepLog, run: TestsRun, *, position: int) -> StepLog:
    """The log after the project's tests were run before publishing, which the agent may have done by itself before."""
    step = StepFacts(
        call=f"tests@{position}",
        tool="tests",
        title=f"{one_line(run.command)[:LONGEST_TITLE]}, before publishing",
        status="completed" if run.passed else "failed",
        position=position,
    )
    return replace(log, shown=_kept((*log.shown, step)))


def closed(log: StepLog, *, position: int) -> StepLog:
    """Nothing runs any more: what did was interrupted."""
    if not any(step.open for step in log.shown):
        return log
    return replace(
        log,
        shown=_kept(
            tuple(replace(one, status="interrupted", position=position) if one.open else one for one in log.shown)
        ),
    )


def relaunched(log: StepLog, *, position: int) -> StepLog:
    """What was cut off with the old process is taken out, since the new one does it again or has no use for it.

    A new process of the agent may count its calls from one again, so none of the old ones is known by its id.
    """
    shown = closed(log, position=position).shown
    whole = tuple(replace(step, call="") for step in shown if step.status != "interrupted")
    return StepLog(shown=whole, count=log.count - (len(shown) - len(whole)))


def _of_call(called: ToolCalled, position: int) -> StepFacts:
    return StepFacts(
        call=called.call,
        tool=called.tool,
        title=one_line(called.title)[:LONGEST_TITLE],
        status=called.status,
        position=position,
        changed=len({change.path for change in called.changes}),
        path=one_line(called.changes[0].path)[:LONGEST_TITLE] if called.changes else "",
        added=sum(change.added for change in called.changes),
        removed=sum(change.removed for change in called.changes),
    )


def _kept(steps: tuple[StepFacts, ...]) -> tuple[StepFacts, ...]:
    ended = [step for step in steps if not step.open][-ENDED_KEPT:]
    running = [step for step in steps if step.open][-RUNNING_KEPT:]
    kept = {id(step) for step in (*ended, *running)}
    return tuple(step for step in steps if id(step) in kept)


def _mark(call: str) -> str:
    return blake2b(call.encode(errors="replace"), digest_size=6).hexdigest()
