"""Names that users type, known before anything large is loaded: stages, operating points, kinds of export."""

from __future__ import annotations

STAGES = ("harvest", "tabulate", "classify", "screen", "measure", "report")
"""Stages of a run, in order."""

OPERATING_POINTS = ("precision", "balanced", "recall")
"""Operating points of the classifier."""

EXPORTS = (
    "csv", "markdown", "bibtex", "ris", "vosviewer", "gexf", "openalex-curations", "datapackage", "ro-crate",
)  # fmt: skip
"""Kinds of `copub export` that are made unless others are asked for, in this order."""

PUBLIC = "public"
"""The kind of export that may be deposited: it is made only where it is asked for."""

MEASURES = (
    "critical", "listed", "critical_listed", "top_level", "critical_listed_lower", "critical_listed_unrated",
    "listed_lower", "listed_unrated", "top_level_given_critical_listed", "listed_given_critical",
    "critical_given_listed", "listed_authors", "critical_listed_authors",
)  # fmt: skip
"""The shares of table ``shares``, in its order."""

PARTNERS_COMPARED = 10
"""Partners of side A that an atlas compares a pair with where none are named: those with the most works."""

READING_STRATA = ("is_critical", "is_listed", "is_near")
"""What divides the works that are drawn for reading into strata."""

SEED = "copub"
"""Seed of every draw for reading, unless another is given."""
