"""The file of readers who may sign in: a salted scrypt hash for each name, never a password."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from mura_core.errors import SessionError
from mura_core.review.checks import check_reader

SHORTEST = 10
"""Characters of a password, at least."""

LONGEST = 256
"""And at most: hashing must not take as long as a stranger likes."""

_METHOD = "scrypt"
_COST, _BLOCK, _LANES = 2**15, 8, 1
"""32 MiB and about 0.1 s for each try."""

_MEMORY = 128 * 1024 * 1024
_SALT_BYTES, _HASH_BYTES = 16, 32
_TEXT = r"([A-Za-z0-9+/=]{8,128})"
_HASH = re.compile(rf"scrypt\$(\d{{1,8}})\$(\d{{1,2}})\$(\d{{1,2}})\${_TEXT}\${_TEXT}")


@dataclass(frozen=True)
class PasswordHash:
    """A password as it is kept: scrypt's parameters (RFC 7914), salt and result."""

    cost: int
    block: int
    lanes: int
    salt: bytes
    digest: bytes

    def __str__(self) -> str:
        salt, digest = (base64.b64encode(raw).decode("ascii") for raw in (self.salt, self.digest))
        return f"{_METHOD}${self.cost}${self.block}${self.lanes}${salt}${digest}"

    def matches(self, password: str) -> bool:
        """Compare in a time that says nothing of how alike they are."""
        return hmac.compare_digest(self.digest, self._digest(password))

    def _digest(self, password: str) -> bytes:
        return hashlib.scrypt(
            unicodedata.normalize("NFC", password).encode(),
            salt=self.salt,
            n=self.cost,
            r=self.block,
            p=self.lanes,
            maxmem=_MEMORY,
            dklen=len(self.digest),
        )


def hash_password(password: str) -> PasswordHash:
    """Hash a password with a salt of its own."""
    blank = PasswordHash(_COST, _BLOCK, _LANES, os.urandom(_SALT_BYTES), b"\0" * _HASH_BYTES)
    return PasswordHash(_COST, _BLOCK, _LANES, blank.salt, blank._digest(password))


def read_readers(path: Path) -> dict[str, PasswordHash]:
    """Read who may sign in, one `name:scrypt$...` a line; blank lines and those with # first are skipped.

    Raises:
        SessionError: The file cannot be read, a line is not of that form, a name comes twice, or nobody is
            in it. The text repeats no line: it may hold a password.
    """
    readers: dict[str, PasswordHash] = {}
    for number, line in enumerate(_lines(path), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, kept = line.strip().partition(":")
        found = _parse(kept)
        if found is None or not name:
            raise SessionError(
                f"{path}, line {number}: expected NAME:scrypt$..., a salted hash. Passwords are not kept as "
                f"plain text: make a new file with `python app.py --add-reader NAME --auth FILE`, once for "
                f"each reader, and delete this one."
            )
        if name in readers:
            raise SessionError(f"{path}, line {number}: this name has a line already. Keep one for each.")
        readers[name] = found
    if not readers:
        raise SessionError(
            f"{path} names no reader. Add one with `python app.py --add-reader NAME --auth {path}`, or leave "
            "--auth out."
        )
    return readers


def add_reader(path: Path, name: str, password: str) -> bool:
    """Let a reader in, or give a new password; the file is replaced whole, and its owner's alone (mode 600).

    Args:
        path: The file; made if there is none. Its other lines stay as they are.
        name: No colon, no # at the start.
        password: `SHORTEST` to `LONGEST` characters.

    Returns:
        Whether the reader is new.

    Raises:
        SessionError: The name or password cannot be one, or the file is of another kind or cannot be written.
    """
    check_reader(name)
    if ":" in name or name.startswith("#"):
        raise SessionError("A reader's name has no colon and does not begin with #. Give another.")
    if not SHORTEST <= len(password) <= LONGEST:
        raise SessionError(
            f"The password has {len(password)} characters; expected {SHORTEST} to {LONGEST}. Give another."
        )
    lines = _lines(path) if path.exists() else []
    known = read_readers(path) if any(line.strip() and line[0] != "#" for line in lines) else {}
    kept = [line for line in lines if line.strip().partition(":")[0] != name or line.startswith("#")]
    _replace(path, [*kept, f"{name}:{hash_password(password)}"])
    return name not in known


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SessionError(
            f"The file of readers {path} cannot be read ({type(error).__name__}). Make one with "
            f"`python app.py --add-reader NAME --auth {path}`."
        ) from None


def _parse(kept: str) -> PasswordHash | None:
    """Read a hash; None for what is none, or would cost more than `_MEMORY`."""
    found = _HASH.fullmatch(kept)
    if found is None:
        return None
    cost, block, lanes = (int(number) for number in found.groups()[:3])
    try:
        salt, digest = (base64.b64decode(text, validate=True) for text in found.groups()[3:])
    except ValueError:
        return None
    power_of_two = cost > 1 and cost & (cost - 1) == 0
    affordable = block > 0 and 0 < lanes <= 4 and 128 * block * (cost + lanes + 2) < _MEMORY
    # Of a hash of a few bytes, some other password would soon be found that has it too.
    long_enough = len(salt) >= _SALT_BYTES and len(digest) >= _HASH_BYTES
    sound = power_of_two and affordable and long_enough
    return PasswordHash(cost, block, lanes, salt, digest) if sound else None


def _replace(path: Path, lines: list[str]) -> None:
    """Write a file beside the other and put it in its place: a crash leaves the old one or the new one."""
    try:
        # mkstemp makes it with mode 600: nobody else can read it at any moment.
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))
                file.flush()
                os.fsync(file.fileno())
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink()
            raise
    except OSError as error:
        raise SessionError(
            f"The file of readers {path} cannot be written ({error.strerror}). Check its folder."
        ) from None
