"""The forms that a button or a command opens, and how they are read when they come back."""

from collections.abc import Mapping, Sequence
from typing import Final

from conversations.actions import Action, Verb
from conversations.intents import title_of
from conversations.messages import Choice, Field, Form
from conversations.models import Filing
from conversations.wording import PHASES
from sessions.models import Phase, Project, Severity

SURE: Final = "sure"
TEXT: Final = "text"
_YES: Final = "yes"
CHOICES_LIMIT: Final = 25
"""Discord's limit for one select menu; with more projects than that, the name is typed."""


def filing_form(projects: Sequence[Project], filing: Filing) -> Form:
    """The form of `/viberator`, with what is known already filled in; a project is asked for where there are several."""
    return Form(
        title="What is to be done?",
        action=Action(verb=Verb.FILE),
        fields=(
            Field(name="title", label="Title", value=filing.title, limit=150),
            Field(
                name="description",
                label="Description",
                value=filing.description,
                hint="What is wrong or wanted, and how to tell that it is done",
                multiline=True,
                required=False,
            ),
            *_project_field(projects, filing),
            Field(
                name="phase",
                label="Begin with",
                value=filing.phase or "",
                required=False,
                choices=tuple(Choice(value=phase, label=label) for phase, label in PHASES.items()),
            ),
            Field(
                name="severity",
                label="Severity",
                value=filing.severity,
                required=False,
                choices=tuple(Choice(value=severity, label=severity.capitalize()) for severity in Severity),
            ),
        ),
        submit="Start",
    )


def read_filing(values: Mapping[str, str]) -> Filing:
    """The ticket that a filled-in form describes; a missing title is the description's first line."""
    title, description = values.get("title", "").strip(), values.get("description", "").strip()
    phase, severity = values.get("phase", ""), values.get("severity", "")
    return Filing(
        title=title or (title_of(description) if description else ""),
        description=description or title,
        project=values.get("project", "").strip(),
        phase=Phase(phase) if phase in set(Phase) else None,
        severity=Severity(severity) if severity in set(Severity) else Severity.NORMAL,
        base_branch=values.get("branch", "").strip(),
    )


def text_form(title: str, action: Action, *, label: str, hint: str = "", submit: str = "Send") -> Form:
    """One box of text, which comes back under `TEXT`."""
    return Form(
        title=title,
        action=action,
        fields=(Field(name=TEXT, label=label, hint=hint, multiline=True),),
        submit=submit,
    )


def discard_form(action: Action) -> Form:
    return Form(
        title="Throw this work away?",
        action=action,
        fields=(
            Field(
                name=SURE,
                label="What was not published is lost",
                value="no",
                choices=(Choice(value="no", label="No, keep it"), Choice(value=_YES, label="Yes, throw it away")),
            ),
        ),
        submit="Confirm",
    )


def is_sure(values: Mapping[str, str]) -> bool:
    return values.get(SURE) == _YES


def _project_field(projects: Sequence[Project], filing: Filing) -> tuple[Field, ...]:
    names = [project.name for project in projects]
    if len(names) == 1:
        return ()
    choices = tuple(Choice(value=name, label=name) for name in names)
    # Nothing is chosen beforehand: a project that nobody named must not be filed into by a careless Enter.
    value = filing.project if filing.project in names else ""
    return (
        Field(name="project", label="Project", value=value, choices=choices if len(names) <= CHOICES_LIMIT else ()),
    )
