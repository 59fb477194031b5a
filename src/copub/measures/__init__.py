"""From tables to numbers: shares with intervals, trends, partners, coverage, sensitivity."""

from copub.measures.measure import measure

__all__ = ["measure"]
