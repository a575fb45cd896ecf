"""A web server on the loopback that does what a script says, right and wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """One answer.

    ``body`` is the whole file. ``length`` replaces the announced length, None leaves it out; ``stop`` breaks the connection after so many
    bytes of what was to be sent; ``drip`` waits so many seconds before each of them. ``ranges`` says whether parts are served.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: str | None = '"one"'
    length: int | None = -1
    stop: int | None = None
    drip: float = 0.0
    ranges: bool = True


class Server:
    """Gives the answers of ``script`` one after the other, the last one for ever; keeps what was asked in ``asked``."""

    def __init__(self) -> None:
        self.script: list[Answer | Callable[[str], Answer]] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    def next(self, path: str, headers: dict[str, str]) -> Answer:
        self.asked.append((path, headers))
        answer = self.script[0] if len(self.script) == 1 else self.script.pop(0)
        return answer(path) if callable(answer) else answer


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = server.next(self.path, dict(self.headers))
            body, status, headers = answer.body, answer.status, dict(answer.headers)
            if answer.etag:
                headers["ETag"] = answer.etag
            asked = self.headers.get("Range")
            if asked and status == 200 and answer.ranges and self.headers.get("If-Range") in (None, answer.etag):
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
                headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                body, status = body[start:], 206
            if answer.length is not None:
                headers["Content-Length"] = str(len(body) if answer.length < 0 else answer.length)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.flush()
            sent = body if answer.stop is None else body[: answer.stop]
            try:
                if not answer.drip:
                    self.wfile.write(sent)
                for at in range(len(sent) if answer.drip else 0):
                    time.sleep(answer.drip)
                    self.wfile.write(sent[at : at + 1])
                    self.wfile.flush()
            except OSError:
                pass  # the other side had enough

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Quiet(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
