"""`python -m bench`: speed against floors measured side by side in the same run (`docs/performance.md`).

One JSON line a row goes to standard output as soon as it is known, the table to standard error. Exit code 1 when a row
fails, 2 for wrong usage; a noisy machine is no failure.
"""

import argparse
import asyncio
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.catalogue import EXPERIMENTS, ExperimentUnknown, choose
from bench.experiment import Experiment, Lab
from bench.goals import Verdict
from bench.postgres import postgres_server
from bench.report import json_line, table
from bench.rounds import take_turns
from bench.rows import Row, compare
from bot.logs import logs_kept
from bot.tables import LogsTable

FEWEST_REPETITIONS = 5
RUN_LIMIT_S = 180.0


def main(argv: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        chosen = choose(EXPERIMENTS, named=options.rows, quick=options.quick)
    except ExperimentUnknown as problem:
        parser.error(str(problem))
    if options.repetitions < FEWEST_REPETITIONS:
        parser.error(f"fewer than {FEWEST_REPETITIONS} repetitions prove nothing")
    rows = asyncio.run(_run(chosen, quick=options.quick, repetitions=options.repetitions))
    _tell(table(rows))
    if options.json is not None:
        options.json.write_text("".join(f"{json_line(row)}\n" for row in rows), encoding="utf-8")
    return exit_code(rows)


def exit_code(rows: Sequence[Row]) -> int:
    """1 when a row failed; a noisy machine is no failure."""
    return 1 if any(row.verdict is Verdict.FAIL for row in rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed against floors measured side by side.")
    parser.add_argument("--quick", action="store_true", help="smaller loads, without the slow rows; under 4 minutes")
    parser.add_argument("--rows", type=_names, default=(), metavar="G2,G13", help="only these")
    parser.add_argument("--repetitions", type=int, default=FEWEST_REPETITIONS, metavar="N", help="of each (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON lines there too")
    return parser


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


async def _run(chosen: Sequence[Experiment], *, quick: bool, repetitions: int) -> Sequence[Row]:
    rows: list[Row] = []
    with _short_folder() as folder, logs_kept(LogsTable(file=folder / "bench.log"), stream=sys.stderr):
        async with postgres_server(folder) as server:
            _tell(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
            lab = Lab(folder=folder, server=server, quick=quick)
            for experiment in chosen:
                async for row in _rows(experiment, lab, repetitions):
                    rows.append(row)
                    print(json_line(row), flush=True)
    return rows


async def _rows(experiment: Experiment, lab: Lab, repetitions: int) -> AsyncIterator[Row]:
    _tell(f"{experiment.key} …")
    async with experiment.contestants(lab) as contestants:
        samples = await take_turns(contestants, repetitions=repetitions, time_limit_s=RUN_LIMIT_S)
    for comparison in experiment.rows:
        yield compare(comparison, samples, load=os.getloadavg()[0])


@contextmanager
def _short_folder() -> Iterator[Path]:
    """A new folder which every user can enter and whose path leaves room for a socket's name."""
    folder = Path(tempfile.mkdtemp(prefix="vib-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
