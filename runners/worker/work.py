"""What a worker does between its start and its end: the next prompt, a turn, what the turn has left, and again.

`saved.stage` says what comes next, so that a launch goes on where the last one was, however that ended.
"""

from dataclasses import dataclass
from typing import assert_never

from runners.wire import WireInput
from runners.worker import files
from runners.worker.asks import ALLOWING, Asks
from runners.worker.attachments import Attachments
from runners.worker.context import Context, Ending
from runners.worker.documents import Documents
from runners.worker.inbox import Inbox
from runners.worker.prompts import Prompts
from runners.worker.publishing import Publishing
from runners.worker.questions import read_question
from runners.worker.toolbox import AskHuman, AttachFile, Call, Report, WriteDocument
from runners.worker.turns import Cause, PeopleAway, Turns
from runners.worker.workspace import NOTES
from sessions.events import PeopleAwaited, QuestionFiled
from sessions.models import InputKind, Phase, Verdict

QUESTION_FILE = f"{NOTES}/question.md"
SENT = "Your question was sent. End your turn now; the answer comes as the next message."

_CAUSES: tuple[Cause, ...] = ("changes", "answer", "decision", "messages")
"""What a turn with several causes is named for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One session's work. Raises `WorkerError` where it cannot go on."""

    context: Context
    asks: Asks
    inbox: Inbox
    prompts: Prompts
    turns: Turns
    documents: Documents
    publishing: Publishing
    attachments: Attachments

    async def run(self) -> Ending:
        """Go on until there is nothing more to do, or nobody to do it for."""
        self.turns.interrupt_old_calls()
        await self._repeat_what_waits()
        while True:
            try:
                ending = await self._step()
            except PeopleAway:
                ending = Ending(reason="idle")
            if ending is not None:
                return ending

    async def answer(self, call: Call) -> str:
        """What the agent is told when it uses one of our tools."""
        saved = self.context.saved
        self.turns.used_tools()
        match call:
            case AskHuman(arguments=asked):
                self._file_question(asked.question, tuple(asked.options))
                return SENT
            case WriteDocument(arguments=paper):
                return self._write_document(paper.markdown)
            case AttachFile(arguments=exhibit):
                return await self.attachments.show(exhibit.path)
            case Report(arguments=report):
                saved.report_title, saved.report = report.title, report.summary
                self.context.keep()
                return "Noted."
            case _:
                assert_never(call)

    async def _step(self) -> Ending | None:
        saved = self.context.saved
        match saved.stage:
            case "task":
                await self.turns.take("task", self.prompts.fill(self.context.brief.phase.value))
            case "turn" if saved.held_up:
                return await self._wait()
            case "turn":
                await self.turns.take("resumed", self.prompts.fill("resumed", {"prompt": saved.prompt}))
            case "settle":
                return await self._settle()
            case "waiting":
                return await self._wait()
            case _:
                assert_never(saved.stage)
        return None

    async def _settle(self) -> Ending | None:
        saved = self.context.saved
        self._read_question_file()
        if waiting := await self.inbox.collect():
            await self._hand_over(waiting)
            return None
        if saved.questions:
            saved.stage = "waiting"
            self.context.keep()
            return None
        match self.context.brief.phase:
            case Phase.RESEARCH | Phase.PLANNING:
                await self.documents.settle()
                return None
            case Phase.EXECUTION:
                return await self.publishing.settle()
            case phase:
                assert_never(phase)

    async def _wait(self) -> Ending | None:
        waiting = await self.inbox.wait(limit_s=self.context.brief.limits.idle_s)
        if waiting is None:
            return Ending(reason="idle")
        await self._hand_over(waiting)
        return None

    async def _hand_over(self, waiting: list[WireInput]) -> None:
        """Give the agent what people have said as one prompt, in the order they said it."""
        told = [pair for said in waiting if (pair := await self._told(said)) is not None]
        text = "\n\n---\n\n".join([*self._cut_off(), *(part for _, part in told)])
        for said in waiting:
            self.inbox.take(said)
        saved = self.context.saved
        if told:
            # In one step with having taken them: the next launch takes up what this one was about to say.
            saved.stage, saved.prompt = "turn", text
        self.context.keep()
        if told:
            causes = {cause for cause, _ in told}
            await self.turns.take(next(cause for cause in _CAUSES if cause in causes), text)

    def _cut_off(self) -> list[str]:
        """The prompt of a turn that was cut off and never taken up again."""
        saved = self.context.saved
        if saved.stage != "turn":
            return []
        return [self.prompts.fill("resumed", {"prompt": saved.prompt})]

    async def _told(self, said: WireInput) -> tuple[Cause, str] | None:
        saved = self.context.saved
        values = {
            "author": said.author_name,
            "text": said.text,
            "files": await self.attachments.fetch(said.attachments),
        }
        match said.kind:
            case InputKind.MESSAGE:
                return "messages", self.prompts.fill("message", values)
            case InputKind.ANSWER:
                del saved.questions[:1]
                return "answer", self.prompts.fill("answer", values)
            case InputKind.DECISION if said.request:
                title = self.asks.remember(said)
                allowed = said.verdict in ALLOWING
                return "decision", self.prompts.fill("decision", {**values, "title": title, "allowed": allowed})
            case InputKind.DECISION if said.verdict is Verdict.REQUEST_CHANGES:
                saved.revising, saved.reminded = True, False
                return "changes", self.prompts.fill("changes", values)
            case InputKind.DECISION | InputKind.STOP:
                # A document that is approved or rejected ends the session, of which the bot tells us by itself.
                return None
            case _:
                assert_never(said.kind)

    def _file_question(self, text: str, options: tuple[str, ...]) -> None:
        saved = self.context.saved
        if text in saved.questions:
            return
        self.context.tell(QuestionFiled(text=text, options=options))
        saved.questions.append(text)
        self.context.keep()

    def _read_question_file(self) -> None:
        text = files.read_text(self.context.place.workspace, QUESTION_FILE, limit=100_000)
        if text is not None:
            self._file_question(*read_question(text))
            files.remove(self.context.place.workspace, QUESTION_FILE)

    def _write_document(self, markdown: str) -> str:
        if self.context.brief.phase is Phase.EXECUTION:
            return "This phase ends with a change and not with a document; nothing was written."
        files.write_inside(self.context.place.workspace, self.documents.path, markdown)
        return "The document is written. End your turn when it is complete; people will read it then."

    async def _repeat_what_waits(self) -> None:
        """Tell again what people are to see, in case the bot has not heard of it; what it has heard changes nothing."""
        saved = self.context.saved
        if saved.stage == "waiting" and not saved.questions:
            self.documents.submit_again()
        waits = saved.stage == "waiting" or (saved.stage == "turn" and saved.held_up)
        if waits and not await self.inbox.collect():
            # By its launch alone the session counts as working.
            self.context.tell(PeopleAwaited())
