"""The studies command, and the way of one archived study through the predict command."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pydicom.dataset import Dataset

    from mura_core.pacs.dicomweb import Archive
    from mura_core.reading import Reading

MOST_FILMS = 12
"""Films of one archived study that are read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the flags of the studies command."""
    parser.add_argument(
        "--dicomweb",
        metavar="URL",
        default=os.environ.get("MURA_DICOMWEB"),
        help="the archive's DICOMweb service; default: $MURA_DICOMWEB",
    )
    parser.add_argument("--date", default="", metavar="DATES", help="YYYYMMDD or YYYYMMDD-YYYYMMDD")
    parser.add_argument("--patient", default="", metavar="ID", help="the patient's number in the archive")
    parser.add_argument("--body-part", default="", metavar="PART", help="as DICOM has it: WRIST, HAND, ...")
    parser.add_argument("--modality", default="", metavar="CODE", help="CR, DX, ...; default: any radiograph")
    parser.add_argument("--limit", type=int, default=50, help="studies at most; default: %(default)s")
    parser.add_argument("--names", action="store_true", help="show the patients' names and numbers too")
    parser.set_defaults(misused=parser.error)


def run(options: argparse.Namespace) -> int:
    """Print a table of studies."""
    if not options.dicomweb:
        options.misused("--dicomweb is needed")
    from mura_core.pacs.qido import Query

    query = Query(options.date, options.patient, options.body_part, options.modality, options.limit)
    found = _open(options.dicomweb).list_studies(query)
    for study in found.studies:
        columns = [study.uid, study.date, "/".join(study.modalities), study.body_part, str(study.images)]
        columns += [study.patient_id, study.patient_name] if options.names else []
        print("\t".join([*columns, study.description]))
    more = "; there may be more: narrow the search or raise --limit" if found.more else ""
    print(f"{len(found.studies)} studies{more}", file=sys.stderr)
    return 0


def fetch(url: str, uid: str) -> Reading:
    """Fetch a study's films and read them as the predict command reads files.

    Raises:
        MuraError: The archive does not give them.
    """
    from mura_core.errors import ImageError
    from mura_core.images import read_radiograph
    from mura_core.reading import Reading
    from mura_core.study import View

    read, contents, views, refused = [], [], [], []
    for name, content in _open(url).fetch_study(uid, MOST_FILMS):
        try:
            views.append(View(name, read_radiograph(content)))
            read.append(name)
            contents.append(content)
        except ImageError as error:
            refused.append((name, str(error)))
    return Reading(tuple(read), tuple(contents), tuple(views), tuple(refused))


def store(url: str, uid: str, results: Sequence[Dataset]) -> None:
    """Store a study's results in the archive that it came from.

    Raises:
        MuraError: The archive does not take every one.
    """
    from mura_core.pacs.results import encode

    _open(url).store(encode(results), uid)


def _open(url: str) -> Archive:
    from mura_core.pacs.connection import travels_in_the_open
    from mura_core.pacs.dicomweb import Archive

    archive = Archive(url)
    if travels_in_the_open(url):
        print(
            "The archive's address is not https: films and names cross the network unencrypted.",
            file=sys.stderr,
        )
    return archive
