"""The end of an execution: tests, repairs, one commit, a bundle, and the bot's word that it is pushed."""

import asyncio
from dataclasses import dataclass

from runners.wire import WirePublish
from runners.worker.checks import Checks
from runners.worker.commits import Story
from runners.worker.context import Context, Ending
from runners.worker.inbox import Inbox
from runners.worker.link import Refused
from runners.worker.prompts import Prompts
from runners.worker.turns import Turns
from runners.worker.workspace import Commit, Workspace
from sessions.events import ChangesCommitted, TestsRun
from sessions.models import Failure, FailureKind, Publication

BUNDLE = "branch.bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """What happens when the agent says that the change is made."""

    context: Context
    workspace: Workspace
    checks: Checks
    prompts: Prompts
    turns: Turns
    inbox: Inbox

    async def settle(self) -> Ending | None:
        """After a turn; None when the agent had another one or is to have it."""
        saved = self.context.saved
        if not await self.workspace.changed():
            return Ending(reason="finished", nothing_to_change=True, words=saved.words)
        if self.context.brief.test_command:
            tests = await self.checks.run(saved.repairs)
            self.context.tell(tests)
            if not tests.passed:
                return await self._repair(tests)
        if await self.inbox.collect():
            # Somebody has said something while the tests ran: that comes first.
            return None
        return await self._publish()

    async def _repair(self, tests: TestsRun) -> Ending | None:
        saved, limit = self.context.saved, self.context.brief.limits.repairs
        if saved.repairs >= limit:
            # Who tries again gets all repairs again.
            saved.repairs = 0
            self.context.keep()
            detail = f"`{tests.command}` still ends with code {tests.exit_code} after {limit} repairs."
            return Ending(
                reason="failed", failure=Failure(kind=FailureKind.TESTS_RED, detail=detail, last_words=tests.output)
            )
        saved.repairs += 1
        values = {
            "attempt": saved.repairs,
            "attempts": limit,
            "command": tests.command,
            "exit_code": tests.exit_code,
            "output": tests.output,
        }
        await self.turns.take("repair", self.prompts.fill("repair", values))
        return None

    async def _publish(self) -> Ending:
        commit = await self.workspace.commit(self._story())
        self.context.tell(ChangesCommitted(sha=commit.sha, subject=commit.subject, diffstat=commit.diffstat))
        await self.context.outbox.settled()
        match await self._send(commit):
            case Refused(kind=kind, detail=detail):
                return Ending(reason="failed", failure=Failure(kind=kind, detail=detail))
            case Publication():
                return Ending(reason="finished", words=self.context.saved.words)

    async def _send(self, commit: Commit) -> Publication | Refused:
        brief, link = self.context.brief, self.context.link
        bundle = await self.workspace.bundle()
        await link.put_blob(BUNDLE, await asyncio.to_thread(bundle.read_bytes))
        bundle.unlink()
        return await link.publish(WirePublish(bundle=BUNDLE, branch=brief.branch, base=brief.base, head=commit.sha))

    def _story(self) -> Story:
        brief, saved = self.context.brief, self.context.saved
        requester = f"{brief.author_name} <{brief.author_email}>" if brief.author_email else brief.author_name
        return Story(
            title=brief.title,
            ticket=brief.ticket_key,
            requester=requester,
            report_title=saved.report_title,
            report=saved.report,
        )
