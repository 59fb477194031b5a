"""The demo: a synthetic corpus with a planted truth, and a server that speaks like OpenAlex."""

from copub.demo.corpus import build_corpus, planted_shares, planted_truth
from copub.demo.embedded import Embedded, embedded_openalex
from copub.demo.server import serve

__all__ = ["Embedded", "build_corpus", "embedded_openalex", "planted_shares", "planted_truth", "serve"]
