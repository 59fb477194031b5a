"""From records to tidy tables: works, topics, authorships, affiliations, coverage."""

from copub.tables.tabulate import TABULATED, Tables, only_counted, tabulate, tabulate_in_turn

__all__ = ["TABULATED", "Tables", "only_counted", "tabulate", "tabulate_in_turn"]
