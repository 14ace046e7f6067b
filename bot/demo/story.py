"""The story that the scripted agent tells: which steps it takes, from what it remembers. Pure."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.demo.memory import Memory
from bot.demo.prompts import PHASES, Kind, interrupted, phase_named, plan_refuses, read_kind, said
from bot.demo.steps import AskPermission, Edit, Plan, Read, Run, Say, Step, Think, Write

BILLING, TESTS, CHANGELOG = "widgets/billing.py", "tests/test_billing.py", "CHANGELOG.md"
COMMAND = ("python3", "-m", "tests")
ZERO, REFUSE = "Count it as zero", "Refuse it with an error"
QUESTION = f"""\
A customer without a discount makes `discounted()` fail. Should a missing discount count as zero, or be refused?

- {ZERO}
- {REFUSE}
"""

_DOCUMENTS = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("documents")),
    undefined=StrictUndefined,
    trim_blocks=True,
    autoescape=False,  # noqa: S701 (markdown, which every platform's writer escapes)
)

_OLD_LINE = "    return subscription.monthly * (100 - subscription.discount) / 100\n"
_ZERO_LINE = "    return subscription.monthly * (100 - (subscription.discount or 0)) / 100\n"
_REFUSE_LINES = (
    "    if subscription.discount is None:\n"
    '        raise ValueError("the subscription has no discount; say 0 where there is none")\n'
)
_OLD_TEST = """\
    def test_a_customer_without_a_discount_pays_the_full_price(self):
        self.assertEqual(prorate(Subscription("30.00"), 30, 30), Decimal("30.00"))
"""
_REFUSE_TEST = """\
    def test_a_subscription_without_a_discount_is_refused(self):
        with self.assertRaises(ValueError):
            prorate(Subscription("30.00"), 30, 30)
"""
_LAST_CHANGE = "- Discounts are taken off before the month is divided.\n"


def hear(memory: Memory, prompt: str) -> Memory:
    """What the agent has to do after a prompt: go on where it was, or begin something."""
    kind = read_kind(prompt)
    if kind is Kind.DECISION and memory.script is not None:
        return _unfinished(memory)
    if interrupted(prompt) and memory.prompt and memory.prompt in prompt and kind in (memory.script, Kind.MESSAGE):
        return _unfinished(memory)
    began = memory.model_copy(
        update={"script": kind, "step": 0, "prompt": prompt, "turns": memory.turns + 1, **_facts(memory, kind, prompt)}
    )
    return began if began.script in _SCRIPTS else began.model_copy(update={"script": Kind.UNKNOWN})


def next_step(memory: Memory) -> Step | None:
    """The step to take, or None at the end of the turn."""
    steps = _steps(memory)
    return steps[memory.step] if memory.step < len(steps) else None


def _unfinished(memory: Memory) -> Memory:
    """Go on; a turn of which only the end was lost says its last words again, since nobody may have heard them."""
    return memory.model_copy(update={"step": min(memory.step, len(_steps(memory)) - 1)})


def _facts(memory: Memory, kind: Kind, prompt: str) -> dict[str, object]:
    """What the prompt tells beside what to do."""
    match kind:
        case Kind.ANSWER:
            answer = said(prompt)
            return {"answer": answer, "refuse": _means_refusal(answer)}
        case Kind.CHANGES:
            return {"comments": (*memory.comments, said(prompt)), "phase": phase_named(prompt) or memory.phase}
        case Kind.REMINDER:
            return {"phase": phase_named(prompt) or memory.phase}
        case Kind.EXECUTION:
            return {"refuse": plan_refuses(prompt), "phase": kind, "allowed": None, "runs": {}}
        case phase if phase in PHASES:
            return {"phase": phase}
        case _:
            return {}


def _means_refusal(answer: str) -> bool:
    words = answer.lower()
    return answer == REFUSE or any(word in words for word in ("refuse", "error", "reject", "raise"))


def _steps(memory: Memory) -> tuple[Step, ...]:
    return _SCRIPTS[memory.script or Kind.UNKNOWN](memory)


# ── the scripts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _research(memory: Memory) -> tuple[Step, ...]:
    plan = ("Read the test that is red", "Read the code it calls", "Write down the cause")
    return (
        Think(text="The ticket names a red test. First the test, then the code behind it."),
        Plan(entries=plan, done=0),
        Read(call="research.test", path=TESTS),
        Plan(entries=plan, done=1),
        Read(call="research.code", path=BILLING),
        Say(text="`discounted()` takes the discount from 100, and since the last commit the discount may be `None`."),
        Read(call="research.changelog", path=CHANGELOG),
        Plan(entries=plan, done=2),
        _document(memory, Kind.RESEARCH),
        Plan(entries=plan, done=3),
        Say(text="The research is written: a missing discount is subtracted as if it were a number."),
    )


def _question(_memory: Memory) -> tuple[Step, ...]:
    return (
        Read(call="planning.code", path=BILLING),
        Think(text="Both ways are a few lines. Which one is right is not in the code: it is for the people to say."),
        Write(call="planning.question", path=".viberator/question.md", text=QUESTION),
        Say(text="Before I plan, I need to know what a missing discount means to you."),
    )


def _answered(memory: Memory) -> tuple[Step, ...]:
    if memory.phase is not Kind.PLANNING:
        return _chat(memory)
    return (
        Think(text="Now I know what a missing discount means."),
        _document(memory, Kind.PLANNING),
        Say(text=f"The plan is written. A missing discount {'is refused' if memory.refuse else 'counts as zero'}."),
    )


def _revised(memory: Memory) -> tuple[Step, ...]:
    return (
        Think(text="They want changes. I write the document again, with the comment in it."),
        _document(memory, memory.phase, revision=len(memory.comments) + 1),
        Say(text=f"The {memory.phase} document is written again, with your comment: “{memory.comments[-1]}”"),
    )


def _reminded(memory: Memory) -> tuple[Step, ...]:
    return (_document(memory, memory.phase), Say(text=f"The {memory.phase} document is written."))


def _execution(memory: Memory) -> tuple[Step, ...]:
    edits = _edits(refuse=memory.refuse)
    plan = ("See the test fail", *(f"Change {edit.path}" for edit in edits), "See the tests pass")
    before: tuple[Step, ...] = (
        Plan(entries=plan, done=0),
        AskPermission(call="execution.red", title="Run the tests, before and after the change", command=COMMAND),
    )
    changes: list[Step] = []
    for done, edit in enumerate(edits, start=1):
        changes += [Plan(entries=plan, done=done), edit]
    if memory.allowed is False:
        refused = "I may not run the tests, so I make the change without having seen them."
        return (*before, Say(text=refused), *changes, Say(text=_report(memory)))
    return (
        *before,
        Run(call="execution.red", title=" ".join(COMMAND), command=COMMAND),
        Think(text="Red, as the research says. The cause is the line that the trace ends in."),
        *changes,
        Plan(entries=plan, done=len(edits) + 1),
        Run(call="execution.green", title=" ".join(COMMAND), command=COMMAND),
        Plan(entries=plan, done=len(plan)),
        Say(text=_report(memory)),
    )


def _repair(_memory: Memory) -> tuple[Step, ...]:
    return (
        Run(call="repair.tests", title=" ".join(COMMAND), command=COMMAND),
        Say(text="I am a script and know one repair only, which is made already. A real agent would look further."),
    )


def _chat(_memory: Memory) -> tuple[Step, ...]:
    return (
        Say(
            text="I am a script: I can tell the story of the missing discount and nothing else. "
            "A real agent would answer you here."
        ),
    )


_SCRIPTS = {
    Kind.RESEARCH: _research,
    Kind.PLANNING: _question,
    Kind.ANSWER: _answered,
    Kind.CHANGES: _revised,
    Kind.REMINDER: _reminded,
    Kind.EXECUTION: _execution,
    Kind.REPAIR: _repair,
    Kind.MESSAGE: _chat,
    Kind.UNKNOWN: _chat,
}


def _document(memory: Memory, phase: Kind, *, revision: int = 1) -> Write:
    text = _DOCUMENTS.get_template(f"{phase}.md.j2").render(
        comments=memory.comments, answer=memory.answer, refuse=memory.refuse
    )
    return Write(call=f"{phase}.document.{revision}", path=f".viberator/{phase}.md", text=text.strip() + "\n")


def _edits(*, refuse: bool) -> tuple[Edit, ...]:
    code = _REFUSE_LINES + _OLD_LINE if refuse else _ZERO_LINE
    line = "- A missing discount is refused.\n" if refuse else "- A missing discount counts as zero.\n"
    test = (Edit(call="execution.test", path=TESTS, old=_OLD_TEST, new=_REFUSE_TEST),) if refuse else ()
    return (
        Edit(call="execution.fix", path=BILLING, old=_OLD_LINE, new=code),
        *test,
        Edit(call="execution.changelog", path=CHANGELOG, old=_LAST_CHANGE, new=_LAST_CHANGE + line),
    )


def _report(memory: Memory) -> str:
    what = "is refused with an error that says so" if memory.refuse else "counts as zero"
    red, green = memory.runs.get("execution.red"), memory.runs.get("execution.green")
    how = f"The tests before: {red}. And now: {green}." if red and green else "I have not run the tests."
    return f"A missing discount now {what}; before, `discounted()` subtracted it from 100. {how}"
