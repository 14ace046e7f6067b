"""What must be true of every ticket whatever went wrong, as far as what is stored can show it.

`check` is pure: it compares what is stored of a ticket with itself. The names are those of the list of invariants that
the fault tests use. What a running bot does soon is wrong only when it was not done for a while.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sessions.discrepancies import discrepancies
from sessions.draining import debts, leftovers
from sessions.proofs import Evidence, Proof, Unsettled, Violation

PATIENCE_S: Final = 60.0
SILENCE_S: Final = 10.0
"""Nobody who said something waits longer for a visible outcome."""

INVARIANTS: Final[Mapping[str, str]] = {
    "I1": "a thread is owed every event, no slot is posted twice, and none is left half posted",
    "I2": "a session has at most one live launch, and a lane of a ticket at most one live session",
    "I3": "an approval is asked once, decided at most once by one of those who may, and stands as its history tells",
    "I5": "what is stored was acknowledged, and what was said to us has an outcome",
    "I7": "everything drains: nothing waits for somebody who is gone",
    "I9": "states move along declared edges and are what the history makes of them; ends are final; nothing is missing",
    "I10": "only the newest launch of a session is alive",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """How many tickets were looked at, and all that was found."""

    tickets: int
    violations: tuple[Violation, ...]


async def inspect(evidence: Evidence, *, patience_s: float = PATIENCE_S) -> Inspection:
    """Check all there is; what should happen soon is wrong when it was not done for `patience_s` seconds."""
    tickets = 0
    found: list[Violation] = []
    async for proof in evidence.proofs():
        tickets += 1
        found += check(proof, patience_s=patience_s)
    unsettled = await evidence.unsettled(older_than_s=min(SILENCE_S, patience_s))
    found += [_silence(said) for said in unsettled]
    return Inspection(tickets=tickets, violations=tuple(found))


def check(proof: Proof, *, patience_s: float) -> list[Violation]:
    """What is not as it must be of a ticket.

    With a patience of 0 nothing may be under way any more; with infinity only what holds at every moment is checked.
    """
    return [*discrepancies(proof), *debts(proof, patience_s), *leftovers(proof, patience_s)]


def _silence(unsettled: Unsettled) -> Violation:
    problem = f"has no outcome since {unsettled.received_at:%Y-%m-%d %H:%M:%S %Z}"
    return Violation(invariant="I5", subject=f"message {unsettled.key.source}", problem=problem)
