"""What a written message brings about: a ticket, something for the agent, a decision, or an answer of ours."""

import difflib
from dataclasses import dataclass
from typing import assert_never

from conversations.ask_cards import approval_slot
from conversations.facts import ApprovalFacts
from conversations.front_desk import FrontDesk
from conversations.intents import (
    Command,
    Decide,
    Nothing,
    OpenForm,
    Request,
    Say,
    UnknownCommand,
    Word,
    read_intent,
    title_of,
)
from conversations.messages import Answer, Notice
from conversations.models import Change, Filing, IncomingMessage
from conversations.status import difference, status
from conversations.wording import HELP
from sessions.acts import Act, Heard, Standing
from sessions.models import Approval, ApprovalState, SessionState, TicketId, Verdict

NO_TICKET = "There is no ticket in this thread. Tell me what is to be done, and I start one; !help says more."

TAKEN = "This thread has a ticket already. Say here what else is to be done, or start another thread."


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message, who may be behind it, and the ticket whose thread it stands in."""

    act: Act
    incoming: IncomingMessage
    standing: Standing | None


async def hear(desk: FrontDesk, said: Said) -> Answer:
    """Do what the message wants. Raises the errors of `sessions.errors`."""
    match said.incoming.change:
        case Change.WRITTEN:
            return await _written(desk, said)
        case Change.EDITED:
            return await _edited(desk, said)
        case Change.DELETED:
            return await _deleted(desk, said)
        case _:
            assert_never(said.incoming.change)


async def _written(desk: FrontDesk, said: Said) -> Answer:
    intent = read_intent(said.incoming.text, in_thread=said.standing is not None, offers=_offers(said.standing))
    match intent:
        case Request():
            return await _request(desk, said, intent)
        case OpenForm() if said.standing is not None:
            return await desk.tell(said.act, TAKEN, _ticket(said))
        case OpenForm(text=text):
            return await desk.open_filing(said.act, Filing(title=title_of(text) if text else "", description=text))
        case Command():
            return await _command(desk, said, intent)
        case UnknownCommand(name=name):
            return await desk.tell(said.act, _unknown(name), _ticket(said))
        case Say(text=text):
            return await _say(desk, said, text)
        case Decide():
            return await _decide(desk, said, intent)
        case Nothing():
            return await desk.tell(said.act, status(said.standing) if said.standing else HELP, _ticket(said))
        case _:
            assert_never(intent)


async def _edited(desk: FrontDesk, said: Said) -> Answer:
    """Other words for a message that is still queued; an edited request starts nothing again."""
    intent = read_intent(said.incoming.text, in_thread=True)
    if said.standing is not None and isinstance(intent, Say):
        source = said.incoming.message_id
        await desk.service.edit(said.act, said.standing.ticket.id, source=source, text=intent.text)
    return None


async def _deleted(desk: FrontDesk, said: Said) -> Answer:
    if said.standing is not None:
        await desk.service.withdraw(said.act, said.standing.ticket.id, source=said.incoming.message_id)
    return None


def pending(standing: Standing | None) -> tuple[Approval, ...]:
    approvals = standing.approvals if standing else ()
    return tuple(approval for approval in approvals if approval.state is ApprovalState.PENDING)


def _offers(standing: Standing | None) -> tuple[Verdict, ...]:
    return tuple(verdict for approval in pending(standing) for verdict in approval.offers)


def _ticket(said: Said) -> TicketId | None:
    return said.standing.ticket.id if said.standing else None


async def _request(desk: FrontDesk, said: Said, request: Request) -> Answer:
    if request.unknown:
        options = ", ".join(request.unknown)
        return await desk.tell(said.act, f"I do not understand {options}, so nothing was started. {_OPTIONS}")
    filing = Filing(
        title=request.title,
        description=request.description,
        project=request.project,
        phase=request.phase,
        severity=request.severity,
        base_branch=request.branch,
        agent=request.agent,
        attachments=said.incoming.attachments,
    )
    return await desk.file(said.act, said.incoming.place, filing)


_OPTIONS = "Options are repo=, branch=, agent=, phase=research|planning|execution and severity=low|normal|high|urgent."


async def _say(desk: FrontDesk, said: Said, text: str) -> Answer:
    assert said.standing is not None
    incoming = said.incoming
    heard = await desk.service.say(
        said.act,
        said.standing.ticket.id,
        text,
        source=incoming.message_id,
        attachments=incoming.attachments,
    )
    return None if heard is None else _receipt(heard)


def _receipt(heard: Heard) -> Answer:
    """Only where the agent is busy, since else what it does next is the answer."""
    if heard.became == "queued" and heard.session.state is SessionState.WORKING:
        return Notice(text="Queued: the agent reads it as soon as its turn ends.")
    return None


async def _decide(desk: FrontDesk, said: Said, decision: Decide) -> Answer:
    assert said.standing is not None
    act, ticket, waiting = said.act, said.standing.ticket, pending(said.standing)
    if len(waiting) > 1:
        return await desk.tell(
            act, "Several things wait for a decision. Press the button of the one you mean.", ticket.id
        )
    approval = waiting[0]
    if not await desk.threads.is_shown(act.workspace, said.incoming.place, approval_slot(approval.ordinal)):
        # Words carry no digest, so they can only be about a card that is there.
        return await desk.tell(act, "What is to be decided was written just now. Please look at it first.", ticket.id)
    if decision.revision is not None:
        shown = await _shown(desk, said, approval)
        if shown and shown.revision and shown.revision != decision.revision:
            return await desk.tell(act, f"v{shown.revision} is the newest; please look at that first.", ticket.id)
    await desk.service.decide(
        act, ticket.id, approval.ordinal, decision.verdict, digest=approval.digest, comment=decision.comment
    )
    return None


async def _shown(desk: FrontDesk, said: Said, approval: Approval) -> ApprovalFacts | None:
    assert said.standing is not None
    progress = await desk.progress(said.act, said.standing)
    return next((one for one in progress.approvals if one.ordinal == approval.ordinal), None)


# ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _command(desk: FrontDesk, said: Said, command: Command) -> Answer:
    if command.word is Word.HELP:
        return await desk.tell(said.act, HELP, _ticket(said))
    standing = said.standing or await desk.service.find(said.act.workspace, command.rest)
    if standing is None:
        return await desk.tell(said.act, NO_TICKET)
    return await _on_ticket(desk, said.act, standing, command)


async def _on_ticket(desk: FrontDesk, act: Act, standing: Standing, command: Command) -> Answer:
    service, ticket = desk.service, standing.ticket.id
    match command.word:
        case Word.STATUS | Word.HELP:
            return await desk.tell(act, status(standing), ticket)
        case Word.DIFF:
            return await desk.tell(act, difference(standing), ticket)
        case Word.STOP:
            await service.stop(act, ticket)
        case Word.RESUME:
            await service.resume(act, ticket)
        case Word.RETRY:
            await service.retry(act, ticket)
        case Word.REOPEN:
            await service.reopen(act, ticket)
        case Word.DISCARD:
            return await _discard(desk, act, standing, command.rest)
        case _:
            assert_never(command.word)
    return None


async def _discard(desk: FrontDesk, act: Act, standing: Standing, confirmed: str) -> Answer:
    key = standing.ticket.key
    if confirmed != key:
        words = f"This throws away what was not published. Write “!discard {key}” if you mean it."
        return await desk.tell(act, words, standing.ticket.id)
    await desk.service.discard(act, standing.ticket.id)
    return None


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, list(Word), n=1)
    return f"I know no !{name}. Did you mean !{near[0]}?" if near else f"I know no !{name}. !help lists what I know."
