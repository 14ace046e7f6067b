"""Publishing a session's branch: once, by its own session, and told as the end of the work."""

from sessions import endings
from sessions.asking import PHASES_WITH_DOCUMENT
from sessions.book import Book
from sessions.errors import LaunchFenced, PublishRefused
from sessions.events import Published, SessionFinished
from sessions.models import FailureKind, InputKind, Project, Publication, Session, SessionId
from sessions.ports import Ids


async def published(book: Book, session: SessionId, head: str) -> Publication | None:
    """What the session has published already, if it was that commit."""
    ordinal = book.session(session).ordinal
    for recorded in reversed(await book.tx.history(book.ticket.id)):
        event = recorded.event
        if recorded.session == ordinal and isinstance(event, Published) and event.head == head:
            return event.publication
    return None


async def require_allowed(book: Book, session: SessionId, project: Project, *, branch: str, base: str) -> Session:
    """The session, if its work may be pushed now, to that branch and for that base.

    Raises `LaunchFenced` when the session is over or was asked to stop, `PublishRefused` for what is not its to publish.
    """
    found, wanted = book.session(session), book.ticket.base_branch or project.branch
    if found.over or any(held.kind is InputKind.STOP for held in await book.queued_inputs(session)):
        raise LaunchFenced
    if found.phase in PHASES_WITH_DOCUMENT:
        raise PublishRefused(FailureKind.POLICY, f"a session of {found.phase} publishes nothing")
    if branch != found.branch:
        raise PublishRefused(FailureKind.POLICY, f"the session's branch is {found.branch}, not {branch}")
    if base != wanted:
        # What a branch changes is looked at from its base, and the worker is not to choose from where.
        raise PublishRefused(FailureKind.POLICY, f"the work is meant for {wanted}, not {base}")
    return found


async def record(book: Book, ids: Ids, session: SessionId, publication: Publication) -> Publication:
    """Tell what was pushed, and end the session by it; once."""
    done = await published(book, session, publication.head)
    if done is not None:
        return done
    event = Published(
        branch=publication.branch,
        base=publication.base,
        head=publication.head,
        diffstat=publication.diffstat,
        compare=publication.compare,
        url=publication.url,
    )
    book.record(event, session)
    # Somebody may have ended the session during the push; what was pushed is still a fact.
    if not book.session(session).over:
        project = await book.tx.get_project(book.ticket.project)
        finished = SessionFinished(outcome="published")
        await endings.complete(book, ids, book.session(session), project, finished)
    return publication
