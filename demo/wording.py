"""Every sentence the page shows, in the language of the page.

The texts lie in `texts/*.json`, one table: `{"key": {"en": ..., "ko": ...}}`. A text is named by its file and
its key, as in `page.title`. What a MuraError or a film's warning says stays English in every language: it is
written in mura_core, which the command line uses too. The fixed sentence around it is translated.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from mura_core.study import BODY_PARTS, SURE, Call, Remark, threshold_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mura_core.study import OperatingPoints, Radiograph, ViewResult

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""The first one is the page at `/`."""

SYMBOLS = {Call.NORMAL: "●", Call.DOUBT: "◆", Call.ABNORMAL: "▲"}

_TEXTS = Path(__file__).parent / "texts"
_FORMATS = {"png": "PNG", "jpeg": "JPEG", "dicom": "DICOM"}


@cache
def table() -> dict[str, dict[str, str]]:
    """Every text: `file.key` to language to text."""
    return {
        f"{path.stem}.{key}": texts
        for path in sorted(_TEXTS.glob("*.json"))
        for key, texts in json.loads(path.read_text(encoding="utf-8")).items()
    }


class Wording:
    """The texts of one language.

    Attributes:
        language: Code of the language, as in an HTML `lang` attribute.

    >>> Wording("en")["page.clear"], Wording("ko")["page.clear"]
    ('Clear', '지우기')
    """

    def __init__(self, language: Language) -> None:
        self.language = language

    def __getitem__(self, key: str) -> str:
        """Return the text of a key as it stands in the table."""
        return table()[key][self.language]

    def text(self, key: str, **values: object) -> str:
        """Return the text of a key with its `{placeholders}` filled in; values are not read as templates."""
        return self[key].format(**values)

    def counted(self, key: str, count: int, **values: object) -> str:
        """Return the text for a number of things; English has a text of its own for one: `key_one`."""
        return self.text(f"{key}_one" if count == 1 else key, count=count, **values)

    def words(self, file: str) -> dict[str, str]:
        """Return all texts of one file, by key: what a template or a script of the page shows."""
        start = f"{file}."
        return {
            key.removeprefix(start): texts[self.language]
            for key, texts in table().items()
            if key.startswith(start)
        }

    def call(self, call: Call) -> str:
        """Name a call. Where a program reads it, `str(call)` is what counts, in every language."""
        return self[f"page.call_{call}"]

    def rests_on(self, read: int, given: int) -> str:
        """Say how much of what was given the call rests on; empty when it is all of it."""
        if read == given:
            return ""
        if read == 0:
            return self["page.nothing_read"]
        return self.text("page.rests_on", read=read, given=given)

    def flagged(self, calls: Sequence[Call]) -> str:
        """Say how many views are above normal, and which way."""
        counts = {call: calls.count(call) for call in (Call.ABNORMAL, Call.DOUBT)}
        if not any(counts.values()):
            return self["page.none_flagged_one" if len(calls) == 1 else "page.none_flagged"]
        parts = [self.text(f"page.flagged_{call}", count=count) for call, count in counts.items() if count]
        return self.counted("page.flagged", len(calls), flagged=sum(counts.values()), parts=", ".join(parts))

    def operating_points(self, points: OperatingPoints) -> str:
        """Caption of the probability bar."""
        return self.text(
            "page.operating_points",
            sensitive=threshold_text(points.sensitive),
            specific=threshold_text(points.specific),
        )

    def thumbnail(self, index: int, count: int, name: str) -> str:
        """Alternative text of a film in the strip, before the call is known."""
        return self.text("page.thumbnail", index=index, count=count, name=name)

    def thumbnail_called(self, index: int, count: int, name: str, call: Call, probability_text: str) -> str:
        """Alternative text of a film in the strip."""
        return self.text(
            "page.thumbnail_called",
            thumbnail=self.thumbnail(index, count, name),
            call=self.call(call),
            probability=probability_text,
        )

    def facts(self, radiograph: Radiograph) -> list[tuple[str, str]]:
        """What is known of one film, as (label, text) pairs."""
        height, width = radiograph.values.shape
        source = _FORMATS.get(radiograph.source_format, radiograph.source_format)
        known = [
            self._fact("source", format=source, bits=radiograph.bit_depth),
            self._fact("size", width=width, height=height),
        ]
        if radiograph.pixel_spacing_mm:
            row, column = radiograph.pixel_spacing_mm
            known.append(self._fact("pixel", row=f"{row:.3g}", column=f"{column:.3g}"))
        body_part = radiograph.body_part
        if body_part in BODY_PARTS:
            body_part = self[f"results.{body_part}"]
        stated = " ".join(part for part in (body_part, radiograph.view_position) if part)
        if stated:
            known.append((self["page.fact_stated"], stated))
        return known

    def remarks(self, view: ViewResult) -> list[str]:
        """What speaks against relying on a view's call; a doubtful polarity is among the film's warnings."""
        films = view.body_part.films if view.body_part else 0
        return [
            self.text(f"remarks.{remark}", films=films)
            for remark in view.remarks
            if remark is not Remark.POLARITY
        ]

    def read_turned(self, view: ViewResult) -> str:
        """How a view was turned before it was read; empty if it was not."""
        return self[f"remarks.read_turned_{view.turned}"] if view.turned else ""

    def caution(self, views: Sequence[ViewResult]) -> str:
        """Say that a study's call should not be relied on, and because of which views; empty if it may be."""
        grave = [
            str(index)
            for index, view in enumerate(views, start=1)
            if any(remark.grave for remark in view.remarks)
        ]
        return self.text("remarks.caution", views=", ".join(grave)) if grave else ""

    def seen(self, view: ViewResult, *, compared: bool) -> list[tuple[str, str]]:
        """What the network recognised of one film, as (label, text) pairs; nothing where unsure."""
        if not compared or view.strangeness is None:
            return [(self["remarks.fact_known"], self["remarks.unchecked"])]
        strange, part = view.strangeness >= 1, view.body_part
        known = [(self["remarks.fact_known"], self["remarks.unknown" if strange else "remarks.known"])]
        if part is None or strange or part.probability < SURE:
            return known
        text = self.text(
            "remarks.part_text", part=self.part(part.name), probability=f"{min(part.probability, 0.99):.2f}"
        )
        return [(self["remarks.fact_part"], text), *known]

    def part(self, name: str) -> str:
        """Name a body part, or several joined by "+"; one that the table does not have is named as it is."""
        names = [
            next(
                (self[key] for key in (f"remarks.{one}", f"results.{one}") if key in table()),
                one,
            )
            for one in name.split("+")
        ]
        return " + ".join(names)

    def meaning_of_calls(self, points: OperatingPoints) -> tuple[tuple[str, str], ...]:
        """What the three calls mean, for the panel about the model."""
        limits = {"low": threshold_text(points.sensitive), "high": threshold_text(points.specific)}
        return tuple(
            (f"{symbol} {self.call(call)}", self.text(f"page.{call}_meaning", **limits))
            for call, symbol in SYMBOLS.items()
        )

    def measured(self, figures: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """How good the model was on films it had not seen, for the panel about it.

        Args:
            figures: The sidecar's metrics.

        Returns:
            (what, figure) pairs; empty where the weights were never measured on a test split.
        """
        group = figures.get("groups", {}).get("all")
        if group is None:
            return ()
        auroc = self.text(
            "page.auroc_text",
            interval=self._interval(group["probability"], "auroc"),
            studies=group["studies"],
            abnormal=group["abnormal"],
        )
        at = tuple(
            (self[f"page.at_{point}"], self._sensitivity_and_specificity(group["at"][point]))
            for point in ("sensitive", "specific")
        )
        return ((self["page.auroc"], auroc), *at, *self._pointing(figures.get("localisation")))

    def _pointing(self, localisation: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
        """How often the map points at the fracture, beside how often the middle of the film would."""
        if localisation is None:
            return ()
        methods = localisation["true positives"]["methods"]
        share, middle = (self._interval(methods[name], "hit_margin") for name in ("heatmap", "centre"))
        return ((self["page.pointing"], self.text("page.pointing_text", share=share, middle=middle)),)

    def _sensitivity_and_specificity(self, values: Mapping[str, Any]) -> str:
        shown = {name: self._interval(values, name) for name in ("sensitivity", "specificity")}
        return self.text("page.sensitivity_specificity", **shown)

    def _interval(self, values: Mapping[str, Any], name: str) -> str:
        if values[name] is None or values[f"{name}_ci95"] is None:
            return self["page.not_known"]
        low, high = values[f"{name}_ci95"]
        return self.text("page.interval", value=f"{values[name]:.2f}", low=f"{low:.2f}", high=f"{high:.2f}")

    def _fact(self, name: str, **values: object) -> tuple[str, str]:
        return self[f"page.fact_{name}"], self.text(f"page.fact_{name}_text", **values)
