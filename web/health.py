"""Whether the program lives and is fit for work, for whoever supervises it."""

from typing import Protocol

from aiohttp.web import Request, Response, RouteTableDef, json_response


class Readiness(Protocol):
    """What this program cannot work without."""

    async def missing(self) -> tuple[str, ...]:
        """The parts that do not answer now, such as `database`; none where all is well."""


def health_routes(readiness: Readiness) -> RouteTableDef:
    """`/healthz` answers 200 as long as the loop turns; `/readyz` 503 with the names of what is missing."""
    routes = RouteTableDef()

    @routes.get("/healthz")
    async def healthz(_request: Request) -> Response:
        return json_response({"status": "ok"})

    @routes.get("/readyz")
    async def readyz(_request: Request) -> Response:
        missing = await readiness.missing()
        return json_response(
            {"status": "ok" if not missing else "waiting", "missing": missing}, status=503 if missing else 200
        )

    return routes
