"""From records to evidence: per international work its countries, areas and listings, and no more.

The stages of a run make it, and the functions of a run decide what counts: the evidence of a pair is what
``copub run`` would find for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from copub.atlas.atlasrules import Rules
from copub.corpus import Corpus, Entry, tabulate
from copub.corpus.population import REPAIR, affiliations_under, left_out_because
from copub.errors import Fault, InputError
from copub.measures.copublications import critical_works, headline_hits, listed_credit, listed_works
from copub.screening import found_in
from copub.screening.counting import WHEN, CountingRule, with_reasons
from copub.sources.rawrecord import Portion, Record
from copub.technology import classify

WORKS = pl.Schema(
    {
        "number": pl.Int64(),
        "year": pl.Int32(),
        "doi": pl.String(),
        "title": pl.String(),
        "countries": pl.List(pl.String),
        "weights": pl.List(pl.Float64),
        "n_countries": pl.Int32(),
        "areas": pl.List(pl.String),
        "excluded_because": pl.String(),
    }
)
"""One row per work. number: of its id (123 for W123). countries: those of its authors, sorted, that its records
give and repairs leave. weights: what each country's authors are of all authors with a known country.
n_countries: all its countries, also those that only a repair gives. areas: of the taxonomy."""
LISTINGS = pl.Schema(
    {
        "number": pl.Int64(),
        "year": pl.Int32(),
        "list": pl.String(),
        "country": pl.String(),
        "category": pl.String(),
        "is_top_level": pl.Boolean(),
        "level": pl.String(),
        "listed_fraction": pl.Float64(),
        "entities": pl.List(pl.String),
    }
)
"""One row per work, list and country whose listed institutions it names. category: counted, lower level or unrated.
level: the strongest. listed_fraction: the listed authors' own part of the work."""
_PLACE = ("work_id", "author_seq", "affiliation_seq")
_COUNTRY = "entity_country"
_SYNTHETIC = "10.5555/copub.demo."


@dataclass(slots=True)
class ChunkEvidence:
    """Evidence of some records: tables, and what became of the records.

    faults : lines that are no works. counts : records that were shortened, converted, repeated; synthetic works.
    """

    works: pl.DataFrame
    listings: pl.DataFrame
    faults: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class _Lines:
    """Records as one portion, which keeps its faults instead of raising them."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self.faults: list[Fault] = []

    def portions(self) -> Iterator[Portion]:
        yield self

    def records(self, faults: list[Fault]) -> Iterator[Record]:
        del faults
        yield from self._records

    def in_file(self, path: Path) -> Portion:
        return self

    def complain(self, faults: Sequence[Fault]) -> None:
        self.faults += faults


def evidence_of(records: Sequence[Record], rules: Rules) -> ChunkEvidence:
    """Return the evidence of some records; of records with one id the last counts.

    Parameters
    ----------
    records : works as JSON text, in the order of the snapshot.
    """
    # tabulate keeps the first of the records with one id
    lines = _Lines(records[::-1])
    try:
        corpus = tabulate(lines, Entry())
    except InputError as error:  # no readable work is among them
        found = lines.faults or [Fault(records[0].where, f"no work: {error.what}", _HINT)]
        return ChunkEvidence(pl.DataFrame(schema=WORKS), pl.DataFrame(schema=LISTINGS), found)
    funnel = corpus.funnel
    faults = [*lines.faults, *(Fault(where, f"no work: {why}", _HINT) for where, why in funnel.unreadable)]
    works = _works(corpus, rules)
    counts = Counter(
        shortened=len(funnel.shortened),
        converted=len(funnel.converted),
        synthetic=int(works["doi"].str.starts_with(_SYNTHETIC).sum()),
    )
    counts["older copies"] = len(funnel.repeated)
    return ChunkEvidence(works, _listings(corpus, works, rules), sorted(faults), counts)


_HINT = "get the file again, or report it to OpenAlex"


def _number() -> pl.Expr:
    return pl.col("work_id").str.slice(1).cast(pl.Int64).alias("number")


def _works(corpus: Corpus, rules: Rules) -> pl.DataFrame:
    study = rules.study
    works = corpus["works"]
    decided = classify(
        works,
        corpus["topics"],
        [rules.taxonomy],
        operating_point=study.operating_point,
        thresholds=study.thresholds,
    )
    areas = critical_works(decided.assignments, rules.taxonomy.id).select("work_id", "areas")
    made = (
        works.drop("n_countries")
        .join(_countries(corpus["authorships"], repairs=study.apply_repairs), on="work_id", how="left")
        .join(areas, on="work_id", how="left")
        .with_columns(
            pl.col("countries").fill_null([]),
            pl.col("weights").fill_null([]),
            pl.col("areas").fill_null([]),
            pl.col("n_countries").fill_null(0),
        )
    )
    lone = pl.when(pl.col("countries").list.len() < 2).then(pl.lit(REPAIR))
    return (
        made.with_columns(
            _number(),
            year="publication_year",
            excluded_because=pl.coalesce(left_out_because(study), lone),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in WORKS.items())
        .sort("number")
    )


def _countries(authorships: pl.DataFrame, *, repairs: bool) -> pl.DataFrame:
    """Return per work its countries, their weights and the number of all its countries.

    The weight of a pair is that of `copub.measures.copublications.authors_by_side`: an author of several countries
    is split evenly between them, so the weights of two countries add up to that of the pair.
    """
    own = authorships.select(
        "work_id", country=pl.col("countries_repaired" if repairs else "countries").list.unique()
    ).filter(pl.col("country").list.len() > 0)
    authors = own.group_by("work_id").len("authors")
    each = (
        own.with_columns(part=1 / pl.col("country").list.len())
        .explode("country", keep_nulls=False, empty_as_null=False)
        .group_by("work_id", "country")
        # sorted, so that the sum does not depend on the order of authors in a part
        .agg(pl.col("part").sort().sum())
        .join(authors, on="work_id")
        .with_columns(weight=pl.col("part") / pl.col("authors"))
    )
    recorded = authorships.select("work_id", country="countries").explode(
        "country", keep_nulls=False, empty_as_null=False
    )
    kept = each.join(recorded.unique(), on=["work_id", "country"], how="semi").sort("work_id", "country")
    lists = kept.group_by("work_id").agg(countries="country", weights="weight")
    return each.group_by("work_id").len("n_countries").join(lists, on="work_id", how="left")


def _listings(corpus: Corpus, works: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    study = rules.study
    hits = _hits(corpus, rules)
    named = hits["work_id"].unique().implode()
    authorships = corpus["authorships"].filter(pl.col("work_id").is_in(named))
    authorships = authorships.with_columns(countries="countries_repaired" if study.apply_repairs else "countries")
    affiliations = affiliations_under(
        corpus["affiliations"].filter(pl.col("work_id").is_in(named)), repairs=study.apply_repairs
    )
    found = []
    for rule in rules.lists:
        asked = rule.of(study)
        places = headline_hits(hits, asked, rule.levels).filter("counts").select(*_PLACE, _COUNTRY).unique()
        credit = listed_credit(authorships, affiliations, places, by=[_COUNTRY])
        of_list = listed_works(hits, asked, rule.levels, by=[_COUNTRY])
        found.append(
            of_list.join(credit, on=["work_id", _COUNTRY], how="left").select(
                _number(),
                pl.lit(rule.id).alias("list"),
                pl.col(_COUNTRY).alias("country"),
                pl.col("listing_category").alias("category"),
                pl.col("is_level_top").alias("is_top_level"),
                pl.col("max_risk_level").alias("level"),
                pl.col("listed_fraction").fill_null(0.0),
                "entities",
            )
        )
    of_works = works.filter(pl.col("excluded_because").is_null()).select("number", "year", "countries")
    sides = of_works.explode("countries", keep_nulls=False, empty_as_null=False).rename({"countries": "country"})
    return (
        pl.concat(found)
        .join(sides, on=["number", "country"])
        .select(pl.col(name).cast(dtype) for name, dtype in LISTINGS.items())
        .sort("number", "list", "country")
    )


def _hits(corpus: Corpus, rules: Rules) -> pl.DataFrame:
    """Return the hits as `copub.screening.studyhits.hits_of` does, but of the institutions of every country."""
    study = rules.study
    found = found_in(corpus, rules.watchlists)
    if_repaired = pl.col("if_repaired")
    dates = corpus.read("works", *WHEN) if study.listed_at_publication_only else None
    rule = CountingRule(study.tiers, study.include_medical, study.include_descendants)
    return with_reasons(found.filter(if_repaired.is_null() | (if_repaired == study.apply_repairs)), rule, dates)
