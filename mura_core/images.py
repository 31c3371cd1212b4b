"""Read a DICOM, PNG or JPEG radiograph into canonical form: bone bright, [0, 1], no patient data."""

from __future__ import annotations

from pathlib import Path

from mura_core.decoding import MAX_BYTES, Decoded
from mura_core.errors import ImageError
from mura_core.polarity import Polarity, find_polarity
from mura_core.study import Radiograph
from mura_core.window import apply_window, default_window, inverted_window, window_ends

INVERTED_NOTE = (
    "The film has a bright background (bone dark). It was inverted, so that bone is bright; "
    "check the polarity before you rely on the result."
)
DOUBTFUL_NOTE = (
    "The background looks bright, as on an inverted film; the polarity was left as the file has it. "
    "If bone is dark on the screen, invert the file and read it again."
)
WINDOW_NOTE = "The stated display window shows nothing of this film; the range of its values was used."

_OTHER_KINDS = (
    (b"GIF8", "a GIF picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"BM", "a BMP picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or Office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"8BPS", "a Photoshop file"),
)


def read_radiograph(source: str | Path | bytes) -> Radiograph:
    """Read one radiograph, whatever its file is called.

    The kind is told by content: DICOM (CR, DX, RG, secondary capture), PNG or JPEG. Transparent parts become
    black. Colour is reduced to brightness. An EXIF rotation is applied. PNG and JPEG films with a bright
    background are inverted, and `warnings` says so. In a grey DICOM the file's own statement holds.

    Args:
        source: A path, or the bytes of the file. Up to 60 MiB, 64 million pixels, 64 px or more a side.

    Returns:
        The radiograph. `pixels` is always `apply_window(values, window)`.

    Raises:
        ImageError: The file is missing, is not a radiograph of a known kind, is damaged, or passes a limit.
            The text names no file, except where the file could not be opened: prefix the name you know.
    """
    data = source if isinstance(source, bytes) else read_file(Path(source))
    if len(data) > MAX_BYTES:
        raise ImageError(_too_large(len(data)))
    kind = sniff(data)
    if kind == "dicom":
        from mura_core.dicom import decode_dicom  # pydicom takes 0.2 s to import; PNG users need not wait

        return _settle(decode_dicom(data), kind)
    from mura_core.raster import decode_raster

    return _settle(decode_raster(data, kind), kind)


def read_file(path: Path) -> bytes:
    """Read a file into memory, one byte past the limit at most.

    Raises:
        ImageError: It is missing or cannot be opened; the text names it.
    """
    try:
        if not path.is_file():
            raise ImageError(f"No such file: {path}. Give the path of a DICOM, PNG or JPEG file.")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a valid path"
        raise ImageError(f"Cannot open {path}: {reason}. Check the path and its permissions.") from error


def _too_large(size: int) -> str:
    found = f"{size / 1024**2:.0f} MiB" if size > MAX_BYTES + 1 else f"more than {MAX_BYTES // 1024**2} MiB"
    return (
        f"The file is too large: {found}; at most {MAX_BYTES // 1024**2} MiB are read. "
        "Export the single radiograph, without other frames or documents."
    )


def sniff(data: bytes) -> str:
    """Tell "png", "jpeg" or "dicom" by a file's first bytes.

    Raises:
        ImageError: It is none of them; the text says what it is.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data[128:132] == b"DICM":
        return "dicom"
    raise ImageError(
        f"This is not a radiograph file: it is {_describe(data)}; expected DICOM, PNG or JPEG. "
        "Export the radiograph from the viewer or PACS in one of these formats."
    )


def _describe(data: bytes) -> str:
    if not data:
        return "empty"
    for magic, name in _OTHER_KINDS:
        if data.startswith(magic):
            return name
    if data[8:12] == b"WEBP":
        return "a WebP picture"
    if data[4:8] == b"ftyp":
        return "a video or HEIC picture"
    if data[:2] in (b"\x08\x00", b"\x02\x00") and len(data) > 8:
        return "perhaps a DICOM data set, but without the DICM mark at byte 128"
    head = data[:512]
    if b"\0" not in head and sum(byte >= 32 or byte in b"\t\r\n\f" for byte in head) == len(head):
        return "a text file" if head.isascii() else "text or unknown data"
    return f"of an unknown kind (first bytes {data[:4].hex(' ')})"


def _settle(decoded: Decoded, kind: str) -> Radiograph:
    """Choose the default window, settle the polarity, and make the canonical form."""
    values, depth, notes = decoded.values, decoded.bit_depth, list(decoded.warnings)
    lowest, highest = int(values.min()), int(values.max())
    if lowest == highest:
        raise ImageError(
            f"The image is blank: every pixel has the value {lowest}. Export the radiograph again, "
            "and check that it is not a separator sheet."
        )
    window = decoded.window
    if window is not None and (window_ends(window)[0] >= highest or window_ends(window)[1] <= lowest):
        notes.append(WINDOW_NOTE)
        window = None
    window = window or default_window(values, depth, decoded.padding)
    pixels = apply_window(values, window)
    polarity = find_polarity(pixels)
    if polarity is Polarity.BONE_DARK and not decoded.polarity_known:
        values = (2**depth - 1) - values
        window = inverted_window(window, depth)
        pixels = apply_window(values, window)
        notes.append(INVERTED_NOTE)
    elif polarity is not Polarity.BONE_BRIGHT:
        notes.append(DOUBTFUL_NOTE)
    return Radiograph(
        pixels=pixels,
        values=values,
        window=window,
        bit_depth=depth,
        source_format=kind,
        pixel_spacing_mm=decoded.pixel_spacing_mm,
        spacing_at_detector=decoded.spacing_at_detector,
        body_part=decoded.body_part,
        view_position=decoded.view_position,
        warnings=tuple(notes),
    )
