from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from bibliography import bibliography
from standin import Manners, Server
from standin_faults import KINDS, Faults

from copub.errors import CopubError, InputError, SourceUnavailableError
from copub.sources.harvest import transport as module
from copub.sources.harvest.answershapes import Single
from copub.sources.harvest.transport import Timing, Transport, source_key, source_url

NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
WORKS = bibliography(30)


class Slept(list[float]):
    """Keeps the waits instead of waiting."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def _transport(url: str, key: str | None = None, slept: Slept | None = None, **timing: object) -> Transport:
    patience = Timing(timeouts=(10.0, 10.0), per_second=0, sleep=slept if slept is not None else Slept())
    for name, value in timing.items():
        object.__setattr__(patience, name, value)
    return Transport(url, key, timing=patience, now=lambda: NOW)


def _ask(faults: Faults, slept: Slept | None = None, **timing: object) -> Transport:
    with Server(WORKS, faults=faults) as server:
        transport = _transport(server.base_url, slept=slept, **timing)
        assert transport.get("works").body is not None
    return transport


TRANSIENT = ("500-html", "502-html", "503-html", "503-retry-after", "504-json", "200-html", "429-second", "429-key",
             "reset", "truncated-json", "cut-body")  # fmt: skip


@pytest.mark.parametrize("kind", TRANSIENT)
def test_a_passing_fault_is_asked_again(kind: str) -> None:
    transport = _ask(Faults(at={1: kind, 2: kind}))
    assert (transport.requests, transport.retried) == (3, 2)


def test_a_body_that_stalls_is_asked_again() -> None:
    assert _ask(Faults(at={1: "slow-body"}, slow=1.5), timeouts=(10.0, 0.5)).requests == 2


def test_a_body_that_drips_for_too_long_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PIECE", 64)
    assert _ask(Faults(at={1: "slow-body"}, slow=0.6), longest_body=0.5).requests == 2


def test_waits_double_and_follow_retry_after() -> None:
    slept = Slept()
    _ask(Faults(at={1: "500-html", 2: "500-html", 3: "503-retry-after"}), slept)
    assert slept == [0.5, 1.0, 2.0]
    slept.clear()
    _ask(Faults(at={1: "429-second"}), slept)
    assert slept == [1.0]


def test_no_more_than_seven_requests_a_second_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += seconds

    with Server(WORKS) as server:
        transport = Transport(server.base_url, timing=Timing(sleep=sleep))
        for _ in range(8):
            transport.get("works", "per-page=1")
    assert clock[0] - 100.0 == pytest.approx(1.0)
    assert module.REQUESTS_PER_SECOND < 8


def test_a_source_that_does_not_recover_stops_the_harvest_resumably() -> None:
    with Server(WORKS, faults=Faults(rate=1.0)) as server, pytest.raises(SourceUnavailableError) as caught:
        _transport(server.base_url).get("works")
    assert len(server.requests) == module.TRIES
    assert caught.value.exit_code == 3
    assert "--works" in caught.value.hint


def test_without_a_network_the_harvest_stops_soon_and_says_what_to_do() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    slept = Slept()
    with pytest.raises(SourceUnavailableError, match="cannot be reached") as caught:
        _transport(url, slept=slept).get("works")
    assert sum(slept) < 5
    assert "--offline" in str(caught.value)


@pytest.mark.parametrize("key", ["", "  ", None])
def test_an_empty_key_is_not_sent(key: str | None) -> None:
    with Server(WORKS) as server:
        assert _transport(server.base_url, key).get("works").body


def test_a_key_goes_in_the_header_and_its_line_end_does_not() -> None:
    with Server(WORKS, manners=Manners(keys={"planted": 5}, anonymous=0)) as server:
        transport = _transport(server.base_url, "planted\n")
        transport.get("works", "per-page=1")
    assert transport.budget.remaining == 4
    assert not any("planted" in request for request in server.requests)


def test_a_wrong_key_is_the_users_to_mend_and_is_not_repeated() -> None:
    with Server(WORKS, manners=Manners(keys={"right": 5})) as server, pytest.raises(InputError) as caught:
        _transport(server.base_url, "planted-and-wrong").get("works")
    assert len(server.requests) == 1
    assert "OPENALEX_API_KEY" in str(caught.value)
    assert "planted" not in str(caught.value)


def test_a_key_of_two_words_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(InputError, match="key") as caught:
        Transport("http://127.0.0.1:9", "planted key")
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("form", ["s3cr/et+KEY==", "s3cr%2Fet%2BKEY%3D%3D", "s3cr%2fet%2bkey%3d%3d"])
def test_a_key_is_masked_in_every_form_an_address_may_have(form: str) -> None:
    assert Transport("http://127.0.0.1:9", "s3cr/et+KEY==")._scrub(f"refused: key={form}") == "refused: key=***"


def test_a_key_in_the_words_of_the_source_is_not_repeated() -> None:
    with Server(WORKS, manners=Manners(keys={"planted": 5})) as server, pytest.raises(CopubError) as caught:
        _transport(server.base_url, "planted").get("works", "filter=planted:1")
    assert "planted" not in str(caught.value) and "***" in str(caught.value)


def test_a_refused_request_is_not_repeated_and_shows_what_the_source_said() -> None:
    with Server(WORKS) as server, pytest.raises(CopubError, match="nosuchfield") as caught:
        _transport(server.base_url).get("works", "filter=nosuchfield:1")
    assert len(server.requests) == 1
    assert caught.value.exit_code == 3
    assert len(str(caught.value)) < 600


def test_a_paid_plan_is_named_and_never_asked_for_again() -> None:
    with Server(WORKS) as server, pytest.raises(InputError, match="paid plan"):
        _transport(server.base_url).get("works", "filter=from_updated_date:2026-01-01")
    assert len(server.requests) == 1


def test_a_spent_budget_stops_at_once_and_says_when_it_comes_back() -> None:
    with Server(WORKS, faults=Faults(at={1: "429-budget"})) as server, pytest.raises(SourceUnavailableError) as caught:
        _transport(server.base_url).get("works")
    assert len(server.requests) == 1
    assert caught.value.resume_at == datetime(2026, 11, 22, 4, 22, 22, tzinfo=UTC)
    assert "2026-11-22 04:22 UTC" in str(caught.value)
    assert "free key" in str(caught.value)


def test_a_record_that_is_not_there_is_no_error() -> None:
    with Server(WORKS) as server:
        assert _transport(server.base_url).get("works/W999").body is None


def test_an_answer_without_what_is_needed_is_asked_again() -> None:
    with Server(WORKS) as server, pytest.raises(SourceUnavailableError, match="broken body"):
        _transport(server.base_url).get("works", shape=Single)


def test_a_redirect_leaves_no_other_host() -> None:
    with Server(WORKS, faults=Faults(at={1: "redirect"})) as server, pytest.raises(InputError, match="not its own"):
        _transport(server.base_url, None).get("works")
    assert len(server.requests) == 1


@contextmanager
def _redirecting(target: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"at": "%s"}' % self.path.encode()
            self.send_response(302 if self.path == "/works" else 200)
            self.send_header("Location", target)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_redirect_on_the_same_host_is_followed() -> None:
    with _redirecting("/elsewhere") as url:
        assert _transport(url).get("works").body == {"at": "/elsewhere"}


def test_redirects_in_a_circle_come_to_an_end() -> None:
    with _redirecting("/works") as url, pytest.raises(InputError):
        _transport(url).get("works")


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_BODY", 1 << 20)
    with Server(WORKS, faults=Faults(at={1: "endless-body"})) as server, pytest.raises(InputError, match="larger"):
        _transport(server.base_url).get("works")


@pytest.mark.parametrize("url", ["", "api.openalex.org", "ftp://x.org", "http://user:pass@x.org", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="address"):
        Transport(url)


def test_the_address_and_the_key_come_from_the_environment() -> None:
    assert source_url({}) == "https://api.openalex.org"
    assert source_url({"COPUB_OPENALEX_URL": " http://127.0.0.1:8/ "}) == "http://127.0.0.1:8"
    assert source_key({}) is None
    assert source_key({"OPENALEX_API_KEY": "  ", "COPUB_API_KEY": "k\n"}) == "k"
    assert source_key({"OPENALEX_API_KEY": "a", "COPUB_API_KEY": "b"}) == "a"


def test_faults_that_do_not_exist_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="unknown"):
        Faults(kinds=("nonsense",))
    assert len(set(KINDS)) == len(KINDS)
