"""Processes that share a data directory have names of their own, which their successors find again."""

import stat
from pathlib import Path
from uuid import UUID

import pytest

from bot.app import SOCKET_BYTES, places, worker_socket
from bot.seats import seat
from conversations.models import Installation
from runners.errors import SocketUnusable
from sessions.models import InstallationId, WorkspaceId


def test_each_has_the_lowest_seat_that_is_free(tmp_path: Path) -> None:
    with seat(tmp_path / "run") as first:
        with seat(tmp_path / "run") as second, seat(tmp_path / "run") as third:
            assert (first, second, third) == (1, 2, 3)
        with seat(tmp_path / "run") as again:
            assert again == 2
    with seat(tmp_path / "run") as successor:
        assert successor == 1


def test_a_channel_is_one_of_every_installation_of_its_platform() -> None:
    team, other, guild = (installation(n, platform) for n, platform in enumerate(("slack", "slack", "discord")))
    found = list(places(["slack:C1", "github:acme/api", "discord:1:2"], [team, other, guild]))
    assert found == [(team, "C1"), (other, "C1"), (guild, "1:2")]


def installation(number: int, platform: str) -> Installation:
    return Installation(
        id=InstallationId(UUID(int=number)),
        workspace=WorkspaceId(UUID(int=0)),
        platform=platform,
        external_id=f"T{number}",
        outlet=f"{platform}:T{number}",
    )


def test_workers_find_the_same_door_after_a_restart(tmp_path: Path) -> None:
    assert worker_socket(Path("/data"), "bot") == Path("/data/run/bot.sock")
    far = tmp_path / ("d" * 100)
    door = worker_socket(far, "bot")
    assert door == worker_socket(far, "bot")
    assert door != worker_socket(far, "serve-2")
    assert len(bytes(door)) <= SOCKET_BYTES
    assert stat.S_IMODE(door.parent.stat().st_mode) == 0o700
    door.parent.rmdir()


def test_a_door_that_somebody_else_made_is_not_used(tmp_path: Path) -> None:
    far = tmp_path / ("d" * 100)
    folder = worker_socket(far, "bot").parent
    folder.chmod(0o755)
    with pytest.raises(SocketUnusable):
        worker_socket(far, "bot")
    folder.rmdir()
