"""The words of a review session as types: cases, marks, calls, and the readings that are kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mura_core.study import Call


class Verdict(StrEnum):
    """What a reader says of a study."""

    NORMAL = "normal"
    ABNORMAL = "abnormal"
    UNSURE = "unsure"


class Finding(StrEnum):
    """What a reader says is there."""

    FRACTURE = "fracture"
    HARDWARE = "hardware"
    DISLOCATION = "dislocation"
    DEGENERATIVE = "degenerative"
    OTHER = "other"


class Mode(StrEnum):
    """When a session shows the model's result: never, from the start, or after the reader's first call."""

    UNAIDED = "unaided"
    AIDED = "aided"
    SEQUENTIAL = "sequential"


class Condition(StrEnum):
    """Whether the model's result was on the screen when a call was made."""

    UNAIDED = "unaided"
    AIDED = "aided"


class EventKind(StrEnum):
    """What happened in a session; events are only ever added."""

    OPENED = "opened"
    REOPENED = "reopened"
    PAUSED = "paused"
    RESUMED = "resumed"
    REVEALED = "revealed"
    COMMITTED = "committed"
    REVISED = "revised"
    UNDONE = "undone"
    CLOSED = "closed"


@dataclass(frozen=True)
class Mark:
    """A place on one view, in fractions of the film's height and width.

    Attributes:
        view: Index of the view, from 0.
        top: Upper edge, in [0, 1].
        left: Left edge, in [0, 1].
        height: 0 for a point.
        width: 0 for a point.
    """

    view: int
    top: float
    left: float
    height: float = 0.0
    width: float = 0.0


@dataclass(frozen=True)
class Truth:
    """What is known of a case.

    Attributes:
        label: 1 abnormal, 0 normal.
        findings: What is there; empty where nobody said.
        boxes: Where it is; None where nobody marked the films.
    """

    label: int
    findings: frozenset[Finding] = frozenset()
    boxes: tuple[Mark, ...] | None = None


@dataclass(frozen=True)
class Case:
    """One study of a session.

    Attributes:
        case_id: Unique within the session; shown to nobody before the session is closed.
        patient_id: Cases with the same one are resampled together.
        body_part: In lower case, "" where it is not known.
        views: The views' files, relative to the session's source, in reading order.
        truth: None where no truth was given.
    """

    case_id: str
    patient_id: str
    body_part: str
    views: tuple[str, ...]
    truth: Truth | None = None


@dataclass(frozen=True)
class Place:
    """One entry of a reader's list. The reader cannot tell a repeat from a first showing.

    Attributes:
        number: Position in the reader's list, from 0.
        case_id: The case.
        repeat: 0 at the first showing, 1 at the hidden second one.
    """

    number: int
    case_id: str
    repeat: int = 0


@dataclass(frozen=True)
class ReaderCall:
    """What a reader committed.

    Attributes:
        verdict: The call.
        confidence: 0 (surely normal) to 100 (surely abnormal).
        findings: Tags the reader gave.
        marks: Points and boxes drawn on the films.
    """

    verdict: Verdict
    confidence: int
    findings: frozenset[Finding] = frozenset()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A call that is kept, with its times.

    Attributes:
        reader: Who made it.
        place: Where in the reader's list.
        condition: Whether the model's result was shown.
        call: What was said.
        opened_at: When the place was first opened, ISO 8601, UTC.
        committed_at: When the call was committed, ISO 8601, UTC.
        reading_s: Seconds from the opening (or, for the second call of a sequential place, from the
            moment the model's result was shown) to the call. Where a call was withdrawn, the seconds from the
            undo to the new call are added to those of the withdrawn one. Pauses are left out. Never negative.
    """

    reader: str
    place: Place
    condition: Condition
    call: ReaderCall
    opened_at: str
    committed_at: str
    reading_s: float


@dataclass(frozen=True)
class AiView:
    """The model's result for one view; the hottest place of its heatmap in fractions of the film."""

    name: str
    probability: float
    call: Call
    peak_top: float
    peak_left: float
    peak: float


@dataclass(frozen=True)
class AiResult:
    """The model's result for a case, as kept beside the readings."""

    probability: float
    call: Call
    views: tuple[AiView, ...]
    model: str


@dataclass(frozen=True)
class Progress:
    """How far a reader is; `left_s` is the time left at the reader's median pace, None before a call."""

    done: int
    total: int
    left_s: float | None


@dataclass(frozen=True)
class Event:
    """One line of a session's history.

    Attributes:
        number: Rises with every event of the session.
        kind: What happened. A revision is the second call of a sequential place.
        at: When, ISO 8601, UTC; never earlier than the event before it at the same place.
        reader: Who; "" for the closing.
        place: Position in the reader's list; None for the closing.
        condition: Of a call, or of the call that was undone.
        call: What was said; None where the event is no call.
        reading_s: As in `Reading`; None where the event is no call.
        undoes: The number of the call that an undo withdrew.
    """

    number: int
    kind: EventKind
    at: str
    reader: str = ""
    place: int | None = None
    condition: Condition | None = None
    call: ReaderCall | None = None
    reading_s: float | None = None
    undoes: int | None = None


@dataclass(frozen=True)
class Refused:
    """A file or study that is no part of a session, and why."""

    name: str
    reason: str
