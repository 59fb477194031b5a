"""A server on this machine that answers like OpenAlex, for the demo.

It serves ``/works`` and ``/works/{id}`` over complete Work objects, and behaves as OpenAlex does where it decides
whether a harvest is complete: lists cut at a hundred authors, two kinds of country filter, cursors.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from isal import igzip

from copub.demo import server_replies as replies
from copub.demo.server_library import BadRequest, Library
from copub.demo.server_pages import answer_list, answer_single
from copub.demo.server_replies import Reply


class Server:
    """The server; a context manager that runs it.

    `requests` lists method, path and query of all requests, `base_url` is where they go.

    Parameters
    ----------
    works : complete Work objects.
    """

    def __init__(self, works: Sequence[dict[str, Any]]) -> None:
        self.library = Library(list(works))
        self.requests: list[str] = []
        self.lock = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), Handler)
        self._http.served_by = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def base_url(self) -> str:
        """Return the address, with the port that the system gave."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def handle(self, handler: Handler) -> None:
        """Answer one request."""
        with self.lock:
            self.requests.append(f"GET {handler.path}")
            path, params = path_and_parameters(handler.path)
            reply = self.routed(path, params)
        handler.send(*handler.prepared(reply))

    def handle_post(self, handler: Handler) -> None:
        """Refuse a request that sends something."""
        handler.send(405, b"Method Not Allowed", {"Content-Type": "text/plain"})

    def routed(self, path: str, params: Mapping[str, str], **page: Any) -> Reply:
        """Return the reply to a path with its parameters; `page` goes to `answer_list`."""
        try:
            if path == "works":
                return answer_list(self.library, params, **page)
            if path.startswith("works/"):
                return answer_single(self.library, path.removeprefix("works/"), params)
        except BadRequest as error:
            return replies.json_reply(400, {"error": error.error, "message": error.message}, charged=True)
        return replies.not_found()


def path_and_parameters(target: str) -> tuple[str, dict[str, str]]:
    """Return the path of a request and its parameters, in one spelling."""
    parts = urlsplit(target)
    params = {name.replace("-", "_").lower(): value for name, value in parse_qsl(parts.query, True)}
    return unquote(parts.path).strip("/"), params


@contextmanager
def serve(works: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Run the server over the works and give its base URL."""
    with Server(works) as server:
        yield server.base_url


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    served_by: Server

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: a client may be stopped at any time."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: _Http
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_: Any) -> None:
        """Keep quiet; `Server.requests` is the log."""

    def do_GET(self) -> None:
        """Answer as the server does."""
        self.server.served_by.handle(self)

    def do_POST(self) -> None:
        """Answer as the server does."""
        self.server.served_by.handle_post(self)

    do_PUT = do_DELETE = do_POST

    def prepared(self, reply: Reply) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers of a reply, compressed if the client takes that."""
        headers = {"Access-Control-Allow-Origin": "*", **reply.headers}
        if "gzip" not in self.headers.get("Accept-Encoding", ""):
            return reply.status, reply.body, headers
        return reply.status, igzip.compress(reply.body, compresslevel=0), {**headers, "Content-Encoding": "gzip"}

    def send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a reply."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
