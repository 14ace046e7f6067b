"""Publishing a session's branch: once, by its own session, and told as the end of the work."""

from sessions import endings
from sessions.book import Book
from sessions.errors import LaunchFenced, PublishRefused
from sessions.events import Published, SessionFinished
from sessions.models import FailureKind, Publication, Session, SessionId
from sessions.ports import Ids


async def published(book: Book, session: SessionId, head: str) -> Publication | None:
    """What the session has published already, if it was that commit."""
    ordinal = book.session(session).ordinal
    for recorded in reversed(await book.tx.history(book.ticket.id)):
        event = recorded.event
        if recorded.session == ordinal and isinstance(event, Published) and event.head == head:
            return event.publication
    return None


def require_own(session: Session, branch: str) -> Session:
    """Raises `LaunchFenced` when the session is over, `PublishRefused` for a branch that is not the session's."""
    if session.over:
        raise LaunchFenced
    if branch != session.branch:
        raise PublishRefused(FailureKind.POLICY, f"the session's branch is {session.branch}, not {branch}")
    return session


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
