from dataclasses import replace
from pathlib import Path

import pytest

from runners.worker.errors import PromptBroken
from runners.worker.prompts import Name, Paper, Prompts, Task
from sessions.models import Phase

TASK = Task(
    key="4f2ab",
    title="Fix {{ 7 * 7 }}",
    description="{% raise %} {{ task.key }}",
    requester="Dana",
    project="widgets",
    branch="viberator/4f2ab-fix",
    base="main",
    phase=Phase.PLANNING,
    instructions="Use tabs.",
    test_command="make test",
    documents=[Paper(phase=Phase.RESEARCH, revision=2, author="agent", markdown="# Found {{ it }}")],
    files=[".viberator/attachments/a.png"],
)
VALUES: dict[Name, dict[str, object]] = {
    "research": {},
    "planning": {},
    "execution": {},
    "resumed": {"prompt": "Do it."},
    "replay": {"transcript": "## Turn 1"},
    "repair": {"attempt": 1, "attempts": 3, "command": "make test", "exit_code": 2, "output": "red"},
    "reminder": {"revising": False},
    "answer": {"author": "Dana", "text": "Blue.", "files": []},
    "decision": {"author": "Dana", "text": "", "title": "rm", "allowed": True, "files": []},
    "changes": {"author": "Dana", "text": "Shorter.", "files": ["a.png"]},
    "message": {"author": "Lee", "text": "And docs.", "files": []},
}


@pytest.mark.parametrize("name", VALUES)
def test_every_template_can_be_filled(name: Name) -> None:
    text = Prompts(TASK, None).fill(name, VALUES[name])
    assert text
    assert "\n\n\n\n" not in text


def test_what_people_and_agents_wrote_is_never_a_template() -> None:
    text = Prompts(TASK, None).fill("planning")
    for verbatim in ("Fix {{ 7 * 7 }}", "{% raise %} {{ task.key }}", "# Found {{ it }}"):
        assert verbatim in text
    assert "Use tabs." in text


def test_a_project_may_have_a_template_of_its_own_and_use_parts_of_ours(tmp_path: Path) -> None:
    (tmp_path / "planning.md.j2").write_text('House rules.\n{% include "_task.md.j2" %}')
    prompts = Prompts(TASK, tmp_path)
    assert prompts.fill("planning").startswith("House rules.\n# Fix")
    assert prompts.fill("research").startswith("# Fix")


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("a\n{% if %}", 2),
        ("{{ nothing }}", 0),
        ("{{ ''.__class__.__mro__ }}", 0),
        ("{{ 1 / 0 }}", 0),
        ('{% include "x" %}', 0),
    ],
)
def test_a_broken_template_is_named_with_its_line(tmp_path: Path, template: str, line: int) -> None:
    (tmp_path / "planning.md.j2").write_text(template)
    with pytest.raises(PromptBroken) as broken:
        Prompts(TASK, tmp_path).fill("planning")
    assert broken.value.line == line


def test_without_documents_an_execution_follows_the_ticket() -> None:
    text = Prompts(replace(TASK, phase=Phase.EXECUTION, documents=[]), None).fill("execution")
    assert "Do what the ticket asks for" in text
    assert "`make test` must pass" in text
