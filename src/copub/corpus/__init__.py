"""Records become the tables of a corpus, whatever their schema era, before any study asks."""

from copub.corpus.dataset import TABULATED, Corpus
from copub.corpus.entry import Entry
from copub.corpus.tabulate import makers_of_tables, tabulate

__all__ = ["TABULATED", "Corpus", "Entry", "makers_of_tables", "tabulate"]
