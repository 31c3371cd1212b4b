"""The directions of imports, held by reading the source: nothing here imports the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.reach import ROOT, imports, pins, reached_from, source, third_party

ORDER = (
    "errors",
    "glibc",
    "study",
    "staging",
    "codestream",
    "window",
    "decoding",
    "coarse",
    "polarity",
    "raster",
    "dicom_file",
    "dicom_grey",
    "dicom_rle",
    "gdcm_process",
    "gdcm_frames",
    "dicom",
    "images",
    "roi",
    "denoise",
    "preprocess",
    "overlay",
    "records",
    "coco",
    "fracatlas",
    "mura",
    "census",
    "datasets",
    "recipe",
    "augment",
    "film_cache",
    "films",
    "sidecar",
    "shards",
    "checkpoint",
    "models",
    "cam",
    "gradcam",
    "cores",
    "pooling",
    "graph",
    "quantisation",
    "remarks",
    "orientation",
    "known",
    "openvino_engine",
    "torch_engine",
    "engines",
    "cells",
    "stability",
    "variants",
    "predictor",
    "preview",
    "reading",
    "metrics",
    "bootstrap",
    "calibration",
    "localisation",
    "study_table",
    "operating_table",
    "operating",
    "studies_file",
    "report_pictures",
    "report",
    "answers",
    "evaluate",
    "losses",
    "curves",
    "resuming",
    "pretrain",
    "two_phase",
    "export",
    "train",
    "table1_folder",
    "table1_source",
    "table1_rows",
    "table1_text",
    "table1",
    "known_table",
    "stability_table",
    "model_card",
    "recount",
    "release",
    "quantise",
    "stand_ins",
    "known_measure",
    "orientation_fit",
    "orientation_measure",
    "known_fit",
    "pacs.identity",
    "pacs.outline",
    "pacs.report",
    "pacs.legend",
    "pacs.capture",
    "pacs.heat",
    "pacs.results",
    "pacs.connection",
    "pacs.qido",
    "pacs.dicomweb",
    "review.types",
    "review.clock",
    "review.codec",
    "review.checks",
    "review.history",
    "review.order",
    "review.schema",
    "review.tables",
    "review.ledger",
    "review.protocol",
    "review.steps",
    "review.model_results",
    "review.store",
    "review.names",
    "review.archive",
    "review.sources",
    "review.headers",
    "review.layouts",
    "grouping",
    "review.truth",
    "review.studies",
    "review.cases",
    "review.ai",
    "review.session",
    "review.uploads",
    "review.push",
    "review.rows",
    "review.figures",
    "review.agreement",
    "review.marks",
    "review.roc",
    "review.tags",
    "review.reader_results",
    "review.results",
    "review.export",
    "review.definitions",
    "review.svg",
    "review.chart_roc",
    "review.chart_forest",
    "review.chart_bars",
    "review.chart_cases",
    "review.chart_agreement",
    "review.html_tables",
    "review.html_films",
    "review.html_sections",
    "review.html_report",
    "review.passwords",
    "batch.columns",
    "batch.worklist",
    "batch.reader",
    "batch.worker",
    "batch.crew",
    "batch.journal",
    "batch.table",
    "batch.summary",
    "batch.on_ray",
    "batch.run",
    "archive",
    "commands.flags",
    "commands.predict",
    "commands.studies",
    "commands.evaluate",
    "commands.data",
    "commands.preview",
    "commands.augment",
    "commands.pretrain",
    "commands.train",
    "commands.table1",
    "commands.release",
    "commands.recount",
    "commands.quantise",
    "commands.known",
    "__main__",
)
"""A module of mura_core imports only those before it. A new module takes its place here."""

DEMO_MAY_USE = {
    "",
    "cores",
    "glibc",
    "predictor",
    "sidecar",
    "study",
    "stability",
    "variants",
    "errors",
    "images",
}
"""Of mura_core; "" is the package itself, for its version. Beside these, all of `DEMO_PACKAGES`."""

DEMO_PACKAGES = ("review.", "pacs.")


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def core_modules() -> list[str]:
    """The modules of mura_core in dotted form, packages left out."""
    files = [path for path in python_files("mura_core") if path.stem != "__init__"]
    return [".".join(path.relative_to(ROOT / "mura_core").with_suffix("").parts) for path in files]


def core_imports(path: Path) -> set[str]:
    """The modules of mura_core that a file imports, without the package's name; "" for the package itself."""
    return {
        name.partition(".")[2]
        for name in imports(path)
        if name == "mura_core" or name.startswith("mura_core.")
    }


def test_every_module_of_the_core_has_its_place_in_the_order() -> None:
    assert sorted(ORDER) == sorted(core_modules())


@pytest.mark.parametrize("module", ORDER)
def test_a_core_module_imports_only_those_before_it(module: str) -> None:
    path = source(f"mura_core.{module}")
    assert path is not None
    later = core_imports(path) - {""} - set(ORDER[: ORDER.index(module)])
    assert not later, f"mura_core/{module}.py imports {sorted(later)}, which come later in ORDER"


def test_the_core_knows_nothing_of_the_app() -> None:
    for path in python_files("mura_core"):
        roots = {name.partition(".")[0] for name in imports(path)}
        assert not roots & {"gradio", "gradio_client", "demo", "app", "tests", "benchmarks"}, path


def test_the_demo_uses_only_the_predictor_and_its_vocabulary() -> None:
    for path in [*python_files("demo"), ROOT / "app.py"]:
        used = {name for name in core_imports(path) if not name.startswith(DEMO_PACKAGES)}
        assert used <= DEMO_MAY_USE, path


def test_the_app_never_reaches_training_or_datasets() -> None:
    reached = {path.relative_to(ROOT).as_posix() for path in reached_from(ROOT / "app.py")}
    assert "mura_core/predictor.py" in reached
    assert not reached & {f"mura_core/{name}.py" for name in ("train", "datasets", "augment", "evaluate")}


@pytest.mark.parametrize("start", ["app.py", "mura_core/predictor.py", "mura_core/reading.py"])
def test_the_app_and_predict_need_nothing_beyond_the_requirements(start: str) -> None:
    assert third_party(reached_from(ROOT / start)) <= set(pins())


def test_every_requirement_is_used() -> None:
    used = third_party(frozenset([*python_files("mura_core"), *python_files("demo"), ROOT / "app.py"]))
    # pydicom loads python-gdcm by itself for the syntaxes that need it.
    assert set(pins()) - used <= {"python-gdcm"}


def test_only_the_tests_import_the_tests() -> None:
    for path in [*python_files("mura_core"), *python_files("demo"), *python_files("benchmarks")]:
        assert not any(name.partition(".")[0] == "tests" for name in imports(path)), path
