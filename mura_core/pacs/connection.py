"""The way to an archive: credentials, certificates, limits, and errors in words."""

from __future__ import annotations

import ipaddress
import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from dicomweb_client.web import DICOMwebClient
from requests.auth import HTTPBasicAuth
from retrying import RetryError

from mura_core.decoding import MAX_BYTES
from mura_core.errors import MuraError

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, PASSWORD, TOKEN = "MURA_DICOMWEB_USER", "MURA_DICOMWEB_PASSWORD", "MURA_DICOMWEB_TOKEN"
"""Environment variables: what is on a command line can be read by every user of a machine."""

TIMEOUT_S = (5.0, 60.0)
"""To connect, and between two pieces of an answer."""

_LIMIT_BYTES = MAX_BYTES + 1024**2
_RETRIES = 2


class ArchiveError(MuraError):
    """The archive cannot be reached, or does not answer as DICOMweb."""


class _Token(requests.auth.AuthBase):
    """A bearer token on every request; none at all where there is none.

    Some `auth` is always set: without, requests would look for credentials in the user's .netrc.
    """

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Bounded:
    """An answer's body that ends with an error instead of filling the memory."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, *arguments: Any, **options: Any) -> Iterator[bytes]:
        """Give the body piece by piece, as `urllib3.HTTPResponse.stream` does."""
        read = 0
        for piece in self._raw.stream(*arguments, **options):
            read += len(piece)
            if read > _LIMIT_BYTES:
                self._raw.close()
                raise ArchiveError(
                    f"The archive sent more than {_LIMIT_BYTES // 1024**2} MiB in one answer. "
                    "Expected single radiographs; ask for fewer studies, or choose another study."
                )
            yield piece


def open_client(url: str) -> DICOMwebClient:
    """Prepare the way to an archive; nothing is sent yet.

    Args:
        url: Of the DICOMweb service, http or https. The user and password, or the token, are taken from the
            environment.

    Raises:
        ArchiveError: The address or the credentials are not as expected.
    """
    check_url(url)
    session = requests.Session()
    session.auth = _credentials()
    # An archive that sends us elsewhere would choose where patients' numbers and credentials go.
    session.max_redirects = 0
    session.hooks["response"].append(_bound)
    # Its log lines hold addresses, and those hold what was searched for.
    logging.getLogger("dicomweb_client").setLevel(logging.CRITICAL + 1)
    client = DICOMwebClient(url.rstrip("/"), session=session, timeout=TIMEOUT_S)
    client.set_http_retry_params(max_attempts=_RETRIES)
    return client


def check_url(url: str) -> None:
    """Refuse what is no plain http or https address.

    Raises:
        ArchiveError: It is not; a password in it is not repeated.
    """
    try:
        parts = urlsplit(url)
        plain = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        plain = False
    if not plain or parts.query or parts.fragment:
        raise ArchiveError(
            "The archive's address is not valid. Expected the address of its DICOMweb service, as in "
            "https://pacs.example.org/dicom-web."
        )
    if parts.username or parts.password:
        raise ArchiveError(
            f"The archive's address holds a user or password. Take them out, and set {USER} and {PASSWORD} "
            "in the environment."
        )


def travels_in_the_open(url: str) -> bool:
    """Tell whether films, names and credentials would cross a network unencrypted."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    return parts.scheme != "https" and not local


@contextmanager
def errors_in_words(missing: str) -> Iterator[None]:
    """Turn whatever a request can end with into an ArchiveError.

    Args:
        missing: What to say where the archive answers that there is no such thing.

    Raises:
        ArchiveError: The cause is left out: it quotes the address, which may hold a patient's number.
    """
    try:
        yield
    except MuraError:
        raise
    except requests.HTTPError as error:
        raise ArchiveError(_status(error.response, missing)) from None
    except requests.exceptions.SSLError:
        raise ArchiveError(
            "The archive's certificate could not be verified. Ask for its certificate authority's file, and "
            "name it in REQUESTS_CA_BUNDLE."
        ) from None
    except requests.TooManyRedirects:
        raise ArchiveError("The archive sends requests on to another address. Give that address.") from None
    except requests.Timeout:
        raise ArchiveError("The archive did not answer in time. Try again, or ask its operator.") from None
    except RetryError:
        raise ArchiveError("The archive is busy or down for now. Try again later.") from None
    except (requests.JSONDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArchiveError(f"{_NOT_DICOMWEB} ({type(error).__name__} in its answer).") from None
    except requests.RequestException:
        raise ArchiveError(
            "The archive cannot be reached. Check the address, the network and that the archive is running."
        ) from None


_NOT_DICOMWEB = (
    "What answers at the archive's address is not a DICOMweb service. "
    "Expected the service's own address, as in https://pacs.example.org/dicom-web"
)


def _status(response: requests.Response | None, missing: str) -> str:
    code = response.status_code if response is not None else 0
    if code in (401, 403):
        return (
            f"The archive refuses access (HTTP {code}). Set {USER} and {PASSWORD}, or {TOKEN}, in the "
            "environment to what it accepts."
        )
    if code == 404:
        return missing
    if code in (400, 405, 406, 415):
        return f"{_NOT_DICOMWEB} (HTTP {code})."
    if code == 409:
        return "The archive refused to store the results (HTTP 409). Its operator can say why."
    return f"The archive answers with an error (HTTP {code}). Its operator can say why."


def _credentials() -> requests.auth.AuthBase:
    user, password, token = (os.environ.get(name, "") for name in (USER, PASSWORD, TOKEN))
    if token and (user or password):
        raise ArchiveError(f"Both {TOKEN} and {USER} or {PASSWORD} are set. Leave one of the two unset.")
    if bool(user) != bool(password):
        raise ArchiveError(f"Only one of {USER} and {PASSWORD} is set. Set both, or neither.")
    return HTTPBasicAuth(user.encode(), password.encode()) if user else _Token(token)


def _bound(response: requests.Response, *_: Any, **__: Any) -> None:
    """Limit an answer before its body is read."""
    response.raw = _Bounded(response.raw)
