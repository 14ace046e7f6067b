"""The page's listener: it shows and changes nothing, so it answers GET and HEAD and no other method, on any path."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp.web import Application, AppRunner, HTTPMethodNotAllowed, Request, StreamResponse, TCPSite, middleware

from web.health import Readiness, health_routes

READING = frozenset({"GET", "HEAD"})


@middleware
async def only_reading(request: Request, handler: Callable[[Request], Awaitable[StreamResponse]]) -> StreamResponse:
    """Answers 405 to every method that could change something, before any route is looked at."""
    if request.method not in READING:
        raise HTTPMethodNotAllowed(request.method, READING)
    return await handler(request)


def page(readiness: Readiness) -> Application:
    app = Application(middlewares=[only_reading])
    app.add_routes(health_routes(readiness))
    return app


@asynccontextmanager
async def listening(app: Application, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve within the block; gives the port, which the system chooses where `port` is 0. Raises `OSError` if it is taken."""
    runner = AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        site = TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
