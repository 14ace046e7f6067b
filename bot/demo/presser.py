"""What `--yes` presses: the policy by which `viberator demo --yes` answers in a person's place."""

from conversations.messages import Button, Message


def press(message: Message) -> Button | None:
    """The button that tells the story on, or None where the card waits for nobody."""
    raise NotImplementedError
