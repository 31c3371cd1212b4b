"""Operating curves as a picture: all readers large, each reader small."""

from __future__ import annotations

from mura_core.review import svg
from mura_core.review.figures import Figures
from mura_core.review.reader_results import AI, ReaderResults
from mura_core.review.roc import Curve
from mura_core.review.svg import Scale
from mura_core.review.types import Condition


def draw_roc(results: ReaderResults, *, title: str, side: int = 440) -> str:
    """Draw the curves of one reader or of all, with the points at which they called, and the model's.

    Args:
        results: Whose.
        title: Name above the picture.
        side: Width of the square in drawing units; below 300 the axes have no names.
    """
    large = side >= 300
    left, top, bottom = (52, 30, 46) if large else (26, 26, 20)
    x = Scale(0, 1, left, side - 8)
    y = Scale(0, 1, side - bottom, top)
    parts = [
        _frame(x, y, large=large),
        svg.text(left, 17, title, font_weight="600", font_size=14 if large else 12.5),
    ]
    if AI in results.curves:
        parts.append(_curve(results.curves[AI], x, y, svg.AI, dash="6 4"))
        parts.append(_point(results.ai, x, y, svg.AI, "diamond"))
    for condition in Condition:
        if condition in results.curves:
            colour = svg.OF_CONDITION[condition]
            parts.append(_curve(results.curves[condition], x, y, colour))
            parts.append(_point(results.figures.get(condition), x, y, colour, svg.shape_of(condition)))
    parts += _areas(results, x, y, large=large)
    return svg.picture(side, side, f"Operating curves, {title}", *parts, small=True)


def _frame(x: Scale, y: Scale, *, large: bool) -> str:
    parts = [svg.rectangle(x.start, y.end, x.end - x.start, y.start - y.end, "#fff", stroke=svg.LINE)]
    for value in (0, 0.25, 0.5, 0.75, 1) if large else (0, 0.5, 1):
        parts.append(svg.line(x(value), y.start, x(value), y.end, stroke_width=0.6))
        parts.append(svg.line(x.start, y(value), x.end, y(value), stroke_width=0.6))
        label = f"{value:g}"
        size = 12 if large else 10
        parts.append(svg.text(x(value), y.start + size + 3, label, text_anchor="middle", font_size=size))
        parts.append(svg.text(x.start - 5, y(value) + 4, label, text_anchor="end", font_size=size))
    parts.append(svg.line(x(0), y(0), x(1), y(1), svg.LINE, stroke_dasharray="2 4"))
    if large:
        middle = (y.start + y.end) / 2
        turned = f"rotate(-90 13 {middle:g})"
        parts.append(svg.text((x.start + x.end) / 2, y.start + 36, "1 − specificity", text_anchor="middle"))
        parts.append(svg.text(13, middle, "sensitivity", text_anchor="middle", transform=turned))
    return "".join(parts)


def _curve(curve: Curve, x: Scale, y: Scale, colour: str, dash: str = "none") -> str:
    points = " ".join(f"{x(false):.1f},{y(true):.1f}" for false, true in curve)
    return svg.element(
        "polyline",
        points=points,
        fill="none",
        stroke=colour,
        stroke_width=2.2,
        stroke_dasharray=dash,
        stroke_linejoin="round",
    )


def _point(figures: Figures | None, x: Scale, y: Scale, colour: str, shape: str) -> str:
    if figures is None:
        return ""
    true, false = figures.measures["sensitivity"].value, figures.measures["specificity"].value
    if true is None or false is None:
        return ""
    return svg.marker(x(1 - false), y(true), colour, shape, 6)


def _areas(results: ReaderResults, x: Scale, y: Scale, *, large: bool) -> list[str]:
    """The areas as words in the empty corner of the plot."""
    found: dict[str, tuple[str, Figures | None]] = {
        "unaided": (svg.UNAIDED, results.figures.get(Condition.UNAIDED)),
        "with AI": (svg.AIDED, results.figures.get(Condition.AIDED)),
        "AI alone": (svg.AI, results.ai),
    }
    size = 13 if large else 10.5
    parts = []
    for number, (name, (colour, figures)) in enumerate(reversed(found.items())):
        area = figures.measures["auroc"].value if figures else None
        if area is not None:
            height = y.start - 10 - number * (size + 5)
            words = f"{name}  {area:.2f}"
            parts.append(
                svg.text(
                    x.end - 8,
                    height,
                    words,
                    text_anchor="end",
                    fill=colour,
                    font_size=size,
                    font_weight="600",
                )
            )
    if parts and large:
        height = y.start - 10 - len(found) * (size + 5)
        parts.append(
            svg.text(
                x.end - 8, height, "area under the curve", text_anchor="end", font_size=12, fill=svg.MUTED
            )
        )
    return parts
