from pathlib import Path

import pytest

from runners.worker.errors import WorkspaceTaken
from runners.worker.holding import holding


async def test_one_worker_at_a_time_holds_a_directory(tmp_path: Path) -> None:
    async with holding(tmp_path / "lock"):
        with pytest.raises(WorkspaceTaken):
            async with holding(tmp_path / "lock", patience_s=0.1):
                pass
    async with holding(tmp_path / "lock", patience_s=0.1):
        pass
