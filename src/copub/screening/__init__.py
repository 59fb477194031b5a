"""Screening: dated watchlists, and finding their institutions in affiliations, with evidence."""

from copub.screening.hits import Parts, screen
from copub.screening.strings import screen_strings
from copub.screening.watchlist import Watchlist, load_watchlist

__all__ = ["Parts", "Watchlist", "load_watchlist", "screen", "screen_strings"]
