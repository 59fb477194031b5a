"""What a question counts of a corpus: its works with the reasons why some are left out, and what belongs to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from copub.corpus.funnel import Funnel
from copub.corpus.population import DECIDING, affiliations_under, authorships_under, population
from copub.measures.copublications import OF_COPUB
from copub.parallel import Table, own_rows
from copub.technology.taught import DOI_OF_ARXIV

if TYPE_CHECKING:
    from copub.corpus import Corpus
    from copub.study import Study

UPDATED = pl.col("updated_date").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
"""Of the last update only the day is read."""
WORKS = (
    "work_id", "publication_year", "publication_date", "type", "publisher", "n_authors", "n_countries",
    "is_truncated", "is_retracted", "abstract_status", "duplicate_of", "epoch", "is_xpac", "is_paratext", UPDATED,
    DOI_OF_ARXIV,
)  # fmt: skip
TEXTS = ("work_id", "doi", "title", "language", "source_name", "duplicate_of")
AWARDS = ("work_id", "field", "funder_id", "funder_name", "award_number", "award_key")
SIDED = ("work_id", "countries", "countries_repaired")
AUTHORSHIPS = ("work_id", "author_seq", "countries", "countries_repaired")
SEATS = (*AUTHORSHIPS, "author_name", "author_position", "is_corresponding")
AFFILIATIONS = (
    "work_id", "author_seq", "affiliation_seq", "institution_id", "institution_name", "country_code", "lineage",
    "country_code_repaired", "is_false_institution",
)  # fmt: skip
HITS = (
    "work_id", "author_seq", "affiliation_seq", "watchlist", "entity_id", "risk_level", "is_medical",
    "entity_country", "tier", "field", "via_entity", "not_counted_because", "is_counted",
)  # fmt: skip
ASSIGNMENTS = ("work_id", pl.col("taxonomy", "area").cast(pl.Categorical), "score", "assigned")
SWITCHED_HITS = (
    "work_id", "watchlist", "risk_level", "is_medical", "entity_country", "tier", "via_entity", "not_counted_because",
)  # fmt: skip
"""What the switches read of a hit."""
_OF_LISTS = pl.Schema(
    dict.fromkeys(("watchlist", "risk_level", "entity_country", "tier", "via_entity"), pl.Categorical())
)
BASIS = ("work_id", "classified_from", "classifiable")
_STRING = pl.col("raw_affiliation_string")
_EQUAL_STRINGS = pl.when(_STRING.is_not_null()).then(_STRING.hash()).alias("raw_affiliation_string")
"""Of a printed string, only whether it is there and which are equal is counted."""


@dataclass(frozen=True, slots=True)
class View:
    """The works of both sides and what belongs to them, as a study sees them.

    population : table ``population``. works : with ``excluded_because``. texts : what is only shown of them.
    authorships : with their sides, and their countries as recorded and as repaired. seats : the same authors as
    recorded, with name, position and whether they are corresponding. awards : table ``awards``.
    affiliations : as the study's rule for repairs has them. assignments, basis : what classify made.
    hits : with the reasons why some do not count. hits_instead : the same under the other rule for repairs; None
    where that is not looked at. funnel : from the records to the works that count.
    """

    population: pl.DataFrame
    works: Table
    texts: Table
    authorships: Table
    seats: Table
    awards: Table
    affiliations: Table
    assignments: pl.DataFrame
    basis: Table
    hits: pl.DataFrame
    hits_instead: pl.DataFrame | None
    funnel: Funnel


def view_of(study: Study, corpus: Corpus, hits: pl.DataFrame, hits_instead: pl.DataFrame | None = None) -> View:
    """Return what a study sees of a corpus.

    Parameters
    ----------
    hits, hits_instead : hits under the study's rule for repairs, and under the other one.
    """
    stated = corpus.read("works", *DECIDING)
    counted = population(study, stated, corpus.parted("authorships", SIDED)).cast({"excluded_because": OF_COPUB})
    is_all = counted.height == stated.height

    def own(frame: pl.DataFrame) -> pl.DataFrame:
        return (
            frame if is_all else frame.join(own_rows(counted, frame), on="work_id", how="semi", maintain_order="left")
        )

    return View(
        population=counted,
        works=corpus.parted(
            "works",
            WORKS,
            lambda part: part.join(own_rows(counted, part), on="work_id", how="inner", maintain_order="left"),
        ),
        texts=corpus.parted("works", TEXTS, own),
        authorships=corpus.parted("authorships", AUTHORSHIPS, lambda part: _sided(own(part), study)),
        seats=corpus.parted("authorships", SEATS, own),
        awards=corpus.parted("awards", AWARDS, own),
        affiliations=corpus.parted(
            "affiliations",
            (*AFFILIATIONS, _EQUAL_STRINGS),
            lambda part: affiliations_under(own(part), repairs=study.apply_repairs),
            needed=("work_id", "country_code_repaired", "is_false_institution"),
        ),
        assignments=own(corpus.read("assignments", *ASSIGNMENTS)),
        basis=corpus.parted("basis", BASIS, own),
        hits=own(hits.select(HITS)),
        hits_instead=None if hits_instead is None else own(hits_instead.select(SWITCHED_HITS)).cast(_OF_LISTS),
        funnel=corpus.funnel.to(counted, own(stated)),
    )


def _sided(authorships: pl.DataFrame, study: Study) -> pl.DataFrame:
    both = authorships.select(countries_recorded="countries", countries_repaired="countries_repaired")
    return authorships_under(authorships, study).hstack(both)
