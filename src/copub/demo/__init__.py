"""The demo: a synthetic corpus with a planted truth, and a server that speaks like OpenAlex."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from copub.demo.corpus import build_corpus, planted_shares, planted_truth
from copub.demo.server import serve

__all__ = ["build_corpus", "embedded_openalex", "planted_shares", "planted_truth", "serve"]


@contextmanager
def embedded_openalex() -> Iterator[str]:
    """Serve the synthetic corpus on the loopback interface and give the base URL."""
    with serve(build_corpus()) as base_url:
        yield base_url
