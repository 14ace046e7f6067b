"""The cards a thread is made of, as rendering makes them of the stories; their drawings are in tests/golden.

`document` is made by hand, to show everything that an agent's markdown can hold.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from conversations.actions import Action, Verb
from conversations.markdown import parse
from conversations.messages import Button, ButtonStyle, Message, Prose, TextFile, Title, Tone
from conversations.ports import Capabilities
from conversations.rendering import Links, view
from tests import stories
from tests.stories import Story, told

DANA: Final = stories.DANA
DANA_ON_DISCORD: Final = replace(DANA, external_id="135000000000000001")

CAPABILITIES: Final = Capabilities(
    can_edit=True, has_buttons=True, has_modals=True, has_idempotency_key=True, text_limit=4000
)

DOCUMENT: Final = """\
# Why the invoice fails

The invoice of an **annual** customer without a discount fails, because `proration.py` multiplies by *None*.

1. Guard against a missing discount in `billing/proration.py`
2. Add a regression test for [#412](https://github.com/acme/api/issues/412)
   - [x] annual
   - [ ] monthly
3. ~~Migrate the schema~~

```python
def prorated(amount: Decimal, discount: Decimal | None) -> Decimal:
    return amount * (1 - (discount or 0))
```

> Not doing: the schema migration.
> It waits for the *next* release.

| file | change |
|---|---|
| billing/proration.py | guard |
| tests/test_billing.py | new test |

---

A link that lies: [github.com](https://evil.example); a shout: <!channel> @everyone
"""


def _shown(story: Story, slot: str) -> Message:
    cards = view(told(story.events), capabilities=CAPABILITIES, links=Links(public_url="https://viberator.example"))
    return next(card.message for card in cards if card.slot == slot)


def _document() -> Message:
    action = Action(verb=Verb.APPROVE, ticket=stories.KEY, ordinal=1, digest=stories.digest_of(DOCUMENT))
    return Message(
        tone=Tone.WAITING,
        parts=(Title(icon="✋", text="research v1"), Prose(markup=parse(DOCUMENT))),
        buttons=(Button(label="Approve & plan", action=action, style=ButtonStyle.PRIMARY),),
        mentions=(DANA,),
        files=(TextFile(name="research-v1.md", text=DOCUMENT),),
    )


CARDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        **{name: _shown(make(), slot) for name, (make, slot) in stories.CARDS.items()},
        "decided": _shown(stories.approved(stories.planned().later(120), 2, ordinal=3), "approval/3"),
        "document": _document(),
    }
)
