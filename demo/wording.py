"""Every sentence the page shows, so that wording is reviewed in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mura_core.study import Call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from mura_core.study import OperatingPoints, Radiograph

TITLE = "Musculoskeletal radiograph reader"
LEAD = "Reads the views of one study together and marks where it looked."
NOTICE = (
    "Research software. Not a medical device. Not a replacement for clinician review. "
    "Do not upload identifiable patient data."
)
NOTICE_SHORT = "Research software. Not a medical device. Not a replacement for clinician review."

UPLOAD_LABEL = "Radiographs of one study"
LIMITS = "1 to {views} views of one body part. PNG, JPEG or DICOM, up to {megabytes} MB each."
PRIVACY = (
    "A file is taken off the disk the moment it arrives, and out of memory once it is analysed. "
    "Files dropped after that start a new study."
)
ANALYSE = "Analyse study"
CLEAR = "Clear"
EXAMPLES = "Example studies"
EXAMPLES_NOTE = (
    "Drawn phantoms, not patients. They show how the page works. "
    "What the model says of a drawing means nothing."
)

EMPTY = "Drop the views of one study on the left and press Analyse study, or open an example."
WAITING = "Waiting for the model…"
NO_FILES = "There is no file to analyse. Drop the views of one study first."
NOTHING_READ = "No call: none of the files could be read."
INTERNAL = (
    "No call: the analysis stopped on an internal error. Nothing was kept; the server's log says where. "
    "Try again, and report it if it happens twice."
)
GONE = "It was no longer on the server when its turn came. Drop it again."

_FORMATS = {"png": "PNG", "jpeg": "JPEG", "dicom": "DICOM"}

SYMBOLS = {Call.NORMAL: "●", Call.DOUBT: "◆", Call.ABNORMAL: "▲"}

VIEWER_WORDS = {
    "viewer": "Study viewer",
    "banner": "Result for the study",
    "probability_bar": "Study probability on a scale from 0 to 1",
    "stage": "Radiograph. Wheel zooms, drag pans, right or shift drag changes the window.",
    "strip": "Views of the study",
    "views": "Views",
    "column_view": "View",
    "column_probability": "Prob.",
    "column_call": "Call",
    "display": "Display",
    "opacity": "Heatmap",
    "window": "Window",
    "level": "Level",
    "heatmap": "Heatmap",
    "contour": "Contour",
    "roi": "ROI",
    "invert": "Invert",
    "preset_default": "As stored",
    "preset_full": "Full range",
    "preset_default_hint": "The window the file asks for",
    "preset_full_hint": "Every value of the film between black and white",
    "zoom_in": "Zoom in",
    "zoom_out": "Zoom out",
    "reset": "Reset",
    "full_screen": "Full screen",
    "help": "Keys",
    "close": "Close",
    "about_view": "This view",
    "legend": (
        "Colour: the probability if the whole film looked like this spot. "
        "Same scale on every film; contour at 0.5."
    ),
    "empty": EMPTY,
    "notice": NOTICE_SHORT,
    "waiting": WAITING,
    "zoom": "zoom",
    "of": "of",
    "not_read": "not read",
    "shown_at": "shown at",
}
"""What the viewer shows. Plain text: no backtick and no dollar sign, for in a template they are code."""

TRAY_WORDS = {"waiting": "Files waiting", "remove": "Remove", "refused": "Not taken"}

KEYS = (
    ("1 – 6", "view"),
    ("[ ]", "heatmap weaker, stronger"),
    ("H", "heatmap and contour on, off"),
    ("C", "contour on, off"),
    ("B", "region the network saw (ROI box)"),
    ("I", "invert"),
    ("R", "reset window, zoom and overlays"),
    ("F", "full screen"),
    ("?", "this list"),
    ("wheel, pinch", "zoom at the pointer"),
    ("drag", "pan"),
    ("right or shift drag", "window (across) and level (down)"),
    ("double click", "fit the film"),
)


def upload_limits(views: int, megabytes: int) -> str:
    """Say what may be uploaded."""
    return LIMITS.format(views=views, megabytes=megabytes)


def too_many(position: int, limit: int) -> str:
    """Say why a file beyond the limit was not taken."""
    return f"Not taken: it is file {position}, and a study has at most {limit} views. Analyse it separately."


def empty_file() -> str:
    """Say why a file without content was not taken."""
    return "Not taken: the file is empty (0 bytes)."


def same_content(name: str) -> str:
    """Say why a file that was given twice is taken once."""
    return f"Not taken: it is the same image file as {name}, and would count twice."


def rests_on(read: int, given: int) -> str:
    """Say how much of what was given the call rests on; empty when it is all of it."""
    if read == given:
        return ""
    if read == 0:
        return NOTHING_READ
    return f"The call rests on {read} of {given} files."


def flagged(calls: Sequence[Call]) -> str:
    """Say how many views are above normal, and which way."""
    doubt, abnormal = calls.count(Call.DOUBT), calls.count(Call.ABNORMAL)
    if not doubt + abnormal:
        return "no view flagged" if len(calls) > 1 else "the one view is not flagged"
    parts = [f"{count} {word}" for count, word in ((abnormal, "abnormal"), (doubt, "in doubt")) if count]
    return f"{doubt + abnormal} of {len(calls)} {_plural(len(calls), 'view')} flagged ({', '.join(parts)})"


def probability(value: float, points: OperatingPoints) -> str:
    """Write a probability with two decimals, or as many as it takes not to contradict its call.

    No film is certain: what would round to 0 or 1 is written as a bound.

    >>> from mura_core.study import OperatingPoints
    >>> probability(0.497, OperatingPoints(0.2, 0.5)), probability(0.001, OperatingPoints(0.2, 0.5))
    ('0.497', '<0.01')
    """
    if value < 0.005 and points.sensitive > 0.01:
        return "<0.01"
    if value >= 0.995 and points.specific <= 0.99:
        return ">0.99"
    for decimals in (2, 3, 4):
        text = f"{value:.{decimals}f}"
        if points.call(float(text)) == points.call(value):
            return text
    return f"{value:.6f}"


def operating_points(points: OperatingPoints) -> str:
    """Caption of the probability bar."""
    return f"doubt from {_threshold(points.sensitive)}, abnormal from {_threshold(points.specific)}"


def analysing(views: int) -> str:
    """Say what is going on while the network runs."""
    return f"Analysing {views} {_plural(views, 'view')}…"


def study_probability_meaning(views: int) -> str:
    """Say what the number in the banner is."""
    return "probability of the one view" if views == 1 else f"study probability, mean of {views} views"


def model_line(name: str, version: str) -> str:
    """Name the model that made the call."""
    return f"{name}, version {version}"


def timing(seconds: float) -> str:
    """Say how long the model took."""
    return f"{seconds:.1f} s"


def thumbnail(index: int, count: int, name: str) -> str:
    """Alternative text of a film in the strip, before the call is known."""
    return f"View {index} of {count}: {name}"


def thumbnail_called(index: int, count: int, name: str, call: Call, probability_text: str) -> str:
    """Alternative text of a film in the strip."""
    return f"{thumbnail(index, count, name)}, {call}, probability {probability_text}"


def facts(radiograph: Radiograph) -> list[tuple[str, str]]:
    """What is known of one film, as (label, text) pairs."""
    height, width = radiograph.values.shape
    known = [
        (
            "Source",
            f"{_FORMATS.get(radiograph.source_format, radiograph.source_format)}, {radiograph.bit_depth} bit",
        ),
        ("Size", f"{width} × {height} px"),
    ]
    if radiograph.pixel_spacing_mm:
        row, column = radiograph.pixel_spacing_mm
        known.append(("Pixel", f"{row:.3g} × {column:.3g} mm"))
    stated = " ".join(part for part in (radiograph.body_part, radiograph.view_position) if part)
    if stated:
        known.append(("Stated", stated))
    return known


def meaning_of_calls(points: OperatingPoints) -> tuple[tuple[str, str], ...]:
    """What the three calls mean, for the panel about the model."""
    low, high = _threshold(points.sensitive), _threshold(points.specific)
    return (
        (f"{SYMBOLS[Call.NORMAL]} normal", f"below {low}, the operating point with high sensitivity"),
        (f"{SYMBOLS[Call.DOUBT]} doubt", f"from {low} to {high}: look again"),
        (f"{SYMBOLS[Call.ABNORMAL]} abnormal", f"from {high} on, the operating point with high specificity"),
    )


def measured(figures: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """How good the model was on films it had not seen, for the panel about it.

    Args:
        figures: The sidecar's metrics.

    Returns:
        (what, figure) pairs; empty where the weights were never measured on a test split.
    """
    group = figures.get("groups", {}).get("all")
    if group is None:
        return ()
    ranking, at = group["probability"], group["at"]
    size = f"{group['studies']} test studies, {group['abnormal']} of them abnormal"
    return (
        ("AUROC", f"{_interval(ranking, 'auroc')}; {size}"),
        ("From the doubt line on", _sensitivity_and_specificity(at["sensitive"])),
        ("From the abnormal line on", _sensitivity_and_specificity(at["specific"])),
        *_pointing(figures.get("localisation")),
    )


def _pointing(localisation: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    """How often the map points at the fracture, beside how often the middle of the film would."""
    if localisation is None:
        return ()
    methods = localisation["true positives"]["methods"]
    share, middle = (_interval(methods[name], "hit_margin") for name in ("heatmap", "centre"))
    return (("Hottest place within one cell of the fracture", f"{share}; the middle of the limb: {middle}"),)


def _sensitivity_and_specificity(values: Mapping[str, Any]) -> str:
    return f"sensitivity {_interval(values, 'sensitivity')}, specificity {_interval(values, 'specificity')}"


def _interval(values: Mapping[str, Any], name: str) -> str:
    if values[name] is None or values[f"{name}_ci95"] is None:
        return "not known"
    low, high = values[f"{name}_ci95"]
    return f"{values[name]:.2f} ({low:.2f} to {high:.2f})"


ABOUT = "About the model"
ABOUT_SCOPE = "What it was trained on"
ABOUT_CALLS = "The calls"
ABOUT_MEASURED = "How good it was, with 95 % intervals"
ABOUT_MAP = "The heatmap"
ABOUT_MAP_TEXT = (
    "One cell of the map covers about a tenth of the film's longer side: it points to a region and does not "
    "outline a lesion. The scale is fixed, so a film without a finding stays cold."
)


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def _threshold(value: float) -> str:
    return f"{value:.3f}".rstrip("0").ljust(4, "0")
