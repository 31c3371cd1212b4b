"""The sentences of the report: what a picture shows and how each figure is defined."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from mura_core.bootstrap import RESAMPLES
from mura_core.review.marks import MARGIN
from mura_core.review.rows import UNSURE_IS_ABNORMAL_FROM

if TYPE_CHECKING:
    from mura_core.review.agreement import Switches

NOTICE = "Research only. Not a medical device, and not a replacement for clinician review."

MODES = {
    "unaided": "read without the AI",
    "aided": "read with the AI",
    "sequential": "read without the AI, then again with it",
}

CURVES = (
    "Sensitivity against 1 − specificity over all thresholds on the reader's confidence (AI: on its "
    "probability). The marker is where the call itself lies. All readers: the mean sensitivity of the "
    "readers at each specificity."
)
FOREST = (
    "Sensitivity, specificity and area under the curve with 95 % intervals. Shaded: all readers, and the "
    "AI alone."
)
DIFFERENCES = (
    "With AI minus unaided, of the same readers on the same cases, 95 % intervals. To the right of zero "
    "the AI helped."
)
TIMES = (
    "Median and quartiles in seconds from opening a case to the call. Where cases were read first without "
    "and then with the AI, the second time counts from the moment the AI's result was shown. "
    "Pauses do not count."
)
CASES = (
    "One column for each case: abnormal, then normal ones, then those of unknown truth, each by falling "
    "mean confidence. Colour is the confidence that the case is abnormal; a black foot marks a wrong "
    "call; grey was not called."
)
AGREEMENT = (
    "Cohen's kappa of the two-way decisions and the shares of equal calls, 95 % intervals. A "
    "decision is two-way; of verdicts, “unsure” is a third."
)
MARKS = (
    "How often a study's marks lie where the truth boxes are, and where the AI's map is hottest, 95 % "
    "intervals."
)
GROUPS = (
    "All readers together and the AI on the same cases. A finding's cases stand against all normal ones. "
    "Pairs of figures: unaided → with AI; kappa is the mean of the pairs of readers."
)
FILMS = (
    "Dashed green: truth. White: marks unaided. Blue: marks with AI. Orange cross: the AI's hottest "
    "place. These films are patient data."
)

_DEFINITIONS = {
    "Decision": (
        "Normal and abnormal as said. “Unsure” counts as abnormal from a confidence of "
        f"{UNSURE_IS_ABNORMAL_FROM} on, as normal below, and is counted apart. The AI's “doubt” likewise, "
        "by its probability."
    ),
    "Confidence": "0 (surely normal) to 100 (surely abnormal); the score of a reader's operating curve.",
    "Which calls": (
        "First showings only; hidden repeats serve the agreement with oneself. Cases of unknown truth "
        "count for times and agreement alone. Withdrawn calls do not count."
    ),
    "AI": "The model alone on the cases that the reader called, each once.",
    "All readers": (
        "The mean of the readers' own figures; a reader for whom a figure is undefined is left out. "
        "Counts, times, marks and findings are over all their calls together."
    ),
    "95 % interval": (
        f"Percentiles of {RESAMPLES} bootstrap draws of patients, each with all their cases and all calls "
        "of them; readers are not drawn anew, so the intervals speak of these readers. [–]: the draws do "
        "not vary, or too many leave the figure undefined."
    ),
    "Changed sides": (
        "The unaided decision was wrong and the aided one right (better), or the other way round (worse)."
    ),
    "Kappa against truth": "Agreement beyond chance; undefined where the cases are of one class.",
    "Hit": (
        f"The centre of a mark lies in a truth box of the same view or at most {MARGIN:.0%} of the film "
        "outside it; a study counts once. The AI's hit: the hottest place of its hottest view, by the "
        "same rule."
    ),
    "At the AI's hottest place": (
        f"The hottest place of the mark's view lies in the mark or at most {MARGIN:.0%} of the film "
        "outside it; on studies that the AI calls abnormal."
    ),
    "Finding named": "On normal cases, and on abnormal ones of which the findings are known.",
    "–": "Not defined for these cases: without truth, without both classes, or without calls.",
}


def as_html() -> str:
    """Every definition."""
    return (
        "<dl>"
        + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in _DEFINITIONS.items())
        + "</dl>"
    )


def switches_in_words(switches: Switches) -> str:
    """The sides that all readers changed, as a sentence."""
    return (
        f"Of {switches.n} calls, {switches.better} became right with the AI (abnormal cases found: "
        f"{switches.better_abnormal}) and {switches.worse} became wrong (abnormal cases lost: "
        f"{switches.worse_abnormal}; after a wrong AI: {switches.worse_with_wrong_ai}). Solid: abnormal "
        f"cases. Hatched: normal cases. “Unsure” was said {switches.unsure_before} times before and "
        f"{switches.unsure_after} times after."
    )
