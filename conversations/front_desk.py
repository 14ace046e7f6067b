"""What both walks in have in common: telling somebody something, and filing a ticket once all of it is known."""

from dataclasses import dataclass

from conversations.choosing import Bindings, choose
from conversations.forms import filing_form
from conversations.messages import Answer, Notice
from conversations.models import Filing
from conversations.ports import ThreadStore
from conversations.progress import EMPTY, Progress, fold
from conversations.wording import PHASES
from sessions.acts import Act, NewTicket, Standing
from sessions.models import Project, TicketId
from sessions.ports import Place
from sessions.service import TicketService

NO_PROJECT = "There is no project yet. The operator makes one with `viberator project add`."


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDesk:
    service: TicketService
    threads: ThreadStore
    bindings: Bindings

    async def tell(self, act: Act, text: str, ticket: TicketId | None = None) -> Answer:
        """A notice as the visible outcome; None where what was said is a repeat and was answered before."""
        return Notice(text=text) if await self.service.note(act, "notice", ticket) else None

    async def open_filing(self, act: Act, filing: Filing) -> Answer:
        projects = await self.service.projects(act.workspace)
        if not projects:
            return await self.tell(act, NO_PROJECT)
        return filing_form(projects, filing) if await self.service.note(act, "command") else None

    async def file(self, act: Act, place: Place, filing: Filing) -> Answer:
        """File it, or ask for the project where that is not certain. Raises `ProjectUnknown` and what filing raises."""
        projects = await self.service.projects(act.workspace)
        bound = await self.bindings.project_of(place)
        project = choose(projects, named=filing.project, bound=bound)
        if project is None or not filing.title.strip():
            return await self.open_filing(act, filing)
        if problem := _mismatch(project, filing):
            return await self.tell(act, problem)
        await self.service.file(act, _new(project, place, filing))
        return None

    async def progress(self, act: Act, standing: Standing) -> Progress:
        """The whole history folded, for the few questions that the standing does not answer."""
        progress = EMPTY
        for recorded in await self.service.history(act.workspace, standing.ticket.id):
            progress = fold(progress, recorded)
        return progress


def _mismatch(project: Project, filing: Filing) -> str:
    """What was asked for and the project cannot do; empty where all fits."""
    if filing.phase is not None and filing.phase not in project.phases:
        phases = ", ".join(PHASES[phase].lower() for phase in project.phases)
        return f"Project {project.name} has no {PHASES[filing.phase].lower()} phase. It has: {phases}."
    agent = project.agent
    if filing.agent and filing.agent.casefold() not in {agent.name.casefold(), agent.title.casefold()}:
        return (
            f"Project {project.name} works with {agent.title or agent.name}; I know no agent “{filing.agent}” for it."
        )
    return ""


def _new(project: Project, place: Place, filing: Filing) -> NewTicket:
    return NewTicket(
        project=project.id,
        title=filing.title,
        description=filing.description,
        place=place,
        phase=filing.phase,
        severity=filing.severity,
        category=filing.category,
        base_branch=filing.base_branch,
        attachments=filing.attachments,
    )
