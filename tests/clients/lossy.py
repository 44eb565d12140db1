"""A proxy that loses the reply to the first creation: the system has the request, and the client a dropped socket.

The tests of both Python clients start one each; the client behind it speaks plain http to it. It changes nothing else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

# What belongs to one connection, and what the other side computes again.
HOP = {"connection", "content-encoding", "content-length", "host", "keep-alive", "transfer-encoding"}


class Lossy(ThreadingHTTPServer):
    """Listens on a free port of this machine; `posts` counts the creations that came in."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        """Takes the address of the system."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = httpx.Client(base_url=upstream, timeout=60)
        self.posts = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: Lossy

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        reply = self.server.upstream.request(self.command, self.path, content=body, headers=headers)
        if self.command == "POST":
            self.server.posts += 1
            if self.server.posts == 1:
                self.close_connection = True
                return
        self.send_response(reply.status_code)
        for name, value in reply.headers.items():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("content-length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)

    do_GET = do_POST = forward  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing: pytest shows what matters."""


@contextmanager
def lossy(upstream: str) -> Iterator[Lossy]:
    """Yields a running proxy and ends it."""
    with Lossy(upstream) as proxy:
        Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            proxy.upstream.close()
