"""What the agent is told, from templates that people edit; all that they are filled with is a value, never a template.

A project may put `<name>.md.j2` of its own in a folder that the agent cannot write; what it leaves out is ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined, TemplateError
from jinja2.exceptions import TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runners.worker.errors import PromptBroken
from sessions.models import Phase

Name = Literal[
    "research",
    "planning",
    "execution",
    "resumed",
    "replay",
    "repair",
    "reminder",
    "answer",
    "decision",
    "changes",
    "message",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """An approved document of an earlier phase."""

    phase: Phase
    revision: int
    author: str
    markdown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What every template may speak of. `files` are attachments, by their place in the workspace."""

    key: str
    title: str
    description: str
    requester: str
    project: str
    branch: str
    base: str
    phase: Phase
    instructions: str
    test_command: str
    documents: Sequence[Paper]
    files: Sequence[str]


class Prompts:
    """The templates of one session; `own` is the project's folder of them, None where it has none."""

    def __init__(self, task: Task, own: Path | None) -> None:
        loaders: list[BaseLoader] = [PackageLoader("runners.worker", "templates")]
        if own is not None:
            loaders.insert(0, FileSystemLoader(own))
        self._task = task
        self._templates = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader(loaders),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,
        )

    def fill(self, name: Name, values: Mapping[str, object] | None = None) -> str:
        """The text of a prompt; raises `PromptBroken`."""
        file = f"{name}.md.j2"
        try:
            template = self._templates.get_template(file)
            return template.render({"task": self._task, **(values or {})}).strip()
        except TemplateSyntaxError as error:
            raise PromptBroken(error.name or file, error.lineno, error.message or "") from error
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, OSError) as error:
            raise PromptBroken(file, 0, str(error)) from error
