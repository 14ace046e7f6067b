"""One launch, put together: what an earlier one has left, what the bot has told, and who does what with it."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import acp

from runners.wire import WireBootstrap
from runners.worker.asks import Asks
from runners.worker.attachments import Attachments
from runners.worker.checks import Checks
from runners.worker.context import Context, Ending, Place
from runners.worker.documents import Documents
from runners.worker.inbox import Inbox
from runners.worker.link import Link
from runners.worker.order import Order
from runners.worker.outbox import Outbox, unsent
from runners.worker.prompts import Paper, Prompts, Task
from runners.worker.publishing import Publishing
from runners.worker.saved import StateFile, first_state
from runners.worker.toolbox import Call, open_toolbox
from runners.worker.turns import Turns
from runners.worker.work import Work
from runners.worker.workspace import Workspace
from sessions.events import InputTaken, PermissionRequested, QuestionFiled, WorkerFrame

JOURNAL = "unsent.jsonl"


def make_context(order: Order, brief: WireBootstrap, link: Link) -> tuple[Context, tuple[WorkerFrame, ...]]:
    """The launch's context, and the frames that an earlier one could not send; these wait in the outbox already."""
    place, resume = Place(root=order.directory), brief.resume
    state = StateFile(place.state / "worker.json")
    left = unsent(place.state / JOURNAL, launch=resume.previous_launch, stored=resume.previous_frames)
    saved = state.read() or first_state(
        resume.turns, agent_session=resume.agent_session, submitted=resume.document_submitted
    )
    saved.turn = max(saved.turn, resume.turns)
    context = Context(
        launch=order.launch,
        session=order.session,
        brief=brief,
        place=place,
        environment=_environment(order, place),
        saved=saved,
        state=state,
        outbox=Outbox(order.launch, place.state / JOURNAL),
        link=link,
    )
    for frame in left:
        context.tell(frame)
    return context, left


def make_desk(context: Context, left: tuple[WorkerFrame, ...], end: Callable[[Ending], None]) -> tuple[Asks, Inbox]:
    """What people say and decide, with what they were asked by an earlier launch's last frames."""
    saved, asks = context.saved, Asks(context)
    for frame in left:
        match frame:
            case PermissionRequested() if frame.request not in saved.asks:
                asks.adopt(frame)
            case QuestionFiled() if frame.text not in saved.questions:
                saved.questions.append(frame.text)
            case _:
                pass
    told = {frame.ordinal for frame in left if isinstance(frame, InputTaken)}
    return asks, Inbox(context, asks, end, untold=frozenset(set(saved.taken) - told))


@asynccontextmanager
async def make_work(context: Context, workspace: Workspace, asks: Asks, inbox: Inbox) -> AsyncIterator[Work]:
    """The work in a workspace that is ready, with the agent's tools at hand until the end of the block."""
    attachments = Attachments(context=context)
    prompts = await _prompts(context, attachments)

    async def answer(call: Call) -> str:
        return await work.answer(call)

    async with open_toolbox(context.place.state, answer) as tools:
        turns = Turns(context, asks, prompts, tools)
        documents = Documents(context=context, prompts=prompts, turns=turns)
        publishing = Publishing(
            context=context,
            workspace=workspace,
            checks=Checks(context=context),
            prompts=prompts,
            turns=turns,
            inbox=inbox,
        )
        work = Work(
            context=context,
            asks=asks,
            inbox=inbox,
            prompts=prompts,
            turns=turns,
            documents=documents,
            publishing=publishing,
            attachments=attachments,
        )
        yield work


async def _prompts(context: Context, attachments: Attachments) -> Prompts:
    brief = context.brief
    task = Task(
        key=brief.ticket_key,
        title=brief.title,
        description=brief.description,
        requester=brief.requester_name,
        project=brief.project,
        branch=brief.branch,
        base=brief.base,
        phase=brief.phase,
        instructions=brief.agent.instructions,
        test_command=brief.test_command,
        documents=[
            Paper(phase=paper.phase, revision=paper.revision, author=paper.author, markdown=paper.markdown)
            for paper in brief.documents
        ],
        files=await attachments.fetch(brief.attachments),
    )
    return Prompts(task, Path(brief.templates_dir) if brief.templates_dir else None)


def _environment(order: Order, place: Place) -> dict[str, str]:
    """What every program of the session gets; nothing of the bot's own settings is in it."""
    return {
        "PATH": os.defpath,
        **acp.default_environment(),
        "HOME": str(place.home),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "VIBERATOR_SESSION": order.session,
        "VIBERATOR_LAUNCH": order.launch,
    }
