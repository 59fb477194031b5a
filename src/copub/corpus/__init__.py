"""Records become the tables of a corpus, whatever their schema era, before any study asks."""

from copub.corpus.dataset import TABULATED, Corpus
from copub.corpus.entry import Entry
from copub.corpus.tabulate import tabulate, tabulate_in_turn

__all__ = ["TABULATED", "Corpus", "Entry", "tabulate", "tabulate_in_turn"]
