"""Whatever a source answers, the harvest ends with a documented code, and the cache stays fit for a healthy source."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from bibliography import bibliography
from scenarios import QUICK
from standin import Server

from copub.corpus import Entry, tabulate
from copub.errors import CopubError, SourceUnavailableError
from copub.sources.harvest import Query, harvest
from copub.sources.harvest.estimate import estimate
from copub.sources.harvest.transport import Transport
from copub.study import load_study

QUERY = Query(("BE",), ("CN",), 2000, 2025)
Answer = Callable[[str], tuple[int, dict[str, str], bytes]]


@contextmanager
def source(answer: Answer) -> Iterator[str]:
    """Serve what `answer` gives for a path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answer(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def page(**changed: Any) -> bytes:
    """Return an answer that has all that a page of works and a count per year need, with some keys changed."""
    body: dict[str, Any] = {"meta": {"count": 1, "next_cursor": None}, "results": [{"id": "https://openalex.org/W1"}]}
    body["group_by"] = [{"key": "2015", "count": 1}]
    meta = changed.pop("meta", {})
    return json.dumps({**body, **changed, "meta": body["meta"] | meta}).encode()


def ending(answer: Answer, cache: Path) -> CopubError:
    with source(answer) as url, pytest.raises(CopubError) as caught:
        harvest(QUERY, cache=cache, base_url=url, timing=QUICK)
    return caught.value


MALFORMED = {
    "next_cursor is an object": page(meta={"next_cursor": {"a": 1}}),
    "next_cursor is a list": page(meta={"next_cursor": ["a"]}),
    "next_cursor is a number": page(meta={"next_cursor": 7}),
    "next_cursor is true": page(meta={"next_cursor": True}),
    "next_cursor has a megabyte": page(meta={"next_cursor": "x" * 1_000_000}),
    "count is text": page(meta={"count": "many"}),
    "count is a list": page(meta={"count": [1]}),
    "count is negative": page(meta={"count": -5}),
    "count is missing": b'{"meta": {}, "results": [], "group_by": []}',
    "key of a group is text": page(group_by=[{"key": "abc", "count": 1}]),
    "key of a group is null": page(group_by=[{"key": None, "count": 1}]),
    "a group is a number": page(group_by=[7]),
    "results is an object": page(results={}),
    "meta is a list": b'{"meta": [], "results": [], "group_by": []}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_answer_ends_with_3_and_is_not_kept(what: str, tmp_path: Path) -> None:
    error = ending(lambda _: (200, {}, MALFORMED[what]), tmp_path)
    assert error.exit_code == 3
    if "group" not in what:  # there the pages themselves are well
        assert not list(tmp_path.glob("0001/*.zst"))
    with Server(bibliography(30)) as server:
        assert harvest(QUERY, cache=tmp_path, base_url=server.base_url, timing=QUICK).log["n_missing"] == 0


def test_a_malformed_answer_names_the_key(tmp_path: Path) -> None:
    error = ending(lambda _: (200, {}, MALFORMED["count is text"]), tmp_path)
    assert "meta.count" in str(error) and "a whole number expected, text found" in str(error)


def test_a_work_id_of_thousands_of_digits_is_no_id(tmp_path: Path) -> None:
    body = page(results=[{"id": "https://openalex.org/W" + "9" * 5_000}])
    with source(lambda _: (200, {}, body)) as url:
        got = harvest(QUERY, cache=tmp_path, base_url=url, timing=QUICK)
    assert [pick.startswith("?") for pick in got._gathered.found_by] == [True]


@pytest.mark.parametrize("levels", [300, 1010])
def test_a_record_nested_however_deeply_is_kept_and_named_and_the_others_of_its_page_are_read(
    levels: int, tmp_path: Path
) -> None:
    deep = f"{'[' * levels}{']' * levels}"
    works = [{"id": f"https://openalex.org/W{n}", "publication_year": 2015, "x": "deep"} for n in (1, 2)]
    authors = [{"countries": ["BE"]}, {"countries": ["CN"]}]
    whole = [{"id": "https://openalex.org/W3", "authorships": authors}, {"x": "deep"}]
    body = page(meta={"count": 4}, group_by=[{"key": "2015", "count": 4}], results=[*works, *whole])
    body = body.replace(b'"deep"', deep.encode())
    with source(lambda _: (200, {}, body)) as url:
        got = harvest(QUERY, cache=tmp_path, base_url=url, timing=QUICK)
        again = harvest(QUERY, cache=tmp_path, base_url=url, timing=QUICK, refresh=True)
    assert (got.log["works"], again.log["works"]) == (4, 4)
    study = load_study("belgium-china")
    corpus = tabulate(got.records(), Entry.of(study))
    assert corpus["works"]["work_id"].to_list() == ["W3"]
    named = [where.rpartition(" ")[2] for where, why in corpus.funnel.unreadable if "nested more than" in why]
    assert named == (["0", "1", "3"] if levels > 500 else [])


HEADERS = {
    "Retry-After": ("99999999999999", "1e308", "-1", "nan", "inf", "9" * 5_000),
    "X-RateLimit-Reset": ("999999999999999999", "1e308", "-5"),
    "X-RateLimit-Credits-Used": ("9e99", "-3", "x"),
    "X-RateLimit-Limit": ("1e400", "99999999999999999999999"),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in HEADERS.items() for value in values])
@pytest.mark.parametrize("status", [200, 429, 503])
def test_no_header_ends_in_an_internal_error(name: str, value: str, status: int, tmp_path: Path) -> None:
    headers = {name: value, "X-RateLimit-Remaining": "0"}
    if status == 200:
        with source(lambda _: (200, headers, page())) as url:
            assert harvest(QUERY, cache=tmp_path, base_url=url, timing=QUICK).log["works"] == 1
        return
    body = b'{"error": "Too many", "creditsRequired": 1e300, "creditsRemaining": 0}'
    assert ending(lambda _: (status, headers, body), tmp_path).exit_code in (2, 3)


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:99999/works", "http://[::1/", "//", "http://", "\x00", "http://127.0.0.1:x/"]
)
def test_a_redirect_to_no_address_is_wrong_input(location: str, tmp_path: Path) -> None:
    assert ending(lambda _: (302, {"Location": location}, b""), tmp_path).exit_code in (2, 3)


@pytest.mark.parametrize(
    "url", ["http://localhost:99999", "http://[::1", "ftp://x", "http://", "http://a b", "x" * 9_999]
)
def test_an_address_that_is_none_is_wrong_input(url: str, tmp_path: Path) -> None:
    for offline in (False, True):
        with pytest.raises(CopubError) as caught:
            harvest(QUERY, cache=tmp_path / "cache", base_url=url, timing=QUICK, offline=offline)
        assert caught.value.exit_code in (2, 3)


@pytest.mark.parametrize("new", [True, False], ids=["new works each time", "the same works each time"])
def test_an_endless_cursor_ends_with_3_and_its_pages_are_not_read_again(new: bool, tmp_path: Path) -> None:
    asked = iter(range(1, 1_000_000))

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        number = next(asked)
        first = number * 3 if new else 0
        works = [{"id": f"https://openalex.org/W{first + one}", "publication_year": 2015} for one in range(1, 4)]
        return 200, {}, page(meta={"count": 3_000, "next_cursor": f"c{number}"}, results=works)

    error = ending(answer, tmp_path)
    assert (error.exit_code, "without end" in str(error)) == (3, True)
    assert next(asked) < 200
    works = bibliography(30)
    with Server(works) as server:
        assert harvest(QUERY, cache=tmp_path, base_url=server.base_url, timing=QUICK).log["n_missing"] == 0


@pytest.mark.parametrize("part", ["body", "headers", "packed body"])
def test_a_source_that_sends_a_byte_now_and_then_ends_with_3(part: str) -> None:
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                if part == "headers":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                else:
                    self.send_response(200)
                    if part == "packed body":
                        self.send_header("Content-Encoding", "gzip")
                    self.end_headers()
                while not stop.wait(0.05):
                    self.wfile.write(b"\x1f" if part == "packed body" else b" ")
                    self.wfile.flush()
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    quick = replace(QUICK, slow_after=0.2, longest_body=0.4, longest_question=1.0)
    try:
        with pytest.raises(SourceUnavailableError):
            Transport(f"http://127.0.0.1:{server.server_address[1]}", timing=quick).get("works")
    finally:
        stop.set()
        server.shutdown()
        server.server_close()


def test_an_estimate_of_a_count_that_is_none_is_refused() -> None:
    for count in ("many", [1], -5, None):
        body = page(meta={"count": count})
        with source(lambda _, body=body: (200, {}, body)) as url, pytest.raises(SourceUnavailableError):
            estimate(QUERY, base_url=url, timing=QUICK)


def test_no_part_of_the_key_is_printed_wherever_the_source_echoes_it(tmp_path: Path) -> None:
    key = "k3y-" + "abcdefgh" * 3
    for before in range(200, 320, 7):
        body = json.dumps({"error": "Bad", "message": "x" * before + key + "y" * 200}).encode()
        with source(lambda _, body=body: (400, {}, body)) as url, pytest.raises(CopubError) as caught:
            harvest(QUERY, cache=tmp_path, base_url=url, api_key=key, timing=QUICK)
        assert not any(key[start : start + 6] in str(caught.value) for start in range(len(key) - 6))
