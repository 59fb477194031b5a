"""Serving the synthetic corpus for a run, and what was planted in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import orjson
import polars as pl

from copub.demo.corpus import build_corpus, planted_truth
from copub.demo.plan import SEED, plan_corpus
from copub.demo.server import serve


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running server: its address, and the hash of the corpus that it serves."""

    base_url: str
    corpus_hash: str


@contextmanager
def embedded_openalex() -> Iterator[Embedded]:
    """Serve the synthetic corpus on the loopback interface while the block runs."""
    works = build_corpus()
    digest = hashlib.sha256()
    for work in works:
        digest.update(orjson.dumps(work))
    with serve(works) as base_url:
        yield Embedded(base_url, digest.hexdigest())


def planted_shares() -> dict[str, float]:
    """Return the true shares of the study `demo`: of its works, those planted with a property."""
    truth = planted_truth({"id": plan.work_id} for plan in plan_corpus(SEED)).filter("in_population")
    measures = ("critical", "listed", "critical_listed", "top_level")
    return truth.select(pl.col(f"is_{measure}").mean().alias(measure) for measure in measures).row(0, named=True)
