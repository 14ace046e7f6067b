"""What can go wrong in the domain of agents at work; each error carries the data a card needs."""

from sessions.models import ApprovalState, InputState, SessionState, TicketState


class SessionsError(Exception):
    """The base of everything this package raises."""


class TicketUnknown(SessionsError):
    """No ticket by that id or key in this workspace."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class TicketOver(SessionsError):
    """The ticket is done or rejected, and takes nothing until it is reopened."""

    def __init__(self, key: str, state: TicketState) -> None:
        super().__init__(key, state)
        self.key = key
        self.state = state


class SessionUnknown(SessionsError):
    """No session by that id or key in this workspace."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class SessionOver(SessionsError):
    """The session is done or discarded; these ends are final."""

    def __init__(self, key: str, state: SessionState) -> None:
        super().__init__(key, state)
        self.key = key
        self.state = state


class PlaceTaken(SessionsError):
    """The thread has a ticket already."""


class ProjectUnknown(SessionsError):
    """No project by that name; `known` are the names there are."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name = name
        self.known = known


class ApprovalUnknown(SessionsError):
    """No approval of that ordinal on the ticket."""

    def __init__(self, ordinal: int) -> None:
        super().__init__(ordinal)
        self.ordinal = ordinal


class ApprovalAlreadyDecided(SessionsError):
    """Somebody else was first, or the approval lapsed."""

    def __init__(self, ordinal: int, state: ApprovalState, by_name: str, at_unix_s: float) -> None:
        super().__init__(ordinal, state)
        self.ordinal = ordinal
        self.state = state
        self.by_name = by_name
        self.at_unix_s = at_unix_s


class ApprovalStale(SessionsError):
    """What was shown is no longer what would be approved."""

    def __init__(self, ordinal: int, shown_digest: str, current_digest: str) -> None:
        super().__init__(ordinal)
        self.ordinal = ordinal
        self.shown_digest = shown_digest
        self.current_digest = current_digest


class NotAllowed(SessionsError):
    """The person may not do this; `allowed` are the names of those who may."""

    def __init__(self, person_name: str, action: str, allowed: tuple[str, ...]) -> None:
        super().__init__(person_name, action)
        self.person_name = person_name
        self.action = action
        self.allowed = allowed


class VerdictNotOffered(SessionsError):
    """The approval does not offer that verdict."""

    def __init__(self, ordinal: int, verdict: str) -> None:
        super().__init__(ordinal, verdict)
        self.ordinal = ordinal
        self.verdict = verdict


class QuestionUnknown(SessionsError):
    """No question of that ordinal on the ticket."""

    def __init__(self, ordinal: int) -> None:
        super().__init__(ordinal)
        self.ordinal = ordinal


class QuestionAlreadyAnswered(SessionsError):
    """Somebody else answered first, or the question was withdrawn."""

    def __init__(self, ordinal: int, by_name: str) -> None:
        super().__init__(ordinal)
        self.ordinal = ordinal
        self.by_name = by_name


class InputGone(SessionsError):
    """The queued message was sent to the agent or withdrawn already."""

    def __init__(self, ordinal: int, state: InputState) -> None:
        super().__init__(ordinal, state)
        self.ordinal = ordinal
        self.state = state


class LaunchFenced(SessionsError):
    """The launch has ended or a newer one has taken its place; its worker must stop."""


class LaunchUnknown(SessionsError):
    """No launch answers to that id and token."""


class FramesMissing(SessionsError):
    """A batch begins after the frame that is wanted next."""

    def __init__(self, wanted: int) -> None:
        super().__init__(wanted)
        self.wanted = wanted


class IngestBusy(SessionsError):
    """Too much is waiting to be stored; come again after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class PublishRefused(SessionsError):
    """The bundle may not or could not be pushed; `kind` says whose refusal it was."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail


class RunnerUnavailable(SessionsError):
    """The runner could not start or reach a worker."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class KeysExhausted(SessionsError):
    """No free key for a ticket was found in so many attempts."""

    def __init__(self, attempts: int) -> None:
        super().__init__(attempts)
        self.attempts = attempts
