"""Screening: dated watchlists, and finding their institutions in affiliations, with evidence."""

from copub.lists.watchlist import Watchlist, load_watchlist
from copub.screening.hits import FOUND, found_in, found_parts, screen
from copub.screening.strings import screen_strings

__all__ = ["FOUND", "Watchlist", "found_in", "found_parts", "load_watchlist", "screen", "screen_strings"]
