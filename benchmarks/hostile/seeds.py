"""Whole films of every kind that is read, small and drawn here: what the fuzzing starts from."""

from __future__ import annotations

import struct
import zipfile
import zlib
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import gdcm
import numpy as np
from PIL import Image
from pydicom import dcmread, uid
from pydicom.encaps import get_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

HEIGHT, WIDTH = 96, 80
PATIENT = "DOE^JANE"
"""In every DICOM; a message or a result that holds it is a finding."""

Element = tuple[str, bytes]
"""Value representation and encoded value."""

GDCM_SYNTAXES = (uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEGLSNearLossless)
COMPRESSED = (uid.RLELossless, uid.JPEGBaseline8Bit, uid.JPEG2000, uid.JPEG2000Lossless, *GDCM_SYNTAXES)
PLAIN = (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian)
SYNTAXES = (*PLAIN, uid.DeflatedExplicitVRLittleEndian, *COMPRESSED)

_LONG = frozenset({"OB", "OW", "OF", "OD", "SQ", "UN", "UT", "OL", "UC", "UR"})
SOP_CLASS = uid.DigitalXRayImageStorageForPresentation


@cache
def film(bits: int = 8) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Draw a bright bar with noise on a dark ground, (96, 80) of 8 or up to 16 bits."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    bone = np.where(np.abs(columns - 40 - rows / 12) < 11, 0.75, 0.08) + 0.1 * (rows % 37 < 3)
    noisy = bone + np.random.default_rng(0).normal(0, 0.01, bone.shape)
    return np.rint(np.clip(noisy, 0, 1) * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def chunk(name: bytes, data: bytes, length: int | None = None, crc: int | None = None) -> bytes:
    """Write a PNG chunk, with another length or checksum than its own where one is given."""
    stated = len(data) if length is None else length
    return struct.pack(">I", stated) + name + data + struct.pack(">I", crc or zlib.crc32(name + data))


def picture(kind: str, mode: str, **options: object) -> bytes:
    """Write the film with Pillow: kind "PNG", "JPEG" or "JPEG2000", in one of Pillow's modes."""
    buffer = BytesIO()
    source = film(16) if mode == "I;16" else film()
    image = Image.fromarray(source)
    (image if mode == "I;16" else image.convert(mode)).save(buffer, kind, **options)
    return buffer.getvalue()


def element(tag: int, vr: str, value: bytes, *, syntax: str, length: int | None = None) -> bytes:
    """Write one data element (PS3.5 7.1), with another length than its own where one is given."""
    order = ">" if syntax == uid.ExplicitVRBigEndian else "<"
    value += b"\0" * (len(value) % 2)
    stated = (len(value) if length is None else length) & 0xFFFFFFFF
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if syntax == uid.ImplicitVRLittleEndian:
        return head + struct.pack("<I", stated) + value
    if vr in _LONG:
        return head + vr.encode() + b"\0\0" + struct.pack(order + "I", stated) + value
    return head + vr.encode() + struct.pack(order + "H", stated & 0xFFFF) + value


def number(value: int, syntax: str = uid.ExplicitVRLittleEndian) -> bytes:
    """Encode a US value; what does not fit is cut to 16 bits."""
    return struct.pack((">" if syntax == uid.ExplicitVRBigEndian else "<") + "H", value & 0xFFFF)


def header(syntax: str, bits: int = 8) -> dict[int, Element]:
    """Give the elements of a DX film of a named patient, all but the pixels, by tag."""
    words = {0x00280002: 1, 0x00280010: HEIGHT, 0x00280011: WIDTH, 0x00280103: 0}
    words |= {0x00280100: 8 if bits == 8 else 16, 0x00280101: bits, 0x00280102: bits - 1}
    texts = {
        0x00080016: ("UI", SOP_CLASS), 0x00080018: ("UI", "1.2.3.4"), 0x00080060: ("CS", "DX"),
        0x00100010: ("PN", PATIENT), 0x00100020: ("LO", "4711"), 0x00180015: ("CS", "HAND"),
        0x0020000D: ("UI", "1.2.3.5"), 0x00280004: ("CS", "MONOCHROME2"), 0x00280030: ("DS", "0.1\\0.1"),
        0x00281050: ("DS", str(2 ** (bits - 1))), 0x00281051: ("DS", str(2**bits)),
    }  # fmt: skip
    return {
        **{tag: (vr, text.encode()) for tag, (vr, text) in texts.items()},
        **{tag: ("US", number(value, syntax)) for tag, value in words.items()},
    }


def frame(syntax: str, bits: int = 8) -> bytes:
    """Compress the film as a transfer syntax asks; uncompressed ones get its bytes."""
    pixels = film(bits)
    if syntax == uid.RLELossless:
        return _rle(pixels)
    if syntax == uid.JPEGBaseline8Bit:
        return picture("JPEG", "L")
    if syntax in (uid.JPEG2000, uid.JPEG2000Lossless):
        buffer = BytesIO()
        Image.fromarray(pixels).save(
            buffer, "JPEG2000", no_jp2=True, irreversible=syntax == uid.JPEG2000, mct=0
        )
        return buffer.getvalue()
    if syntax in GDCM_SYNTAXES:
        return _by_gdcm(pixels, uid.JPEGLSLossless if syntax == uid.JPEGLSNearLossless else syntax)
    order = ">" if syntax == uid.ExplicitVRBigEndian else "<"
    return pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()


def encapsulated(stream: bytes, offsets: bytes = b"") -> bytes:
    """Wrap one compressed frame (PS3.5 A.4), up to the delimiter."""
    stream += b"\0" * (len(stream) % 2)
    items = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(part)) + part for part in (offsets, stream))
    return items + b"\xfe\xff\xdd\xe0\0\0\0\0"


def dicom(syntax: str, elements: Mapping[int, Element], pixels: bytes | None, *, meta: bytes = b"") -> bytes:
    """Write a file of elements in order of their tags; `pixels` None leaves PixelData out.

    Args:
        syntax: Stated in the file, and how the elements are written.
        elements: Values by tag.
        pixels: The whole value of PixelData, items and delimiter included where it is encapsulated.
        meta: Further elements of the file meta information.
    """
    known = syntax in SYNTAXES
    body = b"".join(element(tag, *elements[tag], syntax=syntax) for tag in sorted(elements))
    if pixels is not None:
        packed = known and uid.UID(syntax).is_encapsulated
        vr = "OB" if packed or elements.get(0x00280100, ("", b""))[1][:1] == b"\x08" else "OW"
        body += element(0x7FE00010, vr, pixels, syntax=syntax, length=0xFFFFFFFF if packed else None)
    if syntax == uid.DeflatedExplicitVRLittleEndian:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = packer.compress(body) + packer.flush()
    return preamble(syntax, meta) + body


def preamble(syntax: str, meta: bytes = b"") -> bytes:
    """Write what stands before the data set (PS3.10 7.1)."""
    little = uid.ExplicitVRLittleEndian
    group = element(0x00020002, "UI", SOP_CLASS.encode(), syntax=little)
    group += element(0x00020010, "UI", syntax.encode(), syntax=little) + meta
    return (
        bytes(128) + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(group)), syntax=little) + group
    )


def whole_dicom(syntax: str, bits: int = 8) -> bytes:
    """Write a DICOM that is read without complaint."""
    stream = frame(syntax, bits)
    packed = uid.UID(syntax).is_encapsulated
    return dicom(syntax, header(syntax, bits), encapsulated(stream) if packed else stream)


def whole_zip() -> bytes:
    """Write a ZIP of two studies."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("wrist 1/a.png", picture("PNG", "L"))
        archive.writestr("wrist 1/b.jpg", picture("JPEG", "L"))
        archive.writestr("wrist 2/IM0001", whole_dicom(uid.ExplicitVRLittleEndian, 12))
        archive.writestr("truth.csv", "case_id,label\nwrist 1,1\n1.2.3.5,0\n")
    return buffer.getvalue()


@cache
def seeds() -> dict[str, dict[str, bytes]]:
    """Give every seed: kind ("png", "jpeg", "dicom", "zip") to name to file."""
    pngs = {mode: picture("PNG", mode) for mode in ("L", "I;16", "P", "LA", "RGB", "RGBA")}
    jpegs = {mode: picture("JPEG", mode) for mode in ("L", "RGB", "CMYK")}
    exif = Image.Exif()
    exif[0x0112] = 6
    jpegs |= {
        "progressive": picture("JPEG", "RGB", progressive=True),
        "restarts": picture("JPEG", "L", restart_marker_rows=1),
        "exif": picture("JPEG", "L", exif=exif),
    }
    dicoms = {f"{syntax.name}, 8 bits": whole_dicom(syntax) for syntax in SYNTAXES}
    deep = [syntax for syntax in SYNTAXES if syntax != uid.JPEGBaseline8Bit]
    dicoms |= {f"{syntax.name}, 12 bits": whole_dicom(syntax, 12) for syntax in deep}
    return {"png": pngs, "jpeg": jpegs, "dicom": dicoms, "zip": {"two studies": whole_zip()}}


def _rle(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Write literal runs alone (PS3.5 G.3): one segment a byte of a pixel, the high byte first."""
    planes = pixels.astype(pixels.dtype.newbyteorder(">")).view(np.uint8).reshape(pixels.size, -1).T
    segments = []
    for plane in planes:
        rows = plane.reshape(HEIGHT, WIDTH)
        segments.append(b"".join(bytes([WIDTH - 1]) + row.tobytes() for row in rows))
    places = np.cumsum([64, *map(len, segments)])[: len(segments)]
    return struct.pack("<16I", len(segments), *places, *[0] * (15 - len(segments))) + b"".join(segments)


def _by_gdcm(pixels: NDArray[np.uint8] | NDArray[np.uint16], syntax: str) -> bytes:
    """Compress to JPEG lossless or JPEG-LS."""
    elements = header(uid.ExplicitVRLittleEndian, 8 * pixels.itemsize)
    plain = dicom(uid.ExplicitVRLittleEndian, elements, pixels.tobytes())
    return get_frame(dcmread(BytesIO(compressed(plain, syntax))).PixelData, 0, number_of_frames=1)


def compressed(plain: bytes, syntax: str) -> bytes:
    """Let GDCM write a DICOM in another transfer syntax; it works safely on files alone."""
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "plain", Path(folder) / "compressed"
        source.write_bytes(plain)
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(str(source))
        writer.SetFileName(str(target))
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str(syntax))))
        if not reader.Read():
            raise ValueError("GDCM cannot read the film")
        change.SetInput(reader.GetImage())
        if not change.Change():
            raise ValueError(f"GDCM cannot write {syntax}")
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        if not writer.Write():
            raise ValueError(f"GDCM cannot write {syntax}")
        return target.read_bytes()
