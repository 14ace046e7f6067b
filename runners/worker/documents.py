"""The document that research and planning end with: found where the agent has put it, asked for once, then made of its words."""

from dataclasses import dataclass
from pathlib import Path

from runners.worker import files
from runners.worker.cleaning import beginning
from runners.worker.context import Context
from runners.worker.prompts import Prompts
from runners.worker.turns import Turns
from runners.worker.workspace import NOTES
from sessions.events import DocumentSubmitted

LONGEST_CHARS = 300_000
UNWRITTEN = "*The agent wrote no document; this is its last message.*"
UNCHANGED = "*The agent did not change the document; this is what it said to the comment.*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """The document of one session."""

    context: Context
    prompts: Prompts
    turns: Turns

    @property
    def path(self) -> Path:
        """Where the agent leaves it, below the workspace."""
        return Path(NOTES) / f"{self.context.brief.phase}.md"

    async def settle(self) -> None:
        """After a turn: submit what is new, remind an agent that owes it; people are waited for afterwards."""
        saved = self.context.saved
        written = files.read_text(self.context.place.workspace, self.path)
        if written is not None and written != saved.document:
            self._submit(written)
        elif saved.submitted and not saved.revising:
            # It has only answered somebody.
            saved.stage = "waiting"
            self.context.keep()
        elif not saved.reminded:
            saved.reminded = True
            await self.turns.take("reminder", self.prompts.fill("reminder", {"revising": saved.revising}))
        else:
            self._submit(self._made_of_words())

    def submit_again(self) -> None:
        """Tell the bot the document once more, in case it has not heard of it; the same text changes nothing."""
        if self.context.saved.document:
            self.context.tell(self._submitted(self.context.saved.document))

    def _submit(self, markdown: str) -> None:
        saved = self.context.saved
        self.context.tell(self._submitted(markdown))
        saved.document, saved.submitted, saved.stage = markdown, True, "waiting"
        saved.revising = saved.reminded = False
        self.context.keep()

    def _submitted(self, markdown: str) -> DocumentSubmitted:
        return DocumentSubmitted(phase=self.context.brief.phase, markdown=beginning(markdown, LONGEST_CHARS))

    def _made_of_words(self) -> str:
        saved = self.context.saved
        said = saved.said.strip() or "(It said nothing.)"
        return f"{saved.document}\n\n---\n\n{UNCHANGED}\n\n{said}" if saved.document else f"{UNWRITTEN}\n\n{said}"
