"""Serving the synthetic corpus for a run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from copub.demo.corpus import build_corpus
from copub.demo.server import serve


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running server: its address, and the hash of the corpus that it serves."""

    base_url: str
    corpus_hash: str


@contextmanager
def embedded_openalex() -> Iterator[Embedded]:
    """Serve the synthetic corpus on the loopback interface while the block runs."""
    works, corpus_hash = _corpus()
    with serve(works) as base_url:
        yield Embedded(base_url, corpus_hash)


@cache  # every run of a process asks the same corpus
def _corpus() -> tuple[list[dict[str, Any]], str]:
    works = build_corpus()
    digest = hashlib.sha256()
    for work in works:
        digest.update(orjson.dumps(work))
    return works, digest.hexdigest()
