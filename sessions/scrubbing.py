"""Every text of a frame sanitised, redacted and capped, in this order, before anything else is done with it.

Sanitising comes first, because a control character in a secret's middle would hide it and is taken out; capping comes
last, because half a secret would not be found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum, auto
from types import UnionType
from typing import TypeVar, get_args, get_origin, get_type_hints

from sessions.events import AgentSaid, AgentThought, DocumentSubmitted, Event, WorkerFrame
from sessions.models import LaunchId
from sessions.redaction import Redactor
from sessions.sanitising import DOCUMENT_CHARS, TEXT_CHARS, capped, cleaned

Frame = WorkerFrame | Event
T = TypeVar("T")

TRAILS = 10_000
"""So many launches' last words are remembered; the oldest is forgotten first."""


@dataclass(frozen=True, slots=True)
class _Trail:
    """The end of what was stored of a message; `last` is the number of the last frame that went into it."""

    message: str = ""
    text: str = ""
    last: int = 0


class _Holds(Enum):
    TEXT = auto()
    TEXTS = auto()
    VALUE = auto()
    VALUES = auto()


_Plan = tuple[tuple[str, _Holds], ...]


@dataclass(slots=True, kw_only=True)
class Scrubber:
    """Scrubs what the workers of one process send.

    What an agent says comes in pieces, so the last of it is remembered: once it is stored, since a batch that was not comes
    again.
    """

    redactor: Redactor
    _plans: dict[type, _Plan] = field(default_factory=dict)
    _trails: dict[tuple[LaunchId, str], _Trail] = field(default_factory=dict)

    def scrub(self, launch: LaunchId, frames: Sequence[Frame], *, first: int = 1) -> list[Frame]:
        """Frames `first` … of a launch, in order; those without anything to change are the same objects."""
        speech = self._speech(launch, frames, first)
        spoken = [
            self._trail(launch, kind, message).text + "".join([_said(frames[place]) for place in places])
            for (kind, message), places in speech.items()
        ]
        if self._is_clean(frames, spoken):
            return list(frames)
        scrubbed = [self._rewritten(frame, _limit(frame)) for frame in frames]
        self._scrub_speech(launch, frames, scrubbed, speech)
        return scrubbed

    def remember(self, launch: LaunchId, frames: Sequence[Frame], *, first: int = 1) -> None:
        """Frames `first` …, as they came, are stored: what follows them follows these words."""
        last = first + len(frames) - 1
        for (kind, message), places in self._speech(launch, frames, first).items():
            said = "".join([cleaned(_said(frames[place])) for place in places])
            text = (self._trail(launch, kind, message).text + said)[-self.redactor.reach :]
            self._trails.pop((launch, kind), None)
            self._trails[launch, kind] = _Trail(message, text, last)
        while len(self._trails) > TRAILS:
            del self._trails[next(iter(self._trails))]

    def text(self, text: str) -> str:
        """One text that is whole."""
        return capped(self.redactor.redact(cleaned(text)), TEXT_CHARS)

    def _is_clean(self, frames: Sequence[Frame], spoken: Sequence[str]) -> bool:
        """Whether nothing in the batch would change: nearly always so, and seen at once by searching all its text as one.

        `spoken` are the messages that came in pieces, with what was said of them before.
        """
        texts = list(spoken)
        for frame in frames:
            self._collect(frame, texts)
        text = "\n".join(texts)
        return (
            len(text) <= TEXT_CHARS
            and cleaned(text) is text
            and not self.redactor.finds(text)
            and not any(self.redactor.finds_begun(message) for message in spoken)
        )

    def _collect(self, value: object, texts: list[str]) -> None:
        """Add all the text that `_rewritten` would look at."""
        for name, _ in self._plan(type(value)):
            part = getattr(value, name)
            if isinstance(part, str):
                texts.append(part)
            elif isinstance(part, tuple):
                for item in part:
                    texts.append(item) if isinstance(item, str) else self._collect(item, texts)
            elif part is not None:
                self._collect(part, texts)

    def _scrub_speech(
        self,
        launch: LaunchId,
        frames: Sequence[Frame],
        scrubbed: list[Frame],
        speech: Mapping[tuple[str, str], Sequence[int]],
    ) -> None:
        for (kind, message), places in speech.items():
            pieces = [cleaned(_said(frames[place])) for place in places]
            before = self._trail(launch, kind, message).text
            for place, text in zip(places, self.redactor.redact_pieces(pieces, before=before), strict=True):
                scrubbed[place] = _saying(scrubbed[place], capped(text, TEXT_CHARS))

    def _speech(self, launch: LaunchId, frames: Sequence[Frame], first: int) -> dict[tuple[str, str], list[int]]:
        """Where each message's pieces stand among the frames, but for those that its trail holds already."""
        places: dict[tuple[str, str], list[int]] = {}
        if not self.redactor.reach:
            return places
        for place, frame in enumerate(frames):
            if isinstance(frame, AgentSaid | AgentThought):
                message = frame.message if isinstance(frame, AgentSaid) else ""
                if first + place > self._last(launch, frame.kind):
                    places.setdefault((frame.kind, message), []).append(place)
        return places

    def _trail(self, launch: LaunchId, kind: str, message: str) -> _Trail:
        known = self._trails.get((launch, kind))
        return known if known is not None and known.message == message else _Trail()

    def _last(self, launch: LaunchId, kind: str) -> int:
        known = self._trails.get((launch, kind))
        return 0 if known is None else known.last

    def _rewritten(self, value: T, limit: int) -> T:
        changes: dict[str, object] = {}
        for name, holds in self._plan(type(value)):
            before = getattr(value, name)
            after = self._part(before, holds, limit)
            if after is not before:
                changes[name] = after
        return replace(value, **changes) if changes else value  # type: ignore[type-var]  # only dataclasses have a plan

    def _part(self, value: object, holds: _Holds, limit: int) -> object:
        if isinstance(value, str):
            return capped(self.redactor.redact(cleaned(value)), limit)
        if holds is _Holds.VALUE:
            return value if value is None else self._rewritten(value, limit)
        if not isinstance(value, tuple) or not value:
            return value
        parts = tuple([self._part(item, _Holds.VALUE, limit) for item in value])
        return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts

    def _plan(self, of: type) -> _Plan:
        plan = self._plans.get(of)
        if plan is None:
            plan = self._plans[of] = _plan(of)
        return plan


def _plan(of: type) -> _Plan:
    """The fields of a dataclass that hold text or values with text; names of things we chose ourselves are left alone."""
    if not is_dataclass(of):
        return ()
    hints = get_type_hints(of)
    found = ((each.name, _holds(hints[each.name])) for each in fields(of))
    return tuple((name, holds) for name, holds in found if holds is not None)


def _holds(hint: object) -> _Holds | None:
    if hint is str:
        return _Holds.TEXT
    if is_dataclass(hint):
        return _Holds.VALUE
    if get_origin(hint) is UnionType:
        return _Holds.VALUE if any(is_dataclass(option) for option in get_args(hint)) else None
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        return _Holds.TEXTS if item is str else (_Holds.VALUES if is_dataclass(item) else None)
    return None


def _limit(frame: Frame) -> int:
    return DOCUMENT_CHARS if isinstance(frame, DocumentSubmitted) else TEXT_CHARS


def _said(frame: Frame) -> str:
    assert isinstance(frame, AgentSaid | AgentThought)
    return frame.text


def _saying(frame: Frame, text: str) -> Frame:
    assert isinstance(frame, AgentSaid | AgentThought)
    return frame if frame.text == text else replace(frame, text=text)
