"""OpenAlex as tests need it: the demo's server with budgets, keys, habits of several years, and faults on demand."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import standin_replies as refusals
from standin_faults import REPLACED, Faults
from standin_oql import answer_oql

from copub.demo import server
from copub.demo.server import Handler, path_and_parameters
from copub.demo.server_replies import PRICES, Reply, json_reply, usd

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


class Server(server.Server):
    """The server; a context manager that runs it.

    Parameters
    ----------
    works : complete Work objects.
    manners : see `Manners`. faults : see `Faults`.
    edits : number of a request -> change made to the works before it is answered (index drift).
    """

    def __init__(
        self,
        works: Sequence[dict[str, Any]],
        *,
        manners: Manners | None = None,
        faults: Faults | None = None,
        edits: Mapping[int, Edit] | None = None,
    ) -> None:
        super().__init__(works)
        self.manners = manners or Manners()
        self.faults = faults or Faults()
        self.edits = dict(edits or {})
        self.reset_budget()

    def reset_budget(self) -> None:
        """Give everybody a new day's budget."""
        self.remaining = {"": self.manners.anonymous, **self.manners.keys}

    def __enter__(self) -> Server:
        super().__enter__()
        return self

    def handle(self, handler: Handler) -> None:
        """Answer as OpenAlex does, or break off where there is to be a fault."""
        reply, fault = self.answer("GET", handler.path, dict(handler.headers.items()))
        if fault == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.close_connection = True
            return
        if not fault and self.manners.compress:
            handler.send(*handler.prepared(reply))
            return
        body = reply.body[: len(reply.body) // 2] if fault == "truncated-json" else reply.body
        headers = {"Access-Control-Allow-Origin": "*", **reply.headers}
        half = len(body) // 2
        if fault == "cut-body":
            handler.send(reply.status, body[:half], {**headers, "Content-Length": str(len(body))})
            handler.close_connection = True
        elif fault == "slow-body":
            handler.send(reply.status, body[:half], {**headers, "Content-Length": str(len(body))})
            handler.wfile.flush()
            time.sleep(self.faults.slow)
            handler.wfile.write(body[half:])
        elif fault == "endless-body":
            handler.send(reply.status, b"", {**headers, "Content-Length": str(_ENDLESS)})
            for _ in range(_ENDLESS >> 20):
                handler.wfile.write(b" " * (1 << 20))
        else:
            handler.send(reply.status, body, headers)

    def handle_post(self, handler: Handler) -> None:
        """Answer a query that is sent to the root as JSON as if its parts were the parameters of a GET."""
        if path_and_parameters(handler.path)[0]:
            super().handle_post(handler)
            return
        sent = orjson.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        reply, _ = self.answer("POST", f"{handler.path}?{urlencode(sent)}", dict(handler.headers.items()))
        handler.send(reply.status, reply.body, reply.headers)

    def routed(self, path: str, params: Mapping[str, str], **page: Any) -> Reply:
        """Return the reply to a path; the root answers queries in OpenAlex's query language."""
        if path == "" and "oql" in params:
            return answer_oql(self.library, params, **page)
        return super().routed(path, params, **page)

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
            return json_reply(400, {"error": "Request URL too long", "message": message})
        path, params = path_and_parameters(target)
        key = _key(params, headers)
        if key is not None and key not in self.manners.keys:
            return refusals.wrong_key()
        if path == "rate-limit":
            return self._rate_limit(key)
        refused = refusals.check_parameters(params)
        if refused:
            return refused
        cost = _cost(path, params)
        holder = key or ""
        if self.remaining[holder] < cost:
            return self._spent(holder, cost)
        self.remaining[holder] -= cost
        page = {"per_page_most": self.manners.per_page_most, "ending": self.manners.cursor_ending, "short": short}
        reply = self.routed(path, params, **page)
        if reply.charged:
            reply.headers |= refusals.budget_headers(
                self.manners.headers, self._limit(holder), self.remaining[holder], cost, refusals.seconds_to_midnight()
            )
        if reply.status == 400:
            reply.status = self.manners.error_status
        return reply

    def _limit(self, holder: str) -> int:
        return self.manners.keys[holder] if holder else self.manners.anonymous

    def _spent(self, holder: str, cost: int) -> Reply:
        wait = refusals.seconds_to_midnight()
        message = f"Insufficient budget. This request costs ${usd(cost):g}. Resets at midnight UTC."
        return refusals.too_many(message, wait, cost, self._limit(holder), self.remaining[holder], wait)

    def _rate_limit(self, key: str | None) -> Reply:
        if key is None:
            return refusals.key_wanted()
        return refusals.rate_limit(key, self._limit(key), self.remaining[key], datetime.now(UTC))


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
        return PRICES["singleton"]
    searches = any(name == "search" or name.startswith("search.") for name in params)
    if searches or any(".search" in clause for clause in params.get("filter", "").split(",")):
        return PRICES["search"]
    return PRICES["list"]
