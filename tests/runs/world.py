"""A small world in which one thing can be changed at a time, and runs made of it.

A work is critical if a term of the rules is in its title or its topic is critical; it is
listed if an institution of side B is on the watchlist. `Made` turns a world, seen with certain
instruments under a certain study, into a finished run folder: the tables that the stages would
make, with the real stage measure at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from copub.corpus import Corpus
from copub.measures.copublications import copublications, flagged_works, listed_works, with_texts
from copub.measures.inputs import Inputs
from copub.measures.measure import numbers
from copub.measures.view import view_of
from copub.runs import Run, RunWriter
from copub.runs.folder import FORMAT
from copub.schema import TABLES, conform
from copub.study import Side, Study

AREA = "AREA-1"
LEVELS = ("very high", "high", "low")
FALSE, RECODED, MEDICAL = "taken away", "recoded to FR", "I45"
BE, CN, FR = "BE", "CN", "FR"

STUDY = Study(
    id="world",
    title="A synthetic world",
    question="",
    synthetic=True,
    side_a=Side("Belgium", (BE,)),
    side_b=Side("China", (CN,)),
    year_from=2015,
    year_to=2026,
    exclude_types=("editorial",),
    include_retracted=True,
    include_expansion_corpus=False,
    author_cap=0,
    taxonomy="tax",
    other_taxonomies=(),
    operating_point="balanced",
    thresholds={},
    watchlists=("list",),
    other_watchlists=(),
    levels=("very high", "high"),
    top_level="very high",
    tiers=("identifier", "lineage", "name"),
    include_medical=True,
    include_descendants=True,
    listed_at_publication_only=False,
    apply_repairs=False,
    counting="fractional-authors",
    confidence=0.95,
    base_year=0,
    small_cell=5,
    small_rate=25,
    events=(),
    bounds={},
    raw="",
)


@dataclass(frozen=True)
class Author:
    """An author with one institution: its id and its country."""

    institution: str
    country: str


@dataclass(frozen=True)
class Work:
    """A work of the world."""

    id: str
    title: str = "a plain title"
    day: date = date(2020, 5, 1)
    type: str = "article"
    topic: str = "T1"
    authors: tuple[Author, ...] = (Author("I1", BE), Author("I21", CN))
    retracted: bool = False


@dataclass(frozen=True)
class Seen:
    """The instruments with which a world is seen.

    rules : terms that make critical. topics : topics that do. listed : institution -> level.
    corrections : institution -> what a repair makes of its affiliations.
    """

    rules: tuple[str, ...] = ("laser",)
    critical_topics: tuple[str, ...] = ("T9",)
    listed: Mapping[str, str] = field(default_factory=lambda: {"I22": "very high", "I23": "high", "I24": "low"})
    edition: str = "1"
    version: str = "1.0"
    epoch: str = "affiliations 2026-09-28, topics 2026-10"
    retrieved: str = "2026-01-01T00:00:00+00:00"
    created: str = "2026-01-01T01:00:00+00:00"
    threshold: float = 0.5
    flipped: frozenset[str] = frozenset()  # works that this copub judges the other way round
    decided: tuple[str, ...] = ()  # institutions whose hits people rejected
    confirmed: tuple[str, ...] = ()  # institutions whose strings people took for a listed entity
    named: tuple[str, ...] = ()  # listed institutions that the tables of words and places do not find
    corrections: Mapping[str, str] = field(default_factory=lambda: {"I29": FALSE, "I28": RECODED})
    tombstones: tuple[Mapping[str, str], ...] = ()


EARLIER = Seen()
LATER = replace(EARLIER, retrieved="2026-06-01T00:00:00+00:00", created="2026-06-01T01:00:00+00:00")


def make_run(
    folder: Path, works: Iterable[Work], seen: Seen = EARLIER, study: Study = STUDY, *, whole: bool = False
) -> Run:
    """Write the run of a study over the works of a world, seen with these instruments.

    Without `whole`, only the tables that a comparison reads: it is many times faster.
    """
    rows = _rows(works, seen, study)
    frames = {table: _frame(table, part) for table, part in rows.items()}
    basis = frames["works"].select(
        "work_id", pl.lit("title").alias("classified_from"), pl.lit(True).alias("classifiable")
    )
    corpus = Corpus({**frames, "basis": basis})
    given, view = Inputs(study, LEVELS, (AREA,)), view_of(study, corpus, frames["hits"])
    if whole:
        measured = numbers(given, view)
    else:
        measured = {
            "population": conform("population", view.population),
            "copublications": copublications(flagged_works(given, view)),
        }
    measured["copublications"] = pl.concat(
        with_texts(measured["copublications"], view.texts, listed_works(view.hits, study, LEVELS))
    )
    writer = RunWriter(folder, study.id, "run")
    for table, frame in {**frames, **measured}.items():
        writer.table(table, frame)
    return writer.finish(_manifest(writer, seen, study, frames["works"]["epoch"].unique().to_list()))


def _frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = TABLES[table].schema
    filled = [{column: row.get(column) for column in schema} for row in rows]
    return conform(table, pl.DataFrame(filled, schema=schema))


def _rows(works: Iterable[Work], seen: Seen, study: Study) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in ("works", "topics", "authorships", "affiliations", "repairs", "awards", "assignments", "hits")
    }
    for work in works:
        countries = {author.country for author in work.authors}
        if not (countries & set(study.side_a.countries) and countries & set(study.side_b.countries)):
            continue
        row = {
            "work_id": work.id,
            "title": work.title,
            "publication_year": work.day.year,
            "publication_date": work.day,
            "type": work.type,
            "language": "en",
            "abstract_status": "none",
            "n_authors": len(work.authors),
            "n_countries": len(countries),
            "is_truncated": False,
            "is_retracted": work.retracted,
            "is_paratext": False,
            "is_xpac": False,
            "epoch": seen.epoch,
            "funders": [],
            "found_by": [],
        }
        rows["works"].append(row)
        rows["topics"].append({"work_id": work.id, "rank": 0, "topic_id": work.topic, "score": 0.9})
        _add_text(rows, work, seen)
        for seq, author in enumerate(work.authors):
            _add_author(rows, work, seq, author, seen, study)
    return rows


def _repaired(author: Author, seen: Seen) -> Author:
    """Return an author as the repairs leave them."""
    correction = seen.corrections.get(author.institution)
    return {None: author, FALSE: Author("", ""), RECODED: replace(author, country=FR)}[correction]


def _add_text(rows: dict[str, list[dict[str, Any]]], work: Work, seen: Seen) -> None:
    found = any(rule in work.title for rule in seen.rules) or work.topic in seen.critical_topics
    score = 0.9 if found != (work.id in seen.flipped) else 0.55 if "faint" in work.title else 0.0
    if score:
        rows["assignments"].append(
            {
                "work_id": work.id,
                "taxonomy": "tax",
                "area": AREA,
                "score": score,
                "threshold": seen.threshold,
                "assigned": score >= seen.threshold,
                "topic_id": work.topic if work.topic in seen.critical_topics else None,
            }
        )


def _add_author(
    rows: dict[str, list[dict[str, Any]]], work: Work, seq: int, author: Author, seen: Seen, study: Study
) -> None:
    key = {"work_id": work.id, "author_seq": seq}
    correction = seen.corrections.get(author.institution)
    if correction:
        rows["repairs"].append(
            {
                **key,
                "affiliation_seq": 0,
                "kind": correction,
                "before": author.country,
            }
        )
    repaired = _repaired(author, seen)
    rows["authorships"].append(
        {
            **key,
            "author_name": f"Author {seq}",
            "countries": [author.country],
            "countries_repaired": [repaired.country] if repaired.country else [],
        }
    )
    rows["affiliations"].append(
        {
            **key,
            "affiliation_seq": 0,
            "institution_id": author.institution,
            "institution_name": f"Institute {author.institution}",
            "country_code": author.country,
            "country_code_repaired": repaired.country or None,
            "is_false_institution": not repaired.institution,
            "lineage": [author.institution],
            "raw_affiliation_string": f"Institute {author.institution}",
            "link": "given",
        }
    )
    author = repaired if study.apply_repairs else author
    level = seen.listed.get(author.institution) or ("very high" if author.institution in seen.confirmed else None)
    if level and author.institution not in seen.named:
        # institutions from I40 on are found by their name
        tier = "name" if int(author.institution[1:]) >= 40 else "identifier"
        medical = author.institution == MEDICAL
        against = {
            "tier": tier not in study.tiers,
            "medical": medical and not study.include_medical,
            "country": author.country not in study.side_b.countries,
            "reviewer": author.institution in seen.decided,
        }
        reasons = [reason for reason, holds in against.items() if holds]
        rows["hits"].append(
            {
                **key,
                "affiliation_seq": 0,
                "watchlist": study.watchlists[0],
                "edition": seen.edition,
                "entity_id": author.institution,
                "entity_name": author.institution,
                "risk_level": level,
                "is_medical": medical,
                "entity_country": author.country,
                "tier": tier,
                "not_counted_because": reasons or None,
                "is_counted": not reasons,
                "value": author.institution,
            }
        )


def _manifest(writer: RunWriter, seen: Seen, study: Study, epochs: list[str]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "run_id": writer.target.name,
        "created": seen.created,
        "copub_version": seen.version,
        "study": asdict(study) | {"hash": study.hash},
        "source": {"kind": "api", "last_retrieval": seen.retrieved, "changes": {"tombstones": list(seen.tombstones)}},
        "epochs": epochs,
        "decisions": [
            {
                "value": value,
                "entity_id": value,
                "decision": decision,
                "reviewer": "R",
                "date": "2026-01-01",
                "reason": "read",
            }
            for decision, values in (("no", seen.decided), ("yes", seen.confirmed))
            for value in values
        ],
        "registry": [
            {"id": "patches", "hash": f"{sorted(seen.corrections.items())}"},
            {"id": "words", "hash": f"{seen.named}"},
        ],
        "code": {"screen": seen.version},
        "taxonomies": [{"id": study.taxonomy, "date": "2026", "hash": "+".join(seen.rules)}],
        "watchlists": [{"id": study.watchlists[0], "edition": seen.edition, "hash": f"{sorted(seen.listed.items())}"}],
        "tables": writer.written,
    }


def plain_world(count: int = 40) -> dict[str, Work]:
    """Return works of every sort: critical or not, listed at each level or not, with a third country or not."""
    world = {}
    for number in range(count):
        other = (Author("I1", BE), Author("I2", BE), Author("I3", BE))[number % 3]
        partner = ("I21", "I22", "I23", "I24")[number % 4]
        more = (Author("I31", FR),) if number % 5 == 0 else ()
        title = "a laser" if number % 2 else "a plain title"
        day = date(2016 + number % 8, 1 + number % 12, 2)
        work = Work(f"W{number + 1}", title, day, authors=(other, Author(partner, CN), *more))
        world[work.id] = work
    return world
