"""A snapshot in a bucket is read like one in a folder."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from copub.atlas import build, rules_of
from copub.errors import InputError, SourceUnavailableError
from copub.sources.snapshot import extract, parse_pairs

BE_CN = parse_pairs(["BE:CN"])


class Bucket(BaseHTTPRequestHandler):
    """As much of S3 as reading needs, over the files of a folder: list, head, get with ranges."""

    protocol_version = "HTTP/1.1"
    folder: Path
    authorized: list[str]
    gets: list[str]

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.gets.append(self.path)
        self.answer()

    def answer(self) -> None:
        if "Authorization" in self.headers:
            self.authorized.append(self.path)
        address = urlsplit(self.path)
        _, _, key = unquote(address.path).lstrip("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if not key:
            self.send(200, self.listing(query.get("prefix", ""), query.get("delimiter", "")))
        elif (path := self.folder / key).is_file():
            data = path.read_bytes()
            wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            self.send(206, data[int(wanted[1]) : int(wanted[2]) + 1]) if wanted else self.send(200, data)
        else:
            self.send(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def listing(self, prefix: str, delimiter: str) -> bytes:
        keys = [path.relative_to(self.folder).as_posix() for path in sorted(self.folder.rglob("*")) if path.is_file()]
        keys = [key for key in keys if key.startswith(prefix)]
        deeper = {
            prefix + key[len(prefix) :].split("/")[0] + "/" for key in keys if delimiter and "/" in key[len(prefix) :]
        }
        objects = [key for key in keys if not delimiter or "/" not in key[len(prefix) :]]
        time = "<LastModified>2026-09-23T00:00:00.000Z</LastModified>"
        inner = "".join(
            f"<Contents><Key>{key}</Key>{time}<Size>{(self.folder / key).stat().st_size}</Size></Contents>"
            for key in objects
        ) + "".join(f"<CommonPrefixes><Prefix>{one}</Prefix></CommonPrefixes>" for one in sorted(deeper))
        head = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>'
        return f"{head}<KeyCount>{len(objects) + len(deeper)}</KeyCount>{inner}</ListBucketResult>".encode()

    def send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Wed, 23 Sep 2026 00:00:00 GMT")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Bucket]]:
    """A server on the loopback interface that serves a folder as any bucket."""
    handler = type("Handler", (Bucket,), {"folder": tmp_path / "bucket", "authorized": [], "gets": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for key in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield handler
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("layout", ["jsonl", "parquet"])
def test_a_bucket_gives_the_same_bytes_as_a_folder_and_is_read_without_an_account(
    layout: str, builder: Any, bucket: type[Bucket]
) -> None:
    root = builder.snapshot(layout, [builder.works(40), builder.works(40, 100)], deleted=["W2"])
    here, there = builder.folder / "here.jsonl.gz", builder.folder / "there.jsonl.gz"
    extract(str(root), here, BE_CN)
    root.rename(bucket.folder)
    summary = extract("s3://openalex", there, BE_CN)
    assert summary.complete
    assert summary.outputs[0][2] > 5
    assert there.read_bytes() == here.read_bytes()
    assert not bucket.authorized


def test_an_atlas_is_built_from_a_bucket_as_from_a_folder(builder: Any, bucket: type[Bucket], tmp_path: Path) -> None:
    root = builder.snapshot("jsonl", [builder.works(40), builder.works(40, 100)], deleted=["W2"])
    build(root, tmp_path / "here", rules_of(), workers=1).check()
    root.rename(bucket.folder)
    build("s3://openalex", tmp_path / "there", rules_of(), workers=1).check()
    here, there = (sorted((tmp_path / name / "cells").iterdir()) for name in ("here", "there"))
    assert here and [path.read_bytes() for path in here] == [path.read_bytes() for path in there]


def test_an_account_in_the_environment_is_used(
    builder: Any, bucket: type[Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    builder.snapshot("jsonl", [builder.works(4)]).rename(bucket.folder)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "invented")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    extract("s3://openalex/data", builder.folder / "out.jsonl", BE_CN)
    assert bucket.authorized


def test_a_file_in_a_bucket_is_fetched_in_large_pieces(builder: Any, bucket: type[Bucket]) -> None:
    root = builder.snapshot("jsonl", [builder.works(3000)])
    assert next(root.rglob("*.gz")).stat().st_size > 50_000
    root.rename(bucket.folder)
    extract("s3://openalex", builder.folder / "out.jsonl", BE_CN)
    assert sum("part_0000.gz" in path for path in bucket.gets) == 1


def test_a_bucket_without_works_is_wrong_input(bucket: type[Bucket], tmp_path: Path) -> None:
    (bucket.folder / "data").mkdir(parents=True)
    (bucket.folder / "data" / "readme.txt").write_text("nothing")
    with pytest.raises(InputError, match="no works of a snapshot"):
        extract("s3://openalex/data", tmp_path / "out.jsonl", BE_CN)


def test_storage_that_does_not_answer_can_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(SourceUnavailableError, match="does not answer"):
        extract("s3://openalex/data", tmp_path / "out.jsonl", BE_CN)
