"""The product as it runs, put together by its own composition root over the bench's database."""

from collections.abc import Mapping
from pathlib import Path

from bot.ambient import RandomIds, SystemClock
from bot.app import App, Identity, Ports, assemble
from bot.settings import environment
from conversations.models import Installation
from conversations.ports import Outlet
from runners.hosts.git import GitHost
from runners.mirrors import GitMirrors
from runners.process import ProcessRunner
from sessions.models import AgentProfile, InstallationId, Limits
from sessions.ports import Signals
from storage.blobs import DirectoryBlobs
from storage.database import Database
from storage.dispatch import PostgresDispatch
from storage.frames import PostgresFrameLog
from storage.leases import PostgresLeases
from storage.ledger import PostgresLedger
from storage.signals import LocalSignals
from storage.system import System
from storage.threads import PostgresThreads

SECRETS = ("correct-horse-battery-staple", "xoxb-1234567890-abcdefghij", "sk-bench-0123456789abcdef0123456789abcdef")
"""What everything that is stored is searched for."""


def product_ports(database: Database, folder: Path, signals: Signals | None = None) -> Ports:
    """Every port as in the embedded default; `folder` is the data directory."""
    system = System(database)
    signals = signals or LocalSignals()
    mirrors = GitMirrors(folder / "mirrors", environment=environment())
    return Ports(
        ledger=PostgresLedger(database),
        dispatch=PostgresDispatch(system),
        frame_log=PostgresFrameLog(system, signals),
        threads=PostgresThreads(system=system),
        leases=PostgresLeases(system=system),
        signals=signals,
        runner=ProcessRunner(environment=environment()),
        mirrors=mirrors,
        host=GitHost(mirrors, folder / "hosts", environment=environment()),
        blobs=DirectoryBlobs(folder / "blobs"),
        clock=SystemClock(),
        ids=RandomIds(),
    )


def product_app(
    database: Database,
    folder: Path,
    *,
    outlets: Mapping[str, Outlet] | None = None,
    installations: Mapping[InstallationId, Installation] | None = None,
    agents: Mapping[str, AgentProfile] | None = None,
) -> App:
    return assemble(
        product_ports(database, folder),
        Identity(engine="bench", owner="bench", data_dir=folder),
        installations=installations or {},
        outlets=outlets or {},
        agents=agents or {},
        limits=Limits(),
        secrets=SECRETS,
    )
