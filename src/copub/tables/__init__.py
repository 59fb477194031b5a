"""From records to tidy tables: works, topics, authorships, affiliations, coverage."""

from copub.tables.tabulate import TABULATED, Tables, tabulate

__all__ = ["TABULATED", "Tables", "tabulate"]
