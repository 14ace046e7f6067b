"""What the wire answers to what goes wrong, and how a model becomes an answer."""

import errno
import math
from typing import Final

import structlog
from aiohttp import ClientError
from aiohttp.typedefs import Handler
from aiohttp.web import HTTPException, Request, Response, StreamResponse, middleware
from pydantic import BaseModel, ValidationError

from runners.errors import BatchTooLarge, CallUnreadable, UploadTooLarge
from runners.wire import Refusal, Stored
from sessions.errors import FramesMissing, IngestBusy, LaunchFenced, LaunchUnknown, PublishRefused
from sessions.models import FailureKind
from sessions.ports import RepositoryUnusable, Unavailable

log = structlog.get_logger()

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@middleware
async def translate(request: Request, handler: Handler) -> StreamResponse:
    """The wire's answer to what goes wrong; what nobody expected is aiohttp's 500, logged with its traceback."""
    try:
        return await handler(request)
    except HTTPException:
        raise
    except OSError as problem:
        return _failed(problem)
    except (LaunchUnknown, LaunchFenced, FramesMissing, IngestBusy, Unavailable) as problem:
        return _answered(problem)
    except (PublishRefused, RepositoryUnusable) as problem:
        return _refused(problem)
    except (CallUnreadable, ValidationError, ClientError) as problem:
        return Response(status=400, text=type(problem).__name__)
    except (BatchTooLarge, UploadTooLarge):
        return Response(status=413, text="too large")


def _answered(problem: LaunchUnknown | LaunchFenced | FramesMissing | IngestBusy | Unavailable) -> Response:
    match problem:
        case LaunchUnknown():
            return Response(status=401, text="unknown launch or token", headers={"WWW-Authenticate": "Bearer"})
        case LaunchFenced():
            return Response(status=409, text="this launch is over")
        case FramesMissing(wanted=wanted):
            return json_answer(Stored(last=wanted - 1), status=416)
        case IngestBusy(retry_after_s=retry_after_s):
            return Response(status=429, headers={"Retry-After": str(max(1, math.ceil(retry_after_s)))})
        case Unavailable(part=part):
            log.warning("callback.unavailable", part=part)
            return Response(status=503, text="nothing could be stored", headers={"Retry-After": "1"})


def _refused(problem: PublishRefused | RepositoryUnusable) -> Response:
    match problem:
        case PublishRefused(kind=kind, detail=detail):
            return json_answer(Refusal(kind=FailureKind(kind), detail=detail), status=422)
        case RepositoryUnusable(detail=detail):
            return json_answer(Refusal(kind=FailureKind.REPOSITORY, detail=detail), status=422)


def _failed(problem: OSError) -> Response:
    """A body that does not come is the caller's, a disk that is full ours; anything else is nobody's plan."""
    if isinstance(problem, TimeoutError):
        return Response(status=408, text="the body did not come")
    if problem.errno in _FULL:
        log.error("callback.disk_full")
        detail = "The bot's disk is full."
        return json_answer(Refusal(kind=FailureKind.DISK_FULL, detail=detail), status=503)
    raise problem


def json_answer(model: BaseModel, *, status: int = 200) -> Response:
    return Response(body=model.model_dump_json().encode(), status=status, content_type="application/json")
