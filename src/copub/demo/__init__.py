"""The embedded default: an OpenAlex-compatible server over a synthetic corpus with a planted truth."""

from copub.demo.embedded import Embedded, embedded_openalex, planted_shares

__all__ = ["Embedded", "embedded_openalex", "planted_shares"]
