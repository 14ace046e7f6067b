"""The six cards a thread is made of (and what two of them become), as messages; their drawings are in tests/golden."""

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from conversations.actions import Action, Verb
from conversations.markdown import parse
from conversations.messages import (
    Button,
    ButtonStyle,
    Code,
    Line,
    Link,
    Mark,
    Message,
    Moment,
    Mono,
    Name,
    PhaseMark,
    Phases,
    Prose,
    Step,
    Steps,
    Strong,
    TextFile,
    Title,
    Tone,
)
from sessions.models import InstallationId, Person

TICKET: Final = "4f2k9"
DIGEST: Final = "9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de"
INSTALLATION: Final = InstallationId(UUID("01939e9e-0000-7000-8000-000000000001"))
DANA: Final = Person(installation=INSTALLATION, external_id="U0DANA", name="dana")
DANA_ON_DISCORD: Final = Person(installation=INSTALLATION, external_id="135000000000000001", name="dana")

PLAN: Final = """\
## Plan

The invoice of an **annual** customer without a discount fails, because `proration.py` multiplies by `None`.

1. Guard against a missing discount in `billing/proration.py`
2. Add a regression test for [#412](https://github.com/acme/api/issues/412)
3. Note it in the changelog

```python
def prorated(amount: Decimal, discount: Decimal | None) -> Decimal:
    return amount * (1 - (discount or 0))
```

> Not doing: the schema migration.

| file | change |
|---|---|
| billing/proration.py | guard |
| tests/test_billing.py | new test |
"""

ROOT: Final = Message(
    tone=Tone.WORKING,
    parts=(
        Title(icon="🛠", text="Fix 500 on /api/billing", status="Planning 2/3", mark=Mark.ACTIVE),
        Line(
            spans=(
                *("acme/api @ main → ", Mono("viberator/4f2k9-billing-500")),
                *(" · Claude Code · for ", Name("dana")),
            )
        ),
        Phases(
            marks=(
                PhaseMark(label="Research", mark=Mark.DONE, elapsed_s=72.4),
                PhaseMark(label="Planning", mark=Mark.ACTIVE, elapsed_s=40),
                PhaseMark(label="Execution", mark=Mark.OPEN),
            )
        ),
    ),
    buttons=(
        Button(label="Stop", action=Action(verb=Verb.STOP, ticket=TICKET, ordinal=2), style=ButtonStyle.DANGER),
        Link(label="Watch ↗", url="https://viberator.example/4f2k9"),
    ),
    footer=("Mention me to add to the queue",),
    live=True,
)

PROGRESS: Final = Message(
    tone=Tone.WORKING,
    parts=(
        Title(icon="", text="Execution · step 14 · 3m05s", mark=Mark.ACTIVE),
        Steps(
            hidden=11,
            steps=(
                Step(mark=Mark.FAILED, text="pytest tests/billing -q", detail="1 failed, 12 passed"),
                Step(mark=Mark.DONE, text="edited billing/proration.py", detail="(+18 −4)"),
                Step(mark=Mark.RUNNING, text="pytest tests/billing -q"),
            ),
        ),
        Line(spans=("⏳ queued: 1 from ", Name("lee")), muted=True),
    ),
    buttons=(
        Button(label="Send now", action=Action(verb=Verb.SEND_NOW, ticket=TICKET, ordinal=1)),
        Button(label="Remove", action=Action(verb=Verb.REMOVE, ticket=TICKET, ordinal=1)),
    ),
    live=True,
)

APPROVAL: Final = Message(
    tone=Tone.WAITING,
    parts=(Title(icon="✋", text="Plan v2 · 3 files · low risk"), Prose(markup=parse(PLAN))),
    buttons=(
        Button(
            label="Approve & run",
            action=Action(verb=Verb.APPROVE, ticket=TICKET, ordinal=3, digest=DIGEST),
            style=ButtonStyle.PRIMARY,
        ),
        Button(
            label="Request changes", action=Action(verb=Verb.REQUEST_CHANGES, ticket=TICKET, ordinal=3, digest=DIGEST)
        ),
        Button(
            label="Reject",
            action=Action(verb=Verb.REJECT, ticket=TICKET, ordinal=3, digest=DIGEST),
            style=ButtonStyle.DANGER,
        ),
    ),
    footer=("Deciders: ", Name("dana"), ", ", Name("lee")),
    mentions=(DANA,),
    files=(TextFile(name="plan-v2.md", text=PLAN),),
)

DECIDED: Final = Message(
    tone=Tone.GOOD,
    parts=(
        Title(icon="✋", text="Plan v2 · 3 files · low risk"),
        Prose(markup=parse(PLAN)),
        Line(
            spans=(
                *("✓ ", Strong("Approved"), " by ", Name("dana"), " "),
                *(Moment(datetime(2026, 11, 21, 14, 2, tzinfo=UTC)), " (v2)"),
            )
        ),
    ),
    files=(TextFile(name="plan-v2.md", text=PLAN),),
)

QUESTION: Final = Message(
    tone=Tone.WAITING,
    parts=(
        Title(icon="❓", text="Claude Code asks"),
        Prose(markup=parse("Should an invoice **without** a discount show `0 %`, or leave the line out?")),
    ),
    buttons=(
        Button(label="Show 0 %", action=Action(verb=Verb.ANSWER, ticket=TICKET, ordinal=1, choice=1)),
        Button(label="Leave it out", action=Action(verb=Verb.ANSWER, ticket=TICKET, ordinal=1, choice=2)),
        Button(label="Something else…", action=Action(verb=Verb.ANSWER_OTHER, ticket=TICKET, ordinal=1)),
    ),
    mentions=(DANA,),
)

FINAL: Final = Message(
    tone=Tone.GOOD,
    parts=(
        Title(icon="✅", text="Branch ready — Fix 500 on /api/billing"),
        Line(spans=("Cause: discount was None. 3 files +41 −6 · 128 tests pass",)),
        Line(spans=(Mono("viberator/4f2k9-billing-500"), " on acme/api, from main")),
        Code(text="git fetch origin && git diff main...origin/viberator/4f2k9-billing-500", language="sh"),
    ),
    buttons=(
        Link(label="View diff ↗", url="https://git.example/acme/api/compare/main...viberator/4f2k9-billing-500"),
        Button(label="Follow up", action=Action(verb=Verb.FOLLOW_UP, ticket=TICKET, ordinal=3)),
    ),
    footer=("12m40s · Claude Code · $1.31",),
    mentions=(DANA,),
)

ERROR: Final = Message(
    tone=Tone.BAD,
    parts=(
        Title(icon="⚠️", text="The remote refused the push"),
        Line(spans=("It answered: ", Mono("403: no Contents:write on acme/api"))),
        Line(spans=(Strong("Safe:"), " 3 commits saved, nothing published.")),
    ),
    buttons=(
        Button(
            label="Retry push",
            action=Action(verb=Verb.RETRY, ticket=TICKET, ordinal=3),
            style=ButtonStyle.PRIMARY,
        ),
        Button(label="Details", action=Action(verb=Verb.DETAILS, ticket=TICKET, ordinal=7)),
    ),
    footer=("ref 4f2k9/7",),
    mentions=(DANA,),
)

STOPPED: Final = Message(
    tone=Tone.QUIET,
    parts=(
        Title(icon="⏸", text="Stopped by @dana after 3m05s"),
        Steps(
            steps=(
                Step(mark=Mark.DONE, text="edited billing/proration.py", detail="(+18 −4)"),
                Step(mark=Mark.PAUSED, text="pytest tests/billing -q", detail="in flight"),
                Step(mark=Mark.OPEN, text="changelog", detail="left"),
            )
        ),
        Line(spans=("The work is saved.",)),
    ),
    buttons=(
        Button(
            label="Resume",
            action=Action(verb=Verb.RESUME, ticket=TICKET, ordinal=3),
            style=ButtonStyle.PRIMARY,
        ),
        Button(label="Discard", action=Action(verb=Verb.DISCARD, ticket=TICKET, ordinal=3), style=ButtonStyle.DANGER),
    ),
    mentions=(DANA,),
)

CARDS: Final = MappingProxyType(
    {
        "root": ROOT,
        "progress": PROGRESS,
        "approval": APPROVAL,
        "decided": DECIDED,
        "question": QUESTION,
        "final": FINAL,
        "error": ERROR,
        "stopped": STOPPED,
    }
)
