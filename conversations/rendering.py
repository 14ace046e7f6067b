"""The cards a thread should show, from what its history comes to.

Slots: `root`, `progress/<session>`, `approval/<n>`, `question/<n>`, `receipt/<input>`, `final/<session>`, `error/<n>`,
`stopped/<session>`. Only the ones that need a person mention anybody, and exactly who is needed.
"""

from dataclasses import dataclass

from conversations.messages import View
from conversations.ports import Capabilities
from conversations.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where the status page is; an empty `public_url` means that there is none to link to."""

    public_url: str = ""


def view(progress: Progress, *, capabilities: Capabilities, links: Links) -> View:
    """All cards in the order of their first appearance; the same progress always gives the same view."""
    raise NotImplementedError
