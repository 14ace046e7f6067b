"""What can go wrong in the domain of threads, most of it between us and a platform."""


class ConversationsError(Exception):
    """The base of everything this package raises."""


class OutletError(ConversationsError):
    """The platform did not do what was asked."""


class OutletBusy(OutletError):
    """Too many calls; come again after `retry_after_s` seconds. The call had no effect."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class OutletUnclear(OutletError):
    """No answer came, so the call may have had its effect or not."""


class MessageGone(OutletError):
    """The message to edit does not exist any more."""


class ThreadGone(OutletError):
    """Nothing can be said there any more: archived, deleted, the bot removed or its token revoked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FenceLost(ConversationsError):
    """Another sender has taken over the outlet; whatever this one had in mind must not happen."""


class ThreadUnknown(ConversationsError):
    """No thread by that id."""

    def __init__(self, thread: str) -> None:
        super().__init__(thread)
        self.thread = thread


class InstallationUnknown(ConversationsError):
    """A message came from an installation that nobody connected."""

    def __init__(self, installation: str) -> None:
        super().__init__(installation)
        self.installation = installation
