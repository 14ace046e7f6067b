"""What a pressed button or a sent form brings about."""

from dataclasses import dataclass
from typing import assert_never

from conversations.actions import Verb
from conversations.end_cards import details
from conversations.forms import SURE, TEXT, discard_form, is_sure, read_filing, text_form
from conversations.front_desk import FrontDesk
from conversations.messages import Answer
from conversations.models import IncomingPress
from sessions.acts import Act, Standing
from sessions.errors import QuestionUnknown, TicketUnknown
from sessions.models import Question, Verdict

_VERDICTS = {
    Verb.APPROVE: Verdict.APPROVE,
    Verb.APPROVE_ALWAYS: Verdict.APPROVE_ALWAYS,
    Verb.REQUEST_CHANGES: Verdict.REQUEST_CHANGES,
    Verb.REJECT: Verdict.REJECT,
    Verb.REJECT_ALWAYS: Verdict.REJECT_ALWAYS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A press on a card of a ticket; `values` are those of the form it came with, if any."""

    act: Act
    incoming: IncomingPress
    standing: Standing
    values: dict[str, str]


async def press(desk: FrontDesk, act: Act, incoming: IncomingPress) -> Answer:
    """Do what the button says. Raises the errors of `sessions.errors`."""
    values = dict(incoming.values)
    if incoming.action.verb is Verb.FILE:
        return await desk.file(act, incoming.place, read_filing(values))
    standing = await desk.service.find(act.workspace, incoming.action.ticket)
    if standing is None:
        raise TicketUnknown(incoming.action.ticket)
    return await _on_ticket(desk, Pressed(act=act, incoming=incoming, standing=standing, values=values))


async def _on_ticket(desk: FrontDesk, pressed: Pressed) -> Answer:
    verb = pressed.incoming.action.verb
    match verb:
        case Verb.APPROVE | Verb.APPROVE_ALWAYS | Verb.REQUEST_CHANGES | Verb.REJECT | Verb.REJECT_ALWAYS:
            return await _decide(desk, pressed, _VERDICTS[verb])
        case Verb.ANSWER | Verb.ANSWER_OTHER:
            return await _answer(desk, pressed)
        case Verb.STOP | Verb.RESUME | Verb.RETRY | Verb.REOPEN | Verb.DISCARD:
            return await _control(desk, pressed)
        case Verb.REMOVE:
            return await _remove(desk, pressed)
        case Verb.DETAILS:
            return await _details(desk, pressed)
        case Verb.FOLLOW_UP:
            return await _follow_up(desk, pressed)
        case Verb.FILE:
            return await desk.tell(pressed.act, "That choice is not open any more. Please write your request again.")
        case _:
            assert_never(verb)


async def _decide(desk: FrontDesk, pressed: Pressed, verdict: Verdict) -> Answer:
    action = pressed.incoming.action
    if verdict is Verdict.REQUEST_CHANGES and not pressed.values.get(TEXT, "").strip():
        return text_form("What should change?", action, label="Your comment", submit="Request changes")
    await desk.service.decide(
        pressed.act,
        pressed.standing.ticket.id,
        action.ordinal,
        verdict,
        digest=action.digest,
        comment=pressed.values.get(TEXT, "").strip(),
    )
    return None


async def _answer(desk: FrontDesk, pressed: Pressed) -> Answer:
    action = pressed.incoming.action
    question = _question(pressed.standing, action.ordinal)
    text = pressed.values.get(TEXT, "").strip()
    if action.verb is Verb.ANSWER and 1 <= action.choice <= len(question.options):
        text = question.options[action.choice - 1]
    if not text:
        return text_form("Your answer", action, label="Answer", hint=question.text[:100])
    await desk.service.answer(pressed.act, pressed.standing.ticket.id, action.ordinal, text)
    return None


def _question(standing: Standing, ordinal: int) -> Question:
    for question in standing.questions:
        if question.ordinal == ordinal:
            return question
    raise QuestionUnknown(ordinal)


async def _control(desk: FrontDesk, pressed: Pressed) -> Answer:
    act, ticket, verb = pressed.act, pressed.standing.ticket.id, pressed.incoming.action.verb
    match verb:
        case Verb.STOP:
            await desk.service.stop(act, ticket)
        case Verb.RESUME:
            await desk.service.resume(act, ticket)
        case Verb.RETRY:
            await desk.service.retry(act, ticket)
        case Verb.REOPEN:
            await desk.service.reopen(act, ticket)
        case _:
            return await _discard(desk, pressed)
    return None


async def _discard(desk: FrontDesk, pressed: Pressed) -> Answer:
    if SURE not in pressed.values:
        return discard_form(pressed.incoming.action)
    if not is_sure(pressed.values):
        return await desk.tell(pressed.act, "Kept: nothing was thrown away.", pressed.standing.ticket.id)
    await desk.service.discard(pressed.act, pressed.standing.ticket.id)
    return None


async def _remove(desk: FrontDesk, pressed: Pressed) -> Answer:
    ticket, queued = pressed.standing.ticket.id, pressed.incoming.action.ordinal
    await desk.service.withdraw(pressed.act, ticket, ordinal=queued)
    return None


async def _details(desk: FrontDesk, pressed: Pressed) -> Answer:
    progress = await desk.progress(pressed.act, pressed.standing)
    ordinal = pressed.incoming.action.ordinal
    failure = next((one for one in progress.failures if one.ordinal == ordinal), None)
    words = details(failure) if failure else "No more is known of that."
    return await desk.tell(pressed.act, words, pressed.standing.ticket.id)


async def _follow_up(desk: FrontDesk, pressed: Pressed) -> Answer:
    text = pressed.values.get(TEXT, "").strip()
    if not text:
        return text_form("What else is to be done?", pressed.incoming.action, label="Request", submit="Start")
    await desk.service.follow_up(pressed.act, pressed.standing.ticket.id, text)
    return None
