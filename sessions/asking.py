"""What an agent asks of people: to judge a document, to permit something, to answer a question."""

from dataclasses import dataclass

from sessions import documents
from sessions.approvals import (
    DOCUMENT_OFFERS,
    decider_names,
    deciders,
    lapsed,
    permission_digest,
    permission_offers,
)
from sessions.book import Book
from sessions.events import (
    ApprovalAsked,
    ApprovalLapsed,
    DocumentSubmitted,
    DocumentWritten,
    PermissionRequested,
    Quarantined,
    QuestionAsked,
    QuestionFiled,
)
from sessions.models import Approval, ApprovalKind, ApprovalState, Document, Phase, Project, Question, Session
from sessions.sanitising import one_line

PHASES_WITH_DOCUMENT = frozenset({Phase.RESEARCH, Phase.PLANNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A live session's requests, written into its ticket's book as numbered events."""

    book: Book
    project: Project
    session: Session

    # documents
    async def submit(self, frame: int, submitted: DocumentSubmitted) -> None:
        phase = self.session.phase
        if submitted.phase is not phase or phase not in PHASES_WITH_DOCUMENT:
            size_bytes = len(submitted.markdown.encode("utf-8", "replace"))
            problem = f"a document of {submitted.phase} in a session of {phase}"
            self.book.record(Quarantined(frame=frame, size_bytes=size_bytes, problem=problem), self.session.id)
            return
        held = await self.book.tx.documents(self.book.ticket.id, phase)
        author = self.project.agent.title or self.project.agent.name
        revision = documents.revise(held, phase=phase, author=author, markdown=submitted.markdown)
        if revision is not None:
            await self._write(revision)
        elif (unchanged := documents.latest(held, phase)) is not None and await self._nothing_pending():
            # Sent back and submitted again as it was: without a new card nobody could go on.
            await self._ask_for(unchanged)

    async def _write(self, document: Document) -> None:
        await self.book.tx.add_document(self.book.ticket.id, document)
        written = DocumentWritten(
            phase=document.phase,
            revision=document.revision,
            author=document.author,
            digest=document.digest,
            markdown=document.markdown,
        )
        self.book.record(written, self.session.id)
        for older in await self._pending():
            if older.kind is ApprovalKind.DOCUMENT and older.subject == document.phase:
                await self.book.tx.put_approval(lapsed(older))
                self.book.record(ApprovalLapsed(ordinal=older.ordinal, cause="superseded"), self.session.id)
        await self._ask_for(document)

    async def _ask_for(self, document: Document) -> None:
        approval = Approval(
            ticket=self.book.ticket.id,
            session=self.session.id,
            ordinal=await self.book.tx.next_ordinal(self.book.ticket.id, "approvals"),
            kind=ApprovalKind.DOCUMENT,
            subject=document.phase,
            title=documents.title(document),
            digest=document.digest,
            deciders=deciders(self.project, self.book.ticket),
            offers=DOCUMENT_OFFERS,
        )
        await self._add(approval, body=documents.summary(document.markdown), revision=document.revision)

    async def _nothing_pending(self) -> bool:
        waiting = await self._pending() or await self._open_questions()
        return not waiting and not await self.book.queued_inputs(self.session.id)

    # permissions and questions
    async def permit(self, requested: PermissionRequested) -> None:
        asked = [(pending.subject, pending.grant) for pending in await self._pending()]
        if (requested.request, requested.grant) in asked:
            return
        offers, labels = permission_offers(requested.options)
        approval = Approval(
            ticket=self.book.ticket.id,
            session=self.session.id,
            ordinal=await self.book.tx.next_ordinal(self.book.ticket.id, "approvals"),
            kind=ApprovalKind.PERMISSION,
            subject=requested.request,
            title=one_line(requested.title),
            digest=permission_digest(title=requested.title, tool=requested.tool, input_text=requested.input),
            deciders=deciders(self.project, self.book.ticket),
            offers=offers,
            grant=requested.grant,
        )
        await self._add(approval, body=documents.fenced(requested.input), labels=labels)

    async def _add(self, approval: Approval, *, body: str, labels: tuple[str, ...] = (), revision: int = 0) -> None:
        await self.book.tx.add_approval(approval)
        asked = ApprovalAsked(
            ordinal=approval.ordinal,
            approval=approval.kind,
            subject=approval.subject,
            title=approval.title,
            body=body,
            digest=approval.digest,
            deciders=approval.deciders,
            decider_names=decider_names(self.project, self.book.ticket),
            offers=approval.offers,
            labels=labels,
            revision=revision,
        )
        self.book.record(asked, self.session.id)

    async def ask(self, filed: QuestionFiled) -> None:
        if any(asked.text == filed.text for asked in await self._open_questions()):
            return
        ordinal = await self.book.tx.next_ordinal(self.book.ticket.id, "questions")
        question = Question(
            ticket=self.book.ticket.id,
            session=self.session.id,
            ordinal=ordinal,
            text=filed.text,
            options=filed.options,
        )
        await self.book.tx.add_question(question)
        self.book.record(QuestionAsked(ordinal=ordinal, text=filed.text, options=filed.options), self.session.id)

    async def _pending(self) -> list[Approval]:
        return [
            approval
            for approval in await self.book.tx.approvals(self.book.ticket.id)
            if approval.session == self.session.id and approval.state is ApprovalState.PENDING
        ]

    async def _open_questions(self) -> list[Question]:
        return [
            asked
            for asked in await self.book.tx.questions(self.book.ticket.id)
            if asked.session == self.session.id and not asked.answered_by
        ]
