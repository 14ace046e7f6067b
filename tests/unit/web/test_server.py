"""The page only shows: it answers to reading, and to nothing that could change something, on every path."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession

from web.server import listening, page

_CHANGING = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "MKCOL")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Readiness:
    absent: tuple[str, ...] = ()

    async def missing(self) -> tuple[str, ...]:
        return self.absent


def _paths() -> list[str]:
    resources = page(_Readiness()).router.resources()
    return sorted({resource.canonical for resource in resources})


@asynccontextmanager
async def _visiting(readiness: _Readiness) -> AsyncIterator[ClientSession]:
    async with (
        listening(page(readiness), host="127.0.0.1", port=0) as port,
        ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        yield client


def test_every_route_is_declared_for_reading() -> None:
    assert {route.method for route in page(_Readiness()).router.routes()} == {"GET", "HEAD"}


@pytest.mark.parametrize("path", [*_paths(), "/", "/slack/events", "/worker/v1/launches/1/frames"])
async def test_no_path_takes_a_method_that_changes_something(path: str) -> None:
    async with _visiting(_Readiness()) as client:
        for method in _CHANGING:
            async with client.request(method, path, data=b"x") as response:
                assert response.status == 405, method
                assert response.headers["Allow"] == "GET,HEAD"


async def test_a_path_that_is_not_there_is_not_found() -> None:
    async with _visiting(_Readiness()) as client, client.get("/slack/events") as response:
        assert response.status == 404


async def test_health_needs_nothing_but_the_loop() -> None:
    async with _visiting(_Readiness(absent=("database",))) as client, client.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})


async def test_readiness_names_what_is_missing() -> None:
    async with _visiting(_Readiness(absent=("database",))) as client, client.get("/readyz") as response:
        assert response.status == 503
        assert await response.json() == {"status": "waiting", "missing": ["database"]}


async def test_a_program_with_all_its_parts_is_ready() -> None:
    async with _visiting(_Readiness()) as client, client.get("/readyz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok", "missing": []})


async def test_a_port_that_is_taken_is_an_error() -> None:
    async with listening(page(_Readiness()), host="127.0.0.1", port=0) as port:
        with pytest.raises(OSError, match="address already in use"):
            async with listening(page(_Readiness()), host="127.0.0.1", port=port):
                pass
