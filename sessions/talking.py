"""What people say to an agent: messages, answers, and second thoughts about both."""

from dataclasses import dataclass, replace

from sessions.acts import Heard
from sessions.book import Book
from sessions.endings import carry_on, last_phase
from sessions.errors import InputGone, QuestionAlreadyAnswered, QuestionUnknown, SessionOver, TicketOver
from sessions.events import (
    InputEdited,
    InputReceived,
    InputWithdrawn,
    QuestionAnswered,
    SessionQueued,
    TicketReopened,
)
from sessions.models import (
    Attachment,
    Input,
    InputKind,
    InputState,
    Person,
    Question,
    Session,
    SessionState,
    TicketState,
)
from sessions.ports import Ids
from sessions.sanitising import safe


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What somebody wrote; `source` is the platform's message id."""

    author: Person
    text: str
    source: str = ""
    attachments: tuple[Attachment, ...] = ()


async def say(book: Book, ids: Ids, words: Words) -> Heard:
    """A message: the answer to the one open question, more work after a good end, or something for the queue.

    Raises `TicketOver` on a rejected ticket.
    """
    if book.ticket.state is TicketState.REJECTED:
        raise TicketOver(book.ticket.key, book.ticket.state)
    if book.ticket.state is TicketState.DONE:
        return await follow_up(book, ids, words)
    session = book.newest()
    if session.over:
        project = await book.tx.get_project(book.ticket.project)
        session = await carry_on(book, ids, session, project, phase=session.phase)
    asked = await _open_questions(book, session)
    if len(asked) == 1:
        answered = await answer(book, asked[0].ordinal, words)
        return Heard(became="answer", ticket=book.ticket, session=session, ordinal=answered.ordinal)
    ordinal = await queue(book, session, words)
    return Heard(became="queued", ticket=book.ticket, session=book.session(session.id), ordinal=ordinal)


async def follow_up(book: Book, ids: Ids, words: Words) -> Heard:
    """A new session for a ticket that is done, on the branch of the last one, begun with the words."""
    if book.ticket.state is not TicketState.DONE:
        return await say(book, ids, words)
    project = await book.tx.get_project(book.ticket.project)
    book.record(TicketReopened(by_name=words.author.name))
    session = await carry_on(book, ids, book.newest(), project, phase=last_phase(project))
    ordinal = await queue(book, session, words)
    return Heard(became="follow_up", ticket=book.ticket, session=book.session(session.id), ordinal=ordinal)


async def queue(book: Book, session: Session, words: Words) -> int:
    """Put a message in the session's queue; answers its ordinal."""
    queued = await told(book, session, InputKind.MESSAGE, words)
    received = InputReceived(
        ordinal=queued.ordinal, input=queued.kind, author_name=queued.author_name, text=queued.text
    )
    book.record(received, session.id)
    wake_up(book, session)
    return queued.ordinal


async def told(book: Book, session: Session, kind: InputKind, words: Words, *, subject: int | None = None) -> Input:
    """Store something for the agent."""
    queued = Input(
        ticket=book.ticket.id,
        session=session.id,
        ordinal=await book.tx.next_ordinal(book.ticket.id, "inputs"),
        kind=kind,
        author=words.author.external_id,
        author_name=words.author.name,
        text=safe(words.text),
        subject=subject,
        attachments=words.attachments,
    )
    await book.add_input(queued, source=words.source)
    return queued


def wake_up(book: Book, session: Session) -> None:
    """A session that is asleep is queued, so that it gets what was just said."""
    if book.session(session.id).state is SessionState.ASLEEP:
        book.record(SessionQueued(cause="input"), session.id)


async def answer(book: Book, ordinal: int, words: Words) -> Question:
    """One answer wins. Raises `QuestionUnknown`, `QuestionAlreadyAnswered`, `SessionOver`."""
    asked = next((one for one in await book.tx.questions(book.ticket.id) if one.ordinal == ordinal), None)
    if asked is None:
        raise QuestionUnknown(ordinal)
    if asked.answered_by:
        raise QuestionAlreadyAnswered(ordinal, asked.answered_by)
    session = book.session(asked.session)
    if session.over:
        raise SessionOver(f"{book.ticket.key}.{session.ordinal}", session.state)
    answered = replace(asked, answered_by=words.author.name or words.author.external_id, answer=safe(words.text))
    await book.tx.put_question(answered)
    await told(book, session, InputKind.ANSWER, words, subject=ordinal)
    given = QuestionAnswered(ordinal=ordinal, by_name=answered.answered_by, answer=answered.answer)
    book.record(given, session.id)
    wake_up(book, session)
    return answered


async def edit(book: Book, queued: Input, text: str) -> Input:
    """Raises `InputGone` when it is no longer only ours."""
    _require_queued(queued)
    changed = replace(queued, text=safe(text))
    if changed == queued:
        return queued
    await book.tx.put_input(changed)
    book.record(InputEdited(ordinal=changed.ordinal, text=changed.text), changed.session)
    return changed


async def withdraw(book: Book, queued: Input, *, by_name: str) -> Input:
    """Raises `InputGone` when it is no longer only ours."""
    _require_queued(queued)
    await book.tx.set_input_state(book.ticket.id, queued.ordinal, InputState.WITHDRAWN)
    book.record(InputWithdrawn(ordinal=queued.ordinal, by_name=by_name), queued.session)
    return replace(queued, state=InputState.WITHDRAWN)


def _require_queued(queued: Input) -> None:
    # An answer or a decision has had its effect already; only a message can be taken back.
    if queued.state is not InputState.QUEUED or queued.kind is not InputKind.MESSAGE:
        raise InputGone(queued.ordinal, queued.state)


async def _open_questions(book: Book, session: Session) -> list[Question]:
    asked = await book.tx.questions(book.ticket.id)
    return [one for one in asked if one.session == session.id and not one.answered_by]
