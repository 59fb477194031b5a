"""Screening: dated watchlists, and finding their institutions in affiliations, with evidence."""

from copub.lists.watchlist import Watchlist, load_watchlist
from copub.screening.hits import Parts, screen
from copub.screening.strings import screen_strings

__all__ = ["Parts", "Watchlist", "load_watchlist", "screen", "screen_strings"]
