"""The studies command: what lies in an archive."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mura_core.commands import flags

if TYPE_CHECKING:
    import argparse

SUMMARY = "list the studies of an archive over DICOMweb"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the command's flags."""
    flags.add_archive(parser)
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
    from mura_core.archive import open_archive
    from mura_core.pacs.qido import Query

    query = Query(options.date, options.patient, options.body_part, options.modality, options.limit)
    found = open_archive(options.dicomweb).list_studies(query)
    for study in found.studies:
        columns = [study.uid, study.date, "/".join(study.modalities), study.body_part, str(study.images)]
        columns += [study.patient_id, study.patient_name] if options.names else []
        print("\t".join([*columns, study.description]))
    more = "; there may be more: narrow the search or raise --limit" if found.more else ""
    print(f"{len(found.studies)} studies{more}", file=sys.stderr)
    return 0
