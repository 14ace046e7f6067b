"""The cards that ask a person: approvals of documents and permissions, and an agent's questions."""

from typing import Final

from conversations.actions import Action, Verb
from conversations.cards import excerpt
from conversations.excerpts import truncate
from conversations.facts import ApprovalFacts, QuestionFacts, TicketFacts
from conversations.markdown import parse
from conversations.messages import (
    Button,
    ButtonStyle,
    Line,
    Message,
    Moment,
    Name,
    Part,
    Prose,
    Span,
    TextFile,
    Title,
    Tone,
)
from conversations.progress import Progress
from conversations.wording import DECIDED, DOCUMENTS, STARTS, TYPED, VERDICTS, VERDICTS_BY_KIND
from sessions.models import ApprovalKind, ApprovalState, Person, Phase, Verdict

BODY: Final = 2000
"""Characters of what is to be decided in its card; what does not fit is said to be cut."""

OPTIONS_SHOWN: Final = 8
LABEL: Final = 70

_VERBS: Final = {
    Verdict.APPROVE: Verb.APPROVE,
    Verdict.APPROVE_ALWAYS: Verb.APPROVE_ALWAYS,
    Verdict.REQUEST_CHANGES: Verb.REQUEST_CHANGES,
    Verdict.REJECT: Verb.REJECT,
    Verdict.REJECT_ALWAYS: Verb.REJECT_ALWAYS,
}
_STYLES: Final = {
    Verdict.APPROVE: ButtonStyle.PRIMARY,
    Verdict.APPROVE_ALWAYS: ButtonStyle.PLAIN,
    Verdict.REQUEST_CHANGES: ButtonStyle.PLAIN,
    Verdict.REJECT: ButtonStyle.DANGER,
    Verdict.REJECT_ALWAYS: ButtonStyle.DANGER,
}
_TONES: Final = {
    ApprovalState.PENDING: Tone.WAITING,
    ApprovalState.APPROVED: Tone.GOOD,
    ApprovalState.CHANGES_REQUESTED: Tone.QUIET,
    ApprovalState.REJECTED: Tone.BAD,
    ApprovalState.LAPSED: Tone.QUIET,
}


# ── approvals ───────────────────────────────────────────────────────────────────────────────────────────────────────


def approval_slot(ordinal: int) -> str:
    return f"approval/{ordinal}"


def approval_card(progress: Progress, ticket: TicketFacts, approval: ApprovalFacts, *, buttons: bool) -> Message:
    """While it is pending it mentions who may decide; afterwards it says who did, and nothing can be pressed.

    `buttons`: whether the platform has any; without them the card says which words decide.
    """
    title = Title(icon="✋", text=_approval_title(ticket, approval))
    if approval.state is not ApprovalState.PENDING:
        return Message(
            tone=_TONES[approval.state],
            parts=(title, *_body(approval), *_comment(approval)),
            footer=_settled(progress, approval),
        )
    return Message(
        tone=Tone.WAITING,
        parts=(title, *_body(approval), *_labels(approval), *(() if buttons else (_typed(approval),))),
        buttons=_verdict_buttons(ticket, approval) if buttons else (),
        footer=_deciders(approval),
        mentions=_decider_persons(ticket, approval),
        files=_whole(progress, ticket, approval),
    )


def _approval_title(ticket: TicketFacts, approval: ApprovalFacts) -> str:
    match approval.kind:
        case ApprovalKind.DOCUMENT:
            return f"{document_name(approval)} v{approval.revision} · {ticket.title}"
        case ApprovalKind.PERMISSION:
            return f"may the agent do this? {excerpt(approval.title)}"
        case ApprovalKind.PUBLISH | ApprovalKind.BUDGET:
            return excerpt(approval.title)


def document_name(approval: ApprovalFacts) -> str:
    """What people call the document, by its phase: research, plan."""
    return DOCUMENTS[Phase(approval.subject)] if approval.subject in set(Phase) else approval.title


def _body(approval: ApprovalFacts) -> tuple[Part, ...]:
    """All that is to be approved; what a platform has no room for, its writer puts in a file. Once it is settled, a part."""
    markup = parse(approval.body)
    if approval.state is not ApprovalState.PENDING:
        markup = truncate(markup, BODY)
    return (Prose(markup=markup),) if markup else ()


def _whole(progress: Progress, ticket: TicketFacts, approval: ApprovalFacts) -> tuple[TextFile, ...]:
    """The document itself, where the card has only its summary."""
    whole = next((one.markdown for one in progress.documents if one.digest == approval.digest), "")
    if approval.kind is not ApprovalKind.DOCUMENT or whole in {"", approval.body}:
        return ()
    return (TextFile(name=f"{ticket.key}-{document_name(approval)}-v{approval.revision}.md", text=whole),)


def _labels(approval: ApprovalFacts) -> tuple[Line, ...]:
    """The agent's own words for the options; the buttons use ours, since these could be made to mislead."""
    if not any(approval.labels):
        return ()
    words = " / ".join(excerpt(label, limit=LABEL) for label in approval.labels if label)
    return (Line(spans=(f"The agent offers: {words}",), muted=True),)


def _verdict_buttons(ticket: TicketFacts, approval: ApprovalFacts) -> tuple[Button, ...]:
    return tuple(
        Button(
            label=_verdict_label(ticket, approval, verdict),
            action=Action(verb=_VERBS[verdict], ticket=ticket.key, ordinal=approval.ordinal, digest=approval.digest),
            style=_STYLES[verdict],
        )
        for verdict in approval.offers
    )


def _verdict_label(ticket: TicketFacts, approval: ApprovalFacts, verdict: Verdict) -> str:
    if approval.kind is ApprovalKind.DOCUMENT and verdict is Verdict.APPROVE:
        following = _phase_after(ticket, approval.subject)
        return VERDICTS[verdict] if following is None else f"{VERDICTS[verdict]} & {STARTS[following]}"
    return VERDICTS_BY_KIND.get((approval.kind, verdict), VERDICTS[verdict])


def _phase_after(ticket: TicketFacts, subject: str) -> Phase | None:
    if subject not in ticket.phases:
        return None
    return next(iter(ticket.phases[ticket.phases.index(Phase(subject)) + 1 :]), None)


def _typed(approval: ApprovalFacts) -> Line:
    words = [f"“{TYPED[verdict]}”" for verdict in approval.offers if verdict in TYPED]
    return Line(spans=(f"Write {' or '.join(words)}",))


def _deciders(approval: ApprovalFacts) -> tuple[Span, ...]:
    names = [name for name in approval.decider_names if name]
    spans: list[Span] = ["Deciders: "] if names else []
    for at, name in enumerate(names):
        spans += [", "] if at else []
        spans.append(Name(name))
    return tuple(spans)


def _decider_persons(ticket: TicketFacts, approval: ApprovalFacts) -> tuple[Person, ...]:
    requester = ticket.requester
    names = dict(zip(approval.deciders, approval.decider_names, strict=False))
    return tuple(
        requester
        if decider == requester.external_id
        else Person(installation=requester.installation, external_id=decider, name=names.get(decider) or decider)
        for decider in approval.deciders
    )


def _comment(approval: ApprovalFacts) -> tuple[Part, ...]:
    return (Line(spans=(f"“{excerpt(approval.comment, limit=300)}”",)),) if approval.comment else ()


def _settled(progress: Progress, approval: ApprovalFacts) -> tuple[Span, ...]:
    """Approved by @dana 14:02 (v2)."""
    if approval.state is ApprovalState.LAPSED:
        return (_lapsed(progress, approval),)
    at = (" ", Moment(approval.settled_at)) if approval.settled_at else ()
    revision = (f" (v{approval.revision})",) if approval.revision else ()
    always = {Verdict.APPROVE_ALWAYS: " for good", Verdict.REJECT_ALWAYS: " for good"}
    words = f"{DECIDED[approval.state]}{always.get(approval.verdict, '') if approval.verdict else ''} by "
    return (words, Name(approval.by_name), *at, *revision)


def _lapsed(progress: Progress, approval: ApprovalFacts) -> str:
    match approval.lapse:
        case "superseded":
            newest = next((one for one in progress.documents if one.phase == approval.subject), None)
            version = f" v{newest.revision}" if newest else " another one"
            return f"The {document_name(approval)} is now{version}."
        case "withdrawn":
            return "Not asked any more: the agent went on without it."
        case "over" | "":
            return "Not asked any more: this work is over."


# ── questions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def question_card(ticket: TicketFacts, question: QuestionFacts, *, buttons: bool, modals: bool) -> Message:
    """The agent's question, for the requester; a plain reply in the thread answers it too."""
    parts: tuple[Part, ...] = (Title(icon="❓", text="The agent asks"), Prose(markup=parse(question.text)))
    if question.answered_at or question.closed:
        return Message(tone=Tone.QUIET, parts=(*parts, *_answer(question)), footer=_answered(question))
    options = question.options[:OPTIONS_SHOWN]
    listed = not buttons or any(len(option) > LABEL for option in options)
    return Message(
        tone=Tone.WAITING,
        parts=(*parts, *(_option_lines(options) if listed else ())),
        buttons=_option_buttons(ticket, question, options, modals=modals) if buttons else (),
        footer=("Or write your answer here.",) if buttons else ("Write your answer here.",),
        mentions=(ticket.requester,),
    )


def _option_lines(options: tuple[str, ...]) -> tuple[Line, ...]:
    return tuple(Line(spans=(f"{at}. {excerpt(option, limit=300)}",)) for at, option in enumerate(options, start=1))


def _option_buttons(
    ticket: TicketFacts, question: QuestionFacts, options: tuple[str, ...], *, modals: bool
) -> tuple[Button, ...]:
    chosen = tuple(
        Button(
            label=excerpt(option, limit=LABEL),
            action=Action(verb=Verb.ANSWER, ticket=ticket.key, ordinal=question.ordinal, choice=at),
        )
        for at, option in enumerate(options, start=1)
    )
    other = Action(verb=Verb.ANSWER_OTHER, ticket=ticket.key, ordinal=question.ordinal)
    return (*chosen, Button(label="Other…" if options else "Answer…", action=other)) if modals else chosen


def _answer(question: QuestionFacts) -> tuple[Line, ...]:
    return (Line(spans=(f"→ {excerpt(question.answer, limit=300)}",)),) if question.answer else ()


def _answered(question: QuestionFacts) -> tuple[Span, ...]:
    if question.answered_at is None:
        return ("Not asked any more: this work is over.",)
    return ("Answered by ", Name(question.by_name), " ", Moment(question.answered_at))
