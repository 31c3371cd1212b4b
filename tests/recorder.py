"""Everything a server says to one browser, byte by byte: a listener between the two that changes nothing."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


class Recorder:
    """Listens on a free port of this machine and passes everything on to the server.

    Attributes:
        address: What the browser opens.
        server: Address of the server; may be changed when another one takes its place.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self._heard = bytearray()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def heard(self) -> bytes:
        """All that the server has said so far."""
        with self._lock:
            return bytes(self._heard)

    def stop(self) -> None:
        """Listen no more."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                browser, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(browser,), daemon=True).start()

    def _join(self, browser: socket.socket) -> None:
        with browser, suppress(OSError):
            target = urlsplit(self.server)
            with socket.create_connection((target.hostname, target.port)) as server:
                # Without it the end of a stream comes late, after the answer to the page's next request, and
                # Gradio's client then closes the stream that this request waits for.
                for end in (browser, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                asking = threading.Thread(target=_pass_on, args=(browser, server), daemon=True)
                asking.start()
                try:
                    while said := server.recv(1 << 16):
                        with self._lock:
                            self._heard += said
                        browser.sendall(said)
                finally:
                    # Closing alone says nothing while the other thread waits at the socket: the browser would
                    # send its next request into a connection that the server has given up.
                    browser.shutdown(socket.SHUT_RDWR)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(1 << 16):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def recorded(server: str) -> Iterator[Recorder]:
    """Record until the end of the block."""
    recorder = Recorder(server)
    try:
        yield recorder
    finally:
        recorder.stop()
