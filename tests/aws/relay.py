"""Servers that pass requests on under another Host: the custom domain of the API, and microburst's way on."""

import http.client
import re
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from certificate import certificate

CALLBACK = re.compile(r"/v1/callbacks/[^/]+/[^/]+/([^/]+)/\d+")
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date", "server"}

Reply = tuple[int, list[tuple[str, str]], bytes]


class Server(ThreadingHTTPServer):
    """A thread for each connection; its TLS handshake included, so that a slow one does not hold up the others."""

    daemon_threads = True
    request_queue_size = 128
    relay: "Relay"

    def finish_request(self, request: object, client_address: object) -> None:
        """Serves one connection."""
        if isinstance(request, ssl.SSLSocket):
            request.do_handshake()
        super().finish_request(request, client_address)  # type: ignore[arg-type]

    def handle_error(self, *_: object) -> None:
        """Says nothing: a client that hangs up is the client's business."""


class Handler(BaseHTTPRequestHandler):
    """One request of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def relay(self) -> None:
        """Reads the whole request, has it answered, writes the whole reply."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        status, headers, reply = self.server.relay.answer(self.command, self.path, dict(self.headers.items()), body)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = relay  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing: paths can be output URLs."""


class Relay:
    """Passes requests on until it is closed."""

    def __init__(self, certificate_file: Path | None = None) -> None:
        """Opens a port; with TLS if there is a certificate."""
        self.upstream_port = 0
        self.upstream_host = ""
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.relay = self
        if certificate_file:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate_file)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "https" if certificate_file else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Closes the port."""
        self._server.shutdown()
        self._server.server_close()

    def to(self, port: int, host: str) -> None:
        """Passes everything on to this port of 127.0.0.1, as if it had been sent to `host`."""
        self.upstream_port, self.upstream_host = port, host

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """The upstream's reply."""
        passed = {key: value for key, value in headers.items() if key.lower() not in HOP_BY_HOP}
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream_port, timeout=70)
        try:
            connection.request(method, path, body=body or None, headers={**passed, "Host": self.upstream_host})
            reply = connection.getresponse()
            data = reply.read()
            kept = [(key, value) for key, value in reply.getheaders() if key.lower() not in HOP_BY_HOP]
            return reply.status, kept, data
        finally:
            connection.close()


class Edge(Relay):
    """The custom domain in front of the API: ends TLS, and loses callbacks while a test wants it to."""

    def __init__(self, folder: Path) -> None:
        """Makes a CA of its own in that folder."""
        self.ca_file, chain = certificate(folder)
        self._lock = threading.Lock()
        self._losing = False
        self._lost: list[str] = []
        super().__init__(chain)

    def lose_callbacks(self, *, lose: bool) -> None:
        """Answers every callback itself from now on, so that the GPU believes that it arrived."""
        with self._lock:
            self._losing = lose
            self._lost.clear()

    def lost(self, job: str) -> int:
        """How many callbacks of that job were lost."""
        with self._lock:
            return self._lost.count(job)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """The API's reply, or our own to a callback that is to be lost."""
        callback = CALLBACK.match(path)
        if callback:
            with self._lock:
                if self._losing:
                    self._lost.append(callback[1])
                    return 200, [("content-type", "application/json")], b'{"v":1}'
        return super().answer(method, path, headers, body)
