"""The results as a file: Parquet, or CSV for those without pyarrow."""

from __future__ import annotations

import csv
import os
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from mura_core.batch.columns import COLUMNS
from mura_core.errors import MuraError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from mura_core.batch.worklist import Item

    Row = Mapping[str, Any]

_STUDY = ("study_probability", "study_call", "study_views", "study_seconds")
_MODEL = ("doubt_from", "abnormal_from", "model", "model_version")
_ROWS_AT_ONCE = 20_000
_ARROW = {str: "string", int: "int32", float: "float64"}


def rows_of(item: Item, outcome: dict[str, Any]) -> list[dict[str, Any]]:
    """Lay a study's outcome out in rows.

    Args:
        item: The study.
        outcome: What `reader.read_study` said of its files.

    Returns:
        One row for each file, by column; the worklist's further columns last.
    """
    shared = {name: outcome[name] for name in (*_STUDY, *_MODEL)}
    rows = []
    for number, (file, view, extra) in enumerate(
        zip(item.files, outcome["views"], item.extra, strict=True), start=1
    ):
        row = {"study": item.study, "file": file, "view": number, "study_files": len(item.files)}
        row |= shared | view
        rows.append({**{name: row[name] for name in COLUMNS}, **extra})
    return rows


def check_format(path: Path) -> None:
    """Find out before the work whether the results can be written.

    Raises:
        MuraError: The name ends otherwise than in .parquet or .csv, or pyarrow is missing.
    """
    if path.suffix == ".parquet":
        try:
            import pyarrow.parquet  # noqa: F401 - asked for, not used yet
        except ModuleNotFoundError as error:
            raise MuraError(
                f"Parquet needs {error.name}, which is not installed: pip install -e '.[batch]', "
                "or let --out end in .csv."
            ) from None
    elif path.suffix != ".csv":
        raise MuraError(f"The results {path} end in {path.suffix or 'nothing'}. Expected .parquet or .csv.")


def write_table(path: Path, rows: Iterable[Row], extra: Sequence[str], notes: Mapping[str, str]) -> None:
    """Write the results; an earlier file of that name stays whole until this one is.

    Args:
        path: Ends in .parquet or .csv.
        rows: By column.
        extra: Names of text columns after `COLUMNS`.
        notes: Goes into the Parquet file's own metadata.

    Raises:
        MuraError: It cannot be written.
    """
    write = _write_parquet if path.suffix == ".parquet" else _write_csv
    with _replacing(path) as partial:
        write(partial, iter(rows), extra, notes)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise MuraError(
            f"The results {path} cannot be written ({error.strerror or error}). "
            "Nothing that was read is lost: make room and run the same command again."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _write_csv(path: Path, rows: Iterator[Row], extra: Sequence[str], _: Mapping[str, str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, *extra])
        writer.writeheader()
        writer.writerows(rows)


def _write_parquet(path: Path, rows: Iterator[Row], extra: Sequence[str], notes: Mapping[str, str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {name: _ARROW[kind] for name, kind in COLUMNS.items()} | dict.fromkeys(extra, "string")
    fields = [pa.field(name, pa.type_for_alias(kind)) for name, kind in kinds.items()]
    schema = pa.schema(fields, metadata=dict(notes))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while block := list(islice(rows, _ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(block, schema=schema))
