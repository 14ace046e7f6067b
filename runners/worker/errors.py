"""What can go wrong beside the agent; each error carries what a person needs to read about it."""

from pathlib import Path


class WorkerError(Exception):
    """The base of everything this package raises."""


class AgentMissing(WorkerError):
    """There is no such program, or it may not be run; `reason` is the system's word for it."""

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(command, reason)
        self.command = command
        self.reason = reason


class AgentExited(WorkerError):
    """The agent's process ended; a negative `code` is the signal that ended it."""

    def __init__(self, code: int | None, last_words: str) -> None:
        super().__init__(code, last_words)
        self.code = code
        self.last_words = last_words


class AgentSilent(WorkerError):
    """The agent did not answer `waiting_for` within the limit."""

    def __init__(self, waiting_for: str, limit_s: float, last_words: str) -> None:
        super().__init__(waiting_for, limit_s)
        self.waiting_for = waiting_for
        self.limit_s = limit_s
        self.last_words = last_words


class AgentSaidNothing(WorkerError):
    """The agent ended its turn without a word, a tool call or a change: so do some whose model cannot be reached."""

    def __init__(self, stop_reason: str, last_words: str) -> None:
        super().__init__(stop_reason)
        self.stop_reason = stop_reason
        self.last_words = last_words


class AgentSpeaksNoAcp(WorkerError):
    """The agent writes lines that are no JSON-RPC; `sample` is the beginning of the first."""

    def __init__(self, sample: str, last_words: str) -> None:
        super().__init__(sample)
        self.sample = sample
        self.last_words = last_words


class AgentVersionUnknown(WorkerError):
    """The agent wants another version of the protocol than ours."""

    def __init__(self, theirs: int, ours: int) -> None:
        super().__init__(theirs, ours)
        self.theirs = theirs
        self.ours = ours


class AgentRefused(WorkerError):
    """The agent answered a request with an error, such as that nobody is logged in."""

    def __init__(self, request: str, code: int, message: str, last_words: str) -> None:
        super().__init__(request, code, message)
        self.request = request
        self.code = code
        self.message = message
        self.last_words = last_words


class PathOutside(WorkerError):
    """The path is not a plain file inside the workspace, or is larger than what may be read."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class GitFailed(WorkerError):
    """git said no; `words` is what it wrote."""

    def __init__(self, action: str, code: int, words: str) -> None:
        super().__init__(action, code, words)
        self.action = action
        self.code = code
        self.words = words


class NotARepository(WorkerError):
    """There is no git repository where the bot said there is."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path


class RepositoryEmpty(WorkerError):
    """The repository has no commit to begin from."""


class BranchUnknown(WorkerError):
    """The repository has no such branch; `known` are some that it has."""

    def __init__(self, branch: str, known: tuple[str, ...]) -> None:
        super().__init__(branch, known)
        self.branch = branch
        self.known = known


class NothingToPublish(WorkerError):
    """The session's branch holds no commit of its own."""


class PromptBroken(WorkerError):
    """A prompt's template cannot be read or filled; `line` is 0 where it is not known."""

    def __init__(self, template: str, line: int, reason: str) -> None:
        super().__init__(template, line, reason)
        self.template = template
        self.line = line
        self.reason = reason


class BotUnreachable(WorkerError):
    """The bot did not answer for `after_s` seconds."""

    def __init__(self, after_s: float) -> None:
        super().__init__(after_s)
        self.after_s = after_s


class Fenced(WorkerError):
    """A newer launch has taken this one's place, or it has ended; nothing more is heard from it."""


class CallRefused(WorkerError):
    """The bot refused a call for what it holds."""

    def __init__(self, call: str, status: int, reason: str) -> None:
        super().__init__(call, status, reason)
        self.call = call
        self.status = status
        self.reason = reason


class WorkspaceTaken(WorkerError):
    """Another worker still holds the session's directory."""


class TurnTooLong(WorkerError):
    """The agent worked on one turn for longer than it may."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(limit_s)
        self.limit_s = limit_s
