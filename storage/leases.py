"""Who does what only one replica may do: implements `conversations.ports.Leases`. The server's clock is the only one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from conversations.ports import Lease
from storage.errors import DatabaseUnavailable
from storage.system import System

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresLeases:
    """Leases of `time_limit_s` seconds, renewed three times within each; an owner's own lease is never in its way."""

    system: System
    time_limit_s: float = 10.0

    def held(self, key: str, *, owner: str) -> AbstractAsyncContextManager[Lease | None]:
        return self._held(key, owner)

    @asynccontextmanager
    async def _held(self, key: str, owner: str) -> AsyncIterator[Lease | None]:
        row = await self.system.row("take_lease", key, owner, self.time_limit_s)
        if row is None:
            yield None
            return
        lease = Lease(key=key, owner=owner, fence=row["fence"])
        renewing = asyncio.create_task(self._renew(lease), name=f"lease {key}")
        try:
            yield lease
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])
            await self._release(lease)

    async def _renew(self, lease: Lease) -> None:
        """Until cancelled or lost. A lost lease is noticed by its fence, wherever its holder writes."""
        while True:
            await asyncio.sleep(self.time_limit_s / 3)
            try:
                kept = await self.system.run("renew_lease", lease.key, lease.owner, lease.fence, self.time_limit_s)
            except DatabaseUnavailable as error:
                log.warning("lease.unrenewed", key=lease.key, error=error.detail)
                continue
            if not kept:
                log.warning("lease.lost", key=lease.key, fence=lease.fence)
                return

    async def _release(self, lease: Lease) -> None:
        # Out of reach it ends by itself.
        with suppress(DatabaseUnavailable):
            await self.system.run("release_lease", lease.key, lease.owner, lease.fence)
