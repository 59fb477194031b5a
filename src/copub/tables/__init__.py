"""From records to tidy tables: works, topics, authorships, affiliations, coverage."""

from copub.tables.tabulate import Tables, tabulate

__all__ = ["Tables", "tabulate"]
