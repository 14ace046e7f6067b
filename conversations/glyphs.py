"""The small signs and figures that cards are drawn with, the same on every platform."""

from typing import assert_never

from conversations.cleaning import one_line
from conversations.messages import Mark, Phases, Step, Title


def glyph(mark: Mark) -> str:
    match mark:
        case Mark.DONE:
            return "✓"
        case Mark.ACTIVE:
            return "●"
        case Mark.OPEN:
            return "○"
        case Mark.FAILED:
            return "✗"
        case Mark.PAUSED:
            return "⏸"
        case Mark.RUNNING:
            return "▸"
        case Mark.QUEUED:
            return "⏳"
        case Mark.SKIPPED:
            return "–"
        case _:
            assert_never(mark)


def duration(seconds: float) -> str:
    """Seconds as people read them in a card: 0m40s, 12m05s, 1h02m."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"


def title_sign(title: Title) -> str:
    """What stands before a title: its icon, or else the mark that has no status to stand with."""
    return title.icon or (glyph(title.mark) if title.mark and not title.status else "")


def title_status(title: Title) -> str:
    """What stands at a title's end: "● Planning 2/3", or nothing."""
    if title.mark is None or title_sign(title) == glyph(title.mark):
        return one_line(title.status)
    return one_line(f"{glyph(title.mark)} {title.status}")


def phases_text(phases: Phases) -> str:
    """Research ✓ 1m12s   Planning ● 0m40s   Execution ○."""
    return "   ".join(
        " ".join(
            [
                one_line(phase.label),
                glyph(phase.mark),
                *([] if phase.elapsed_s is None else [duration(phase.elapsed_s)]),
            ]
        )
        for phase in phases.marks
    )


def step_text(step: Step) -> str:
    """✓ edited billing/proration.py (+18 −4), or ✗ pytest -q · 1 failed."""
    return one_line(f"{glyph(step.mark)} {step.text}") + step_detail(step)


def step_detail(step: Step) -> str:
    """The end of a step's line, with what sets it apart."""
    detail = one_line(step.detail)
    return f" {detail}" if detail.startswith("(") else f" · {detail}" if detail else ""


def earlier_text(hidden: int) -> str:
    return f"… {hidden} earlier {'step' if hidden == 1 else 'steps'}"
