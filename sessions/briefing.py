"""What a worker is told when it begins: the ticket, and what was decided and done so far."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sessions import documents
from sessions.book import Book
from sessions.events import Published, Recorded
from sessions.models import AgentProfile, Document, Launch, Limits, Phase, Project
from sessions.ports import Bootstrap, LaunchContext


async def brief(book: Book, context: LaunchContext, *, limits: Limits, agents: Mapping[str, AgentProfile]) -> Bootstrap:
    """Everything for the launch; `agents` are profiles with what the database does not hold of them."""
    project = await book.tx.get_project(book.ticket.project)
    history = tuple(await book.tx.history(book.ticket.id))
    base = book.ticket.base_branch or project.branch
    return Bootstrap(
        ticket=book.ticket,
        session=book.session(context.session),
        project=_with_secrets(project, agents),
        documents=_newest(await book.tx.documents(book.ticket.id)),
        base=base,
        start=_published_branch(history) or base,
        history=history,
        previous=_before(await book.tx.launches(context.session), context),
        limits=limits,
    )


def _with_secrets(project: Project, agents: Mapping[str, AgentProfile]) -> Project:
    return replace(project, agent=agents.get(project.agent.name, project.agent))


def _newest(held: Sequence[Document]) -> tuple[Document, ...]:
    """The newest revision of each phase's document."""
    found = (documents.latest(held, phase) for phase in Phase)
    return tuple(document for document in found if document is not None)


def _published_branch(history: Sequence[Recorded]) -> str:
    events = (recorded.event for recorded in reversed(history))
    return next((event.branch for event in events if isinstance(event, Published)), "")


def _before(launches: Sequence[Launch], context: LaunchContext) -> Launch | None:
    earlier = [launch for launch in launches if launch.fence < context.fence]
    return max(earlier, key=lambda launch: launch.fence, default=None)
