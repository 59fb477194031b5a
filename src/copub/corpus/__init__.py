"""From records to tidy tables: works, topics, authorships, affiliations, coverage."""

from copub.corpus.tabulate import COUNTED, TABULATED, Tables, tabulate, tabulate_in_turn

__all__ = ["COUNTED", "TABULATED", "Tables", "tabulate", "tabulate_in_turn"]
