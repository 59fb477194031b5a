"""The demo: a synthetic corpus with known true values, and a server that speaks like OpenAlex."""

from copub.demo.corpus import build_corpus, true_shares, true_values
from copub.demo.embedded import Embedded, embedded_openalex
from copub.demo.server import serve

__all__ = ["Embedded", "build_corpus", "embedded_openalex", "serve", "true_shares", "true_values"]
