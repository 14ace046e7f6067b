"""By what name a bot finds the launches of an earlier one again: one that is kept in the data directory.

Not the machine's, since a container gets another one whenever it is made anew, over the same data directory.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from uuid import uuid4


def kept_name(data_dir: Path) -> str:
    """The same for whoever has that data directory, as long as there is one; made by whoever asks first."""
    file = data_dir / "run" / "engine"
    if not file.exists():
        _make(file)
    return f"process:{file.read_text().strip()}"


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix="engine.")
    with os.fdopen(descriptor, "w") as part:
        part.write(f"{uuid4()}\n")
    with suppress(FileExistsError):
        # Whole or not at all, and never in the place of another's.
        os.link(name, file)
    Path(name).unlink()
