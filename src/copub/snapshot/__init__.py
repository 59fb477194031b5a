"""Cutting pairs of countries out of a full OpenAlex snapshot, on one machine or many."""

from copub.snapshot.extract import ExtractSummary, extract
from copub.snapshot.pair import Pair, parse_pairs

__all__ = ["ExtractSummary", "Pair", "extract", "parse_pairs"]
