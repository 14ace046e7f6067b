"""The sample project of `viberator demo`: a small billing package whose tests are red, with a bare remote beside it."""

from dataclasses import dataclass
from pathlib import Path

PROJECT = "widgets"
BRANCH = "main"
TITLE = "Fix the failing billing test"
DESCRIPTION = "tests/test_billing.py fails when a customer has no discount. Find out why and fix it."
TEST_COMMAND = "python3 -m tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """`remote` is the bare repository that work is taken from and pushed to, `checkout` a clone to look at."""

    remote: Path
    checkout: Path


def make(directory: Path) -> Sample:
    """Make the sample below `directory`, which need not exist; made already, it is left as it is."""
    raise NotImplementedError
