"""A server on this machine that speaks like OpenAlex: for the demo, and for tests with faults.

It serves ``/works``, ``/works/{id}`` and ``/rate-limit`` over complete Work objects, and shows the
behaviours that decide whether a harvest is complete: lists cut at a hundred authors, two kinds of
country filter, cursors, budgets, keys, and, on demand, everything that can go wrong.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from isal import igzip

from copub.demo import server_replies as replies
from copub.demo.server_faults import REPLACED, Faults
from copub.demo.server_library import BadRequest, Library
from copub.demo.server_pages import answer_list, answer_single, check_parameters
from copub.demo.server_replies import Reply

LONGEST_URL = 8190
_ENDLESS = 1 << 27


@dataclass(frozen=True, slots=True)
class Manners:
    """Which of OpenAlex's habits, past and present, the server has.

    keys : known keys -> credits a day; any other key is refused. anonymous : credits without a key.
    cursor_ending : "null" on a short page (since April 2026), or "empty": only after an empty page.
    per_page_most : 200, or 100 as documented. headers : "new", "credits", "old" or "none".
    error_status : status of parameter errors, 400, or 403 as before November 2025.
    compress : gzip bodies where the client takes them.
    """

    keys: Mapping[str, int] = field(default_factory=dict)
    anonymous: int = 1_000
    cursor_ending: str = "null"
    per_page_most: int = 200
    headers: str = "new"
    error_status: int = 400
    compress: bool = True


Edit = Callable[[list[dict[str, Any]]], None]


class Server:
    """The server; a context manager that runs it.

    Parameters
    ----------
    works : complete Work objects.
    manners : see `Manners`. faults : see `Faults`.
    edits : number of a request -> change made to the works before it is answered (index drift).

    `requests` lists method, path and query of all requests, `base_url` is where they go.
    """

    def __init__(
        self,
        works: Sequence[dict[str, Any]],
        *,
        manners: Manners | None = None,
        faults: Faults | None = None,
        edits: Mapping[int, Edit] | None = None,
    ) -> None:
        self.library = Library(list(works))
        self.manners = manners or Manners()
        self.faults = faults or Faults()
        self.edits = dict(edits or {})
        self.requests: list[str] = []
        self.lock = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.stand_in = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self.reset_budget()

    @property
    def base_url(self) -> str:
        """Return the address, with the port that the system gave."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def reset_budget(self) -> None:
        """Give everybody a new day's budget."""
        self.remaining = {"": self.manners.anonymous, **self.manners.keys}

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> tuple[Reply, str]:
        """Return the reply to a request, and the fault with which it is to be sent."""
        with self.lock:
            self.requests.append(f"{method} {target}")
            number = len(self.requests)
            if number in self.edits:
                self.edits.pop(number)(self.library.works)
                self.library.refresh()
            fault = self.faults.kind(number)
            if fault in REPLACED:
                return REPLACED[fault](), ""
            return self._reply(target, headers, short=fault == "short-page"), fault

    def _reply(self, target: str, headers: Mapping[str, str], *, short: bool) -> Reply:
        if len(target) + 13 > LONGEST_URL:
            message = f"Your request URL is {len(target) + 13} bytes, over the {LONGEST_URL}-byte limit."
            return replies.json_reply(400, {"error": "Request URL too long", "message": message})
        parts = urlsplit(target)
        params = {name.replace("-", "_").lower(): value for name, value in parse_qsl(parts.query, True)}
        key = _key(params, headers)
        if key is not None and key not in self.manners.keys:
            return replies.wrong_key()
        path = unquote(parts.path).strip("/")
        if path == "rate-limit":
            return self._rate_limit(key)
        refused = check_parameters(params)
        if refused:
            return refused
        cost = _cost(path, params)
        holder = key or ""
        if self.remaining[holder] < cost:
            return self._spent(holder, cost)
        self.remaining[holder] -= cost
        reply = self._routed(path, params, short=short)
        if reply.charged:
            reply.headers |= replies.budget_headers(
                self.manners.headers, self._limit(holder), self.remaining[holder], cost, replies.seconds_to_midnight()
            )
        return reply

    def _routed(self, path: str, params: Mapping[str, str], *, short: bool) -> Reply:
        try:
            if path == "works":
                return answer_list(
                    self.library, params, self.manners.per_page_most, self.manners.cursor_ending, short=short
                )
            if path.startswith("works/"):
                return answer_single(self.library, path.removeprefix("works/"), params)
        except BadRequest as error:
            body = {"error": error.error, "message": error.message}
            return replies.json_reply(self.manners.error_status, body, charged=True)
        return replies.not_found()

    def _limit(self, holder: str) -> int:
        return self.manners.keys[holder] if holder else self.manners.anonymous

    def _spent(self, holder: str, cost: int) -> Reply:
        wait = replies.seconds_to_midnight()
        message = f"Insufficient budget. This request costs ${replies.usd(cost):g}. Resets at midnight UTC."
        return replies.too_many(message, wait, cost, self._limit(holder), self.remaining[holder], wait)

    def _rate_limit(self, key: str | None) -> Reply:
        if key is None:
            return replies.key_wanted()
        return replies.rate_limit(key, self._limit(key), self.remaining[key], datetime.now(UTC))


@contextmanager
def serve(
    works: Sequence[dict[str, Any]],
    *,
    manners: Manners | None = None,
    faults: Faults | None = None,
    edits: Mapping[int, Edit] | None = None,
) -> Iterator[str]:
    """Run the server over the works and give its base URL; see `Server`."""
    with Server(works, manners=manners, faults=faults, edits=edits) as server:
        yield server.base_url


def _key(params: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    """Return the key as given, None if none is given."""
    if "api_key" in params:
        return params["api_key"]
    lower = {name.lower(): value for name, value in headers.items()}
    bearer = lower.get("authorization")
    if bearer is not None:
        return bearer.removeprefix("Bearer").removeprefix(" ")
    return lower.get("api_key", lower.get("api-key"))


def _cost(path: str, params: Mapping[str, str]) -> int:
    if path.startswith("works/"):
        return replies.PRICES["singleton"]
    searches = any(name == "search" or name.startswith("search.") for name in params)
    if searches or any(".search" in clause for clause in params.get("filter", "").split(",")):
        return replies.PRICES["search"]
    return replies.PRICES["list"]


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    stand_in: Server

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: clients that are killed in the middle are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_: Any) -> None:
        """Keep quiet; `Server.requests` is the log."""

    def do_GET(self) -> None:
        """Answer as the stand-in does, or break off where it is to have a fault."""
        stand_in = self.server.stand_in
        reply, fault = stand_in.answer("GET", self.path, dict(self.headers.items()))
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self._send(reply, fault, stand_in.faults.slow)

    def do_POST(self) -> None:
        self._not_allowed()

    def do_PUT(self) -> None:
        self._not_allowed()

    def do_DELETE(self) -> None:
        self._not_allowed()

    def _not_allowed(self) -> None:
        self._send(Reply(405, b"Method Not Allowed", {"Content-Type": "text/plain"}), "", 0.0)

    def _send(self, reply: Reply, fault: str, slow: float) -> None:
        body = reply.body[: len(reply.body) // 2] if fault == "truncated-json" else reply.body
        self.send_response(reply.status)
        headers = {"Access-Control-Allow-Origin": "*", **reply.headers}
        if self.server.stand_in.manners.compress and "gzip" in self.headers.get("Accept-Encoding", "") and not fault:
            body = igzip.compress(body, compresslevel=0)
            headers["Content-Encoding"] = "gzip"
        length = _ENDLESS if fault == "endless-body" else len(body)
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        self._write(body, fault, slow)

    def _write(self, body: bytes, fault: str, slow: float) -> None:
        half = len(body) // 2
        if fault == "cut-body":
            self.wfile.write(body[:half])
            self.close_connection = True
        elif fault == "slow-body":
            self.wfile.write(body[:half])
            self.wfile.flush()
            time.sleep(slow)
            self.wfile.write(body[half:])
        elif fault == "endless-body":
            for _ in range(_ENDLESS >> 20):
                self.wfile.write(b" " * (1 << 20))
        else:
            self.wfile.write(body)
