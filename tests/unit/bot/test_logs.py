"""What the log says, where it goes, and what it never shows."""

import io
import json
import logging
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import structlog

from bot.logs import logs_kept
from bot.tables import LogsTable

log = structlog.get_logger()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _logged(**fields: object) -> Mapping[str, object]:
    stream = io.StringIO()
    with logs_kept(LogsTable(), stream=stream):
        log.info("thing.happened", **fields)
    line = json.loads(stream.getvalue())
    assert isinstance(line, dict)
    return line


def test_what_goes_to_a_pipe_is_one_json_object_a_line() -> None:
    line = _logged(session="4f2.1")
    assert line["event"] == "thing.happened"
    assert (line["level"], line["session"]) == ("info", "4f2.1")
    assert str(line["timestamp"]).endswith("Z")


def test_a_person_at_a_terminal_reads_lines() -> None:
    stream = _Terminal()
    with logs_kept(LogsTable(), stream=stream):
        log.info("thing.happened", session="4f2.1")
    assert "thing.happened" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_lines_that_are_asked_for_have_no_colour_in_a_pipe() -> None:
    stream = io.StringIO()
    with logs_kept(LogsTable(format="lines"), stream=stream):
        log.info("thing.happened")
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("key", ["token", "bot_token", "Authorization", "api_key", "apikey", "DB_PASSWORD", "cookie"])
def test_text_under_a_key_that_looks_secret_is_hidden(key: str) -> None:
    assert "canary" not in json.dumps(_logged(**{key: "canary", "headers": {key: ["canary"]}}))


def test_counts_of_tokens_are_no_secret() -> None:
    assert _logged(input_tokens=12)["input_tokens"] == 12


def test_the_password_in_an_address_is_hidden() -> None:
    assert _logged(url="postgresql://dana:canary@host/db")["url"] == "postgresql://dana:[redacted]@host/db"


@pytest.mark.parametrize("form", ["json", "lines"])
def test_a_traceback_shows_no_local_variable(form: str) -> None:
    stream = io.StringIO()
    with logs_kept(LogsTable.model_validate({"format": form}), stream=stream):
        try:
            _fail(held="yranac"[::-1])
        except LookupError:
            log.exception("thing.failed")
    assert "in _fail" in stream.getvalue()
    assert "canary" not in stream.getvalue()


def _fail(*, held: str) -> None:
    raise LookupError(len(held))


def test_libraries_are_heard_from_warning_on_in_the_same_form() -> None:
    stream = io.StringIO()
    with logs_kept(LogsTable(level="debug"), stream=stream):
        logging.getLogger("some.library").info("payload")
        logging.getLogger("some.library").warning("lost the connection")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["logger"], line["level"]) == ("lost the connection", "some.library", "warning")


def test_levels_below_the_one_set_are_silent() -> None:
    stream = io.StringIO()
    with logs_kept(LogsTable(level="error"), stream=stream):
        log.warning("thing.happened")
    assert stream.getvalue() == ""


def test_a_log_file_is_its_owner_s_and_grows(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "viberator.log"
    for _ in range(2):
        with logs_kept(LogsTable(file=file), stream=io.StringIO()):
            log.info("thing.happened")
    assert len(file.read_text().splitlines()) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_disk_without_room_loses_lines_and_stops_nothing() -> None:
    with logs_kept(LogsTable(file=Path("/dev/full")), stream=sys.stderr):
        structlog.get_logger().info("lost")
        logging.getLogger("library").warning("lost too")
