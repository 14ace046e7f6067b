"""Which tests run: the optional parts, chosen once a run, and told at its end."""

import os
from collections import Counter

import pytest
from hypothesis import settings

from tests.parts import PARTS, Choice, PartMissing, PartUnknown, choose

# The machine that runs the tests may be slow, and a red run must be red again.
settings.register_profile("viberator", deadline=None, derandomize=True)
settings.load_profile("viberator")

_CHOICE = pytest.StashKey[Choice]()
_NEEDS = "needs"
_LEFT_OUT = "left out"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-parts", action="store_true", help="run the tests of every optional part that is here")


def pytest_configure(config: pytest.Config) -> None:
    environ = os.environ  # noqa: TID251 (the run is the program here, and this is where its settings come in)
    try:
        config.stash[_CHOICE] = choose(PARTS, environ, all_present=bool(config.getoption("--all-parts")))
    except (PartUnknown, PartMissing) as problem:
        raise pytest.UsageError(str(problem)) from problem


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if unknown := [name for name in _needs(item) if name not in PARTS]:
            raise pytest.UsageError(f"{item.nodeid} needs {unknown}, which tests/parts.py does not know")


def pytest_runtest_setup(item: pytest.Item) -> None:
    choice = item.config.stash[_CHOICE]
    for name in _needs(item):
        # User properties are what the processes of pytest-xdist hand back to the one that writes the summary.
        item.user_properties.append((_NEEDS, name))
    for name in _needs(item):
        if reason := choice.left_out.get(name):
            item.user_properties.append((_LEFT_OUT, name))
            pytest.skip(f"left out: {name}, because {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    choice = config.stash[_CHOICE]
    needed, left_out = _count(terminalreporter, _NEEDS), _count(terminalreporter, _LEFT_OUT)
    terminalreporter.section("optional parts")
    for name in PARTS:
        if count := left_out[name]:
            tests = "1 test" if count == 1 else f"{count} tests"
            because = f"because {choice.left_out[name]}; get it by {PARTS[name].remedy}"
            terminalreporter.write_line(f"left out: {name} ({tests}) {because}")
        elif needed[name]:
            terminalreporter.write_line(f"used: {name} ({needed[name]})")
    if left_out and not config.getoption("--all-parts"):
        terminalreporter.write_line("`make test-all` runs those whose parts are here")
    if unneeded := [name for name in PARTS if not needed[name]]:
        terminalreporter.write_line(f"no test in this run needs: {', '.join(unneeded)}")


def _needs(item: pytest.Item) -> tuple[str, ...]:
    return tuple(name for marker in item.iter_markers(_NEEDS) for name in marker.args)


def _count(reporter: pytest.TerminalReporter, key: str) -> Counter[str]:
    """How many tests carry each value of the property; a test has several reports and counts once."""
    found = {
        (report.nodeid, value)
        for reports in reporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport)
        for name, value in report.user_properties
        if name == key
    }
    return Counter(str(value) for _, value in found)
