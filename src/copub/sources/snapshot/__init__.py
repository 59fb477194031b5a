"""Cutting pairs of countries out of a full OpenAlex snapshot, on one machine or many."""

from copub.pairs import Pair, parse_pairs
from copub.sources.snapshot.extract import ExtractSummary, extract

__all__ = ["ExtractSummary", "Pair", "extract", "parse_pairs"]
