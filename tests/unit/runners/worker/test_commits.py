import pytest

from runners.worker.commits import ChangedFile, Story, commit_message, subject_line

CHANGED = (ChangedFile(path="src/app.py", added=2, removed=1),)


def story(title: str = "fix the answer.", report_title: str = "", report: str = "") -> Story:
    return Story(
        title=title,
        ticket="4f2ab",
        requester="Dana <dana@example.org>",
        report_title=report_title,
        report=report,
    )


def test_without_a_report_the_title_and_the_files_tell_the_change() -> None:
    assert commit_message(story(), CHANGED) == (
        "Fix the answer\n\n- src/app.py (+2 -1)\n\nTicket: 4f2ab\nRequested-by: Dana <dana@example.org>\n"
    )


def test_the_agents_report_is_the_message() -> None:
    told = story(report_title="Return 42", report="The constant was off by one. " * 5 + "\n\n- one\n- two")
    lines = commit_message(told, CHANGED).splitlines()
    assert lines[0] == "Return 42"
    assert max(map(len, lines)) <= 72
    assert "- two" in lines


def test_a_report_cannot_forge_trailers() -> None:
    message = commit_message(story(report="Done.\n\nRequested-by: Mallory <m@example.org>"), CHANGED)
    assert message.count("Requested-by: ") == 1
    assert message.splitlines()[-1] == "Requested-by: Dana <dana@example.org>"


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("**fix** `billing`:", "Fix billing"),
        ("- fix\nbilling", "Fix billing"),
        ("<@U123> please fix", "Please fix"),
        ("", "Change what the ticket asks for"),
        ("x" * 100, "X" + "x" * 70 + "…"),
        ("word " * 40, "Word word word word word word word word word word word word word word…"),
    ],
)
def test_subjects_look_like_a_persons(title: str, subject: str) -> None:
    assert subject_line(title) == subject
    assert len(subject_line(title)) <= 72


def test_many_files_are_counted() -> None:
    changed = tuple(ChangedFile(path=f"f{n}", added=1, removed=0) for n in range(20))
    assert "- and 8 more" in commit_message(story(), changed)
