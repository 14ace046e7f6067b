"""What a busy agent reports: a mixture of talk, thoughts and tool calls, of the sizes that coding agents send."""

import itertools
from collections.abc import Iterator, Sequence

from sessions.events import AgentSaid, AgentThought, FileChange, PlanEntry, PlanShown, ToolCalled, WorkerReport

_SENTENCE = "The test expects the rounded total, but `invoice.total()` sums the lines before it rounds them. "
_OUTPUT = "tests/test_billing.py::test_total_is_rounded_once PASSED                                   [ 42%]\n"
_PATCH = "@@ -10,7 +10,7 @@\n def total(lines):\n-    return sum(round(line, 2) for line in lines)\n+    return round(sum(lines), 2)\n"
CYCLE = 20
"""After so many the mixture begins again."""


def reports(count: int) -> Sequence[WorkerReport]:
    """The first so many reports of a long turn."""
    return list(itertools.islice(_reports(), count))


def _reports() -> Iterator[WorkerReport]:
    for turn in itertools.count():
        yield AgentThought(text=_SENTENCE)
        yield PlanShown(entries=tuple(PlanEntry(text=f"Step {n}", status="pending") for n in range(4)))
        for call in range(4):
            yield from _tool(f"call-{turn}-{call}", call)
        for chunk in range(CYCLE - 10):
            yield AgentSaid(message=f"m{turn}", text=_SENTENCE[: 20 + 7 * chunk])


def _tool(call: str, n: int) -> Iterator[WorkerReport]:
    title = f"Edit src/billing/invoice_{n}.py"
    yield ToolCalled(call=call, title=title, tool="edit", status="running", input='{"path": "src/billing/invoice.py"}')
    yield ToolCalled(
        call=call,
        title=title,
        tool="edit",
        status="completed",
        output=_OUTPUT * (1 + 3 * n),
        locations=("src/billing/invoice.py",),
        changes=(FileChange(path="src/billing/invoice.py", added=1, removed=1, patch=_PATCH),),
    )
