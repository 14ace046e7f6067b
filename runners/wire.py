"""The worker protocol: what travels between a worker and the bot, as JSON over HTTP.

    GET  /worker/v1/launches/{id}/bootstrap            → `WireBootstrap`
    POST /worker/v1/launches/{id}/frames               `WireFrames` → `Stored`; again with the same numbers changes nothing
    GET  /worker/v1/launches/{id}/inputs?after=N&wait=S → `WireInputs`; long poll, also the heartbeat
    PUT  /worker/v1/launches/{id}/blobs/{name}         raw body → 204
    GET  /worker/v1/launches/{id}/blobs/{name}         → raw body
    POST /worker/v1/launches/{id}/publish              `WirePublish` (the bundle is a blob) → `WirePublished`

Every call carries `Authorization: Bearer <launch token>`. Answers: 401 a wrong token, 409 a launch that has ended or was
replaced (stop at once, keep the work), 416 with `Stored` for a gap (send from `last + 1`), 422 `Refusal` for a publication
that is refused, 429 with `Retry-After` (seconds), 503 when nothing could be stored.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sessions.events import WorkerFrame
from sessions.models import (
    AgentProfile,
    Attachment,
    FailureKind,
    InputKind,
    Limits,
    Phase,
    Publication,
    Verdict,
)

BATCH_FRAMES = 200
BATCH_BYTES = 1 << 20
"""A worker sends no more than this in one call; the server refuses more than twice that with 413."""

FRAME: TypeAdapter[WorkerFrame] = TypeAdapter(Annotated[WorkerFrame, Field(discriminator="kind")])


class Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class WireFrames(Wire):
    """Frames `first` … in order. Each is validated by itself, so that one that cannot be read spoils no other."""

    first: int = Field(ge=1)
    frames: list[dict[str, object]]


class Stored(Wire):
    """The number of the last frame stored."""

    last: int


class WireDocument(Wire):
    phase: Phase
    revision: int
    author: str
    markdown: str


class WireInput(Wire):
    """`request` and `grant` belong to a decision about a permission, `subject` to the approval or question it settles."""

    ordinal: int
    kind: InputKind
    author_name: str
    text: str = ""
    subject: int | None = None
    verdict: Verdict | None = None
    request: str = ""
    grant: str = ""
    attachments: list[Attachment] = []


class WireInputs(Wire):
    """`over`: the session has ended on our side; end the agent cleanly and send `worker_ended`."""

    inputs: list[WireInput]
    over: bool = False


class WireResume(Wire):
    """What the server knows of earlier launches of the session. `transcript` is markdown for an agent that cannot load.

    `turns` is the number of the last turn, `document_submitted` whether the phase's document was handed in.
    `previous_launch` is the id of the launch before this one and `previous_frames` the last number stored of it: what the
    worker could not send then, it sends first now.
    """

    agent_session: str = ""
    transcript: str = ""
    turns: int = 0
    document_submitted: bool = False
    previous_launch: str = ""
    previous_frames: int = 0


class WireBootstrap(Wire):
    """`mirror` is the bot's bare mirror as the worker sees it; `base` the branch, `base_commit` where work begins.

    `author_name` and `author_email` are those of the requester; commits are made in that name.
    `templates_dir` holds the project's own prompt templates, outside of what the agent can write; empty for none.
    """

    ticket_key: str
    title: str
    description: str
    requester_name: str
    author_name: str
    author_email: str
    project: str
    phase: Phase
    branch: str
    base: str
    base_commit: str
    mirror: str
    agent: AgentProfile
    attachments: list[Attachment] = []
    documents: list[WireDocument] = []
    resume: WireResume = WireResume()
    limits: Limits = Limits()
    test_command: str = ""
    templates_dir: str = ""


class WirePublish(Wire):
    """The blob `bundle` holds `base_commit..branch`; `head` is the branch's commit."""

    bundle: str
    branch: str
    base: str
    head: str


class WirePublished(Wire):
    publication: Publication


class Refusal(Wire):
    """Why a publication was refused, and what a person can do about it."""

    kind: FailureKind
    detail: str
