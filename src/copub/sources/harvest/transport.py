"""Asking the source: one polite session with time-outs, size limit, retries and clear endings.

The key travels in the ``Authorization`` header alone, to the configured host alone.
"""

from __future__ import annotations

import http.client
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import requests
import urllib3
from requests.auth import AuthBase

from copub.errors import CopubError, InputError, SourceUnavailableError, brief
from copub.jsonshape import misfit
from copub.sources.harvest.budget import Budget, next_midnight
from copub.sources.harvest.verdict import LONGEST_WAIT, Meaning, Verdict, verdict_of

DEFAULT_URL = "https://api.openalex.org"
TIMEOUTS = (10.0, 60.0)  # seconds: to connect, between two pieces of a body
LONGEST_BODY = 180.0  # seconds for a whole answer, from the question to its last byte
SLOW_AFTER, SLOWEST = 20.0, 1_000.0  # after so many seconds an answer of fewer bytes a second is given up
LONGEST_QUESTION = 300.0  # seconds for one question with all its tries, pauses that the source asks for apart
LARGEST_BODY = 64 << 20  # bytes, unpacked
REQUESTS_PER_SECOND = 7.0
TRIES = 6
TRIES_UNTIL_REACHED = 3  # nothing ever answered: most likely there is no network
FIRST_WAIT = 0.5  # seconds; doubles with each try
MOST_REDIRECTS = 3
_PIECE = 1 << 16
_Origin = tuple[str, str, int | None]
_Answer = tuple[int, Mapping[str, str], bytes]


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient the transport is; the defaults are for the real source.

    timeouts, longest_body, slow_after, longest_question, first_wait : seconds. per_second : requests, 0 for
    no pace. sleep : how to wait.
    """

    timeouts: tuple[float, float] = TIMEOUTS
    longest_body: float = LONGEST_BODY
    slow_after: float = SLOW_AFTER
    longest_question: float = LONGEST_QUESTION
    per_second: float = REQUESTS_PER_SECOND
    first_wait: float = FIRST_WAIT
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Reply:
    """A usable answer: `body` is the parsed JSON, None for a record that is not there (404).

    `content` is the body as it came; `requests` counts the tries, `credits` what they cost.
    """

    body: dict[str, Any] | None
    content: bytes
    requests: int
    credits: int
    budget: Budget


class _Bearer(AuthBase):
    """Puts the key into the header; without a key, keeps requests from looking for others."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def source_url(environ: Mapping[str, str] | None = None) -> str:
    """Return the base URL of the source: ``COPUB_OPENALEX_URL``, or OpenAlex."""
    environ = os.environ if environ is None else environ
    return environ.get("COPUB_OPENALEX_URL", "").strip().rstrip("/") or DEFAULT_URL


def source_key(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the key: ``OPENALEX_API_KEY`` or ``COPUB_API_KEY``, stripped; None if empty."""
    environ = os.environ if environ is None else environ
    for name in ("OPENALEX_API_KEY", "COPUB_API_KEY"):
        if key := environ.get(name, "").strip():
            return key
    return None


def is_loopback(base_url: str) -> bool:
    """Return whether the source runs on this machine, where there is no need to be slow."""
    return address_of(base_url)[1] in ("127.0.0.1", "localhost", "::1")


def _can_be_asked(address: str) -> bool:
    """Return whether an address has a host that can be looked up."""
    try:
        requests.models.PreparedRequest().prepare_url(address, None)
    except (requests.exceptions.RequestException, ValueError):
        return False
    return True


def address_of(base_url: str) -> _Origin:
    """Return scheme, host and port of the source. Raises `InputError` if it is no plain http(s) address."""
    parts, home = _split(base_url)
    is_web = home and home[0] in ("http", "https") and home[1] and _can_be_asked(base_url)
    if not home or not is_web or parts.username or parts.query or parts.fragment:
        raise InputError(
            "the address of the source is no plain http(s) address",
            where="COPUB_OPENALEX_URL",
            hint=f"write it like {DEFAULT_URL}",
        )
    return home


class Transport:
    """A session with one source.

    Parameters
    ----------
    base_url : where the source is, without a trailing slash.
    api_key : the key, or None.
    timing : patience; by default slow and polite, without a pace on the loopback interface.
    now : the clock.

    `requests` and `credits` count all that was sent and paid in this session; `retried` counts
    the answers that had to be asked for again; `seconds` is the time spent waiting for answers.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        timing: Timing | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._base = base_url.rstrip("/")
        self._home = address_of(base_url)
        self._key = _checked(api_key)
        pace = 0.0 if is_loopback(base_url) else REQUESTS_PER_SECOND
        self._timing = timing or Timing(per_second=pace)
        self._now = now
        self._session = self._new_session()
        self._next_at = 0.0
        self._reached = False
        self.requests = self.credits = self.retried = 0
        self.seconds = 0.0
        self.budget = Budget()

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.auth = _Bearer(self._key)
        # a proxy of the environment has no way to a server on this machine
        session.trust_env = not is_loopback(self._base)
        session.headers.update({"User-Agent": f"copub/{version('copub')}", "Accept": "application/json"})
        return session

    def get(self, path: str, query: str = "", *, shape: Any = None) -> Reply:
        """Ask for a path with a query string, again where that helps.

        `shape` says what a whole body holds (`copub.jsonshape`); a body that does not fit is broken.

        Raises
        ------
        InputError : wrong key, paid plan needed, redirect to another host, body over the limit.
        SourceUnavailableError : budget spent, the source cannot be reached, does not recover,
            or refuses the request as wrong.
        """
        url = f"{self._base}/{path}" + (f"?{query}" if query else "")
        first_request, first_credit = self.requests, self.credits
        spent_before = self.seconds
        for attempt in range(1, TRIES + 1):
            content, verdict = self._try(url, shape)
            if verdict.meaning in (Meaning.USE, Meaning.GONE):
                body = verdict.body if verdict.meaning is Meaning.USE else None
                spent = self.credits - first_credit
                return Reply(body, content, self.requests - first_request, spent, verdict.budget)
            if verdict.meaning is not Meaning.AGAIN:
                raise self._ending(verdict)
            if attempt == TRIES or (not self._reached and attempt == TRIES_UNTIL_REACHED):
                break
            if self.seconds - spent_before > self._timing.longest_question:
                break
            self.retried += 1
            backoff = self._timing.first_wait * 2 ** (attempt - 1)
            self._timing.sleep(min(max(verdict.wait or 0.0, backoff), LONGEST_WAIT))
        what = "does not answer properly" if self._reached else "cannot be reached"
        raise SourceUnavailableError(
            f"the source {what} ({attempt} {'try' if attempt == 1 else 'tries'};"
            f" last: {brief(self._scrub(verdict.reason))})",
            where=self._host,
            hint="what was harvested is kept: run the same command later, or work without the source"
            " (--works FILE, or --offline with a complete cache)",
        )

    @property
    def _host(self) -> str:
        return self._home[1] + (f":{self._home[2]}" if self._home[2] else "")

    def _try(self, url: str, shape: Any) -> tuple[bytes, Verdict]:
        self._wait_for_turn()
        self.requests += 1
        started = time.monotonic()
        try:
            status, headers, content = self._in_time(url)
        except requests.RequestException as error:
            return b"", Verdict(Meaning.AGAIN, reason=_kind(error))
        except ValueError:  # requests follows no redirect here, but reads where it leads
            return b"", Verdict(Meaning.ELSEWHERE)
        finally:
            self.seconds += time.monotonic() - started
        self._reached = True
        verdict = verdict_of(status, headers, content)
        wrong = misfit(verdict.body, shape) if verdict.meaning is Meaning.USE and shape else ""
        if wrong:
            verdict = replace(verdict, meaning=Meaning.AGAIN, reason=f"HTTP 200 with a broken body: {wrong}")
        self.credits += verdict.budget.used or 0
        if verdict.budget.limit is not None:
            self.budget = verdict.budget
        return content, verdict

    def _in_time(self, url: str) -> _Answer:
        """Fetch in a thread, for no time-out of a socket sees a source that sends a byte now and then.

        The thread that is left behind has its own session, and ends when its connection does.
        """
        answers: list[_Answer] = []
        errors: list[BaseException] = []
        session, done = self._session, threading.Event()

        def work() -> None:
            try:
                answers.append(self._fetch(session, url))
            except BaseException as error:  # noqa: BLE001  it is raised again, in the caller's thread
                errors.append(error)
            finally:
                done.set()

        threading.Thread(target=work, daemon=True).start()
        if not done.wait(self._timing.longest_body + self._timing.slow_after):
            self._session = self._new_session()
            raise requests.Timeout("the answer is too slow")
        for error in errors:
            raise error
        return answers[0]

    def _fetch(self, session: requests.Session, url: str) -> _Answer:
        started = time.monotonic()
        for _ in range(MOST_REDIRECTS + 1):
            with session.get(url, timeout=self._timing.timeouts, stream=True, allow_redirects=False) as response:
                location = response.headers.get("Location")
                if not (300 <= response.status_code < 400 and location):
                    return response.status_code, response.headers, self._body(response, started)
            url, origin = _joined(url, location)
            if origin != self._home:
                break
        return 302, {}, b""

    def _body(self, response: requests.Response, started: float) -> bytes:
        pieces, size = [], 0
        # what has come, not 64 kB: a source that sends a byte a second must not hold copub for days
        while piece := _read(response):
            size += len(piece)
            if size > LARGEST_BODY:
                raise InputError(
                    f"an answer of the source is larger than {LARGEST_BODY >> 20} MB",
                    where=self._host,
                    hint="this is no OpenAlex: check COPUB_OPENALEX_URL",
                )
            took = time.monotonic() - started
            if took > self._timing.longest_body or (took > self._timing.slow_after and size < SLOWEST * took):
                raise requests.Timeout("the body is too slow")
            pieces.append(piece)
        return b"".join(pieces)

    def _wait_for_turn(self) -> None:
        if not self._timing.per_second:
            return
        wait = self._next_at - time.monotonic()
        if wait > 0:
            self._timing.sleep(wait)
        self._next_at = max(time.monotonic(), self._next_at) + 1.0 / self._timing.per_second

    def _ending(self, verdict: Verdict) -> CopubError:
        if verdict.meaning is Meaning.SPENT:
            return self._spent(verdict)
        where = self._host
        if verdict.meaning is Meaning.KEY:
            return InputError(
                "the source does not know the key" if self._key else "the source asks for a key",
                where=where,
                hint="put a valid key into OPENALEX_API_KEY (free at openalex.org), or unset it to use none",
            )
        if verdict.meaning is Meaning.PAID:
            return InputError(
                "the source wants a paid plan for this request",
                where=where,
                hint="copub asks for nothing that needs one: check COPUB_OPENALEX_URL and the account of the key",
            )
        if verdict.meaning is Meaning.ELSEWHERE:
            return InputError(
                "the source sends on to an address that is not its own",
                where=where,
                hint="set COPUB_OPENALEX_URL to the right address",
            )
        stated = verdict.body.get("message", "") if isinstance(verdict.body, dict) else ""
        why = f"{verdict.reason}: {stated}" if stated else verdict.reason
        return SourceUnavailableError(
            brief(self._scrub(f"the source refuses the request ({why})")),
            where=where,
            hint="OpenAlex may have changed: the live contract test (make live) says where",
        )

    def _spent(self, verdict: Verdict) -> SourceUnavailableError:
        now = self._now()
        wait = verdict.wait if verdict.wait is not None else verdict.budget.resets_in
        back = now + timedelta(seconds=wait) if wait is not None else next_midnight(now)
        what = "the daily budget is spent" if verdict.budget.is_spent else "the source asks for a long pause"
        advice = "" if self._key else "; a free key from openalex.org gives ten times the budget"
        return SourceUnavailableError(
            f"{what}; it resumes after {back:%Y-%m-%d %H:%M} UTC",
            where=self._host,
            hint=f"what was harvested is kept: run the same command after that time{advice}",
            resume_at=back.replace(microsecond=0),
        )

    def _scrub(self, text: str) -> str:
        if not self._key:
            return text
        forms = {re.escape(self._key), re.escape(quote(self._key, safe=""))}  # as given, and as in an address
        return re.sub("|".join(sorted(forms)), "***", text, flags=re.IGNORECASE)


def _checked(key: str | None) -> str | None:
    key = (key or "").strip()
    if not all("!" <= character <= "~" for character in key):
        raise InputError(
            "the key holds a blank or a character that no key has",
            where="OPENALEX_API_KEY or COPUB_API_KEY",
            hint="copy it again from openalex.org, on one line",
        )
    return key or None


def _split(url: str) -> tuple[SplitResult, _Origin | None]:
    """Return the parts of an address, and scheme, host and port; None for these if it is no address."""
    try:
        parts = urlsplit(url)
        return parts, (parts.scheme, (parts.hostname or "").lower(), parts.port)
    except ValueError:
        return SplitResult("", "", "", "", ""), None


def _joined(url: str, location: str) -> tuple[str, _Origin | None]:
    """Return where an answer sends on to, and its origin; None for that if it is no address."""
    try:
        url = urljoin(url, location)
    except ValueError:
        return "", None
    return url, _split(url)[1]


def _read(response: requests.Response) -> bytes:
    """Return what came of a body, unpacked; nothing at its end. Faults are those of requests."""
    try:
        piece: bytes = response.raw.read1(_PIECE, decode_content=True)
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.Timeout(error) from None
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
        raise requests.ConnectionError(error) from None
    if not piece and response.raw.length_remaining:
        raise requests.ConnectionError("the body breaks off")
    return piece


def _kind(error: requests.RequestException) -> str:
    """Name the kind of failure; the text of the exception could hold a whole address."""
    if isinstance(error, requests.Timeout):
        return "time-out"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return type(error).__name__
