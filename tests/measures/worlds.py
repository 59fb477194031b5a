"""Random small worlds: the frames that measures read, made up without any real record.

A world is a list of plain works (dicts); `frames` turns it into what the stages before hand over.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import polars as pl
from hypothesis import Phase, settings
from hypothesis import strategies as st

from copub.corpus import Corpus
from copub.corpus.funnel import Funnel
from copub.measures.copublications import flagged_works, listed_works, with_texts
from copub.measures.inputs import Inputs
from copub.measures.measure import numbers
from copub.measures.view import View, view_of
from copub.schema import TABLES, conform
from copub.study import Event, Side, Study

LEVELS = ("very high", "high", "medium", "low", "unrated")
AREAS = ("area-1", "area-2", "area-3")
LIST, OTHER = "list-one", "list-two"
ENTITIES = {  # entity: (list, level, medical, country)
    "entity-1": (LIST, "very high", False, "CN"),
    "entity-2": (LIST, "high", True, "CN"),
    "entity-3": (LIST, "medium", False, "CN"),
    "entity-4": (LIST, "unrated", False, "CN"),
    "entity-5": (LIST, "high", False, "HK"),
    "entity-6": (LIST, "very high", False, "RU"),
    "entity-7": (OTHER, "listed", False, "CN"),
}
YEARS = (2015, 2020)

LIMITS = settings(phases=(Phase.explicit, Phase.reuse, Phase.generate))  # a smaller seed is no smaller world

STUDY = Study(
    id="world", title="A synthetic world", question="", synthetic=True,
    side_a=Side("Belgium", ("BE",)), side_b=Side("China", ("CN", "HK")), year_from=YEARS[0], year_to=YEARS[1],
    exclude_types=("editorial",), include_retracted=True, include_expansion_corpus=False, author_cap=0,
    taxonomy="tax-one", other_taxonomies=("tax-two",), operating_point="balanced", thresholds={},
    watchlists=(LIST,), other_watchlists=(OTHER,), levels=("very high", "high"), top_level="very high",
    tiers=("identifier", "lineage", "name"), include_medical=True, include_descendants=True,
    listed_at_publication_only=False, apply_repairs=False,
    counting="full", confidence=0.95, base_year=0, small_cell=5, small_rate=25,
    events=(Event("2018-01", "a rule"),), bounds={}, raw="",
)  # fmt: skip


def study(**changes: Any) -> Study:
    """Return the synthetic study with some settings changed."""
    return replace(STUDY, **changes)


@dataclass(frozen=True)
class Frames:
    """What measure reads: a corpus that is classified, and hits with the reasons why some do not count."""

    corpus: Corpus
    hits: pl.DataFrame

    def view(self, asked: Study = STUDY, hits: pl.DataFrame | None = None, instead: pl.DataFrame | None = None) -> View:
        """Return what a study sees of it, perhaps with other hits."""
        return view_of(asked, self.corpus, self.hits if hits is None else hits, instead)

    def flagged(self, asked: Study = STUDY, hits: pl.DataFrame | None = None) -> pl.DataFrame:
        """Return its works with their flags, counted or not."""
        return flagged_works(inputs(asked), self.view(asked, hits))

    def numbers(self, asked: Study = STUDY, hits: pl.DataFrame | None = None, **facts: Any) -> dict[str, pl.DataFrame]:
        """Return all tables, measured without any input beside the corpus."""
        view = self.view(asked, hits)
        made = numbers(inputs(asked), view, **facts)
        listed = listed_works(view.hits, asked, LEVELS)
        return made | {"copublications": pl.concat(with_texts(made["copublications"], view.texts, listed))}


def inputs(asked: Study = STUDY) -> Inputs:
    """Return the inputs of a study to which lists and people add nothing."""
    return Inputs(asked, LEVELS, AREAS)


def frame(name: str, rows: list[Mapping[str, Any]]) -> pl.DataFrame:
    """Return rows as the table `name`; columns that a row lacks are null."""
    schema = TABLES[name].schema
    filled = [{column: row.get(column) for column in schema} for row in rows]
    return conform(name, pl.DataFrame(filled, schema=schema))


def frames(world: list[dict[str, Any]]) -> Frames:
    """Turn plain works into the frames of the stages before."""
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("works", "authorships", "affiliations", "awards", "hits", "assignments")
    }
    for work in world:
        rows["works"].append({**work, "n_authors": len(work["authors"])})
        for seq, author in enumerate(work["authors"]):
            key = {"work_id": work["work_id"], "author_seq": seq}
            countries = sorted({a["country"] for a in author["affiliations"] if a["country"]} | set(author["parsed"]))
            rows["authorships"].append(
                {
                    **key,
                    "countries": countries,
                    "countries_repaired": countries,
                    "author_name": author["name"],
                    "author_position": author["position"],
                    "is_corresponding": author["corresponding"],
                }
            )
            for number, affiliation in enumerate(author["affiliations"]):
                _add_affiliation(rows, {**key, "affiliation_seq": number}, affiliation)
        for seq, (field, funder_id, name, number) in enumerate(work["awards"]):
            given = {"field": field, "funder_id": funder_id, "funder_name": name, "award_key": number}
            rows["awards"].append({"work_id": work["work_id"], "award_seq": seq, **given})
        for taxonomy, area, score in work["assignments"]:
            rows["assignments"].append(
                {
                    "work_id": work["work_id"],
                    "taxonomy": taxonomy,
                    "area": area,
                    "score": score,
                    "threshold": 0.5,
                    "assigned": score >= 0.5,
                }
            )
    basis = pl.DataFrame(
        [
            {
                "work_id": w["work_id"],
                "classified_from": "title and abstract" if w["abstract_status"] == "full" else "title",
                "classifiable": w["classifiable"],
            }
            for w in world
        ],
        schema={"work_id": pl.String, "classified_from": pl.String, "classifiable": pl.Boolean},
    )
    made = {name: frame(name, part) for name, part in rows.items()}
    hits = made.pop("hits")
    return Frames(Corpus({**made, "topics": frame("topics", []), "basis": basis}, Funnel(read=len(world))), hits)


def _add_affiliation(rows: dict[str, list[dict[str, Any]]], key: dict[str, Any], affiliation: dict[str, Any]) -> None:
    name = affiliation["name"]
    rows["affiliations"].append(
        {**key, "institution_id": affiliation["id"], "institution_name": name, "country_code": affiliation["country"],
         "lineage": affiliation["lineage"], "raw_affiliation_string": affiliation["raw"], "link": "given",
         "country_code_repaired": affiliation["country"], "is_false_institution": False}
    )  # fmt: skip
    for hit in affiliation["hits"]:
        entity, tier, field, child, counted = hit
        watchlist, level, medical, country = ENTITIES[entity]
        rows["hits"].append(
            {**key, "watchlist": watchlist, "edition": "1", "entity_id": entity, "entity_name": entity,
             "risk_level": level, "is_medical": medical, "entity_country": country, "tier": tier, "field": field,
             "via_entity": "child" if child else None, **_counting(tier, country, rejected=not counted)}
        )  # fmt: skip


def _counting(tier: str, country: str, *, rejected: bool) -> dict[str, Any]:
    """Return whether a hit counts under the settings of `STUDY`, and why it does not."""
    against = {"tier": tier == "review", "country": country not in STUDY.side_b.countries, "reviewer": rejected}
    reasons = [reason for reason, holds in against.items() if holds]
    return {"not_counted_because": reasons or None, "is_counted": not reasons}


def _affiliation(rng: Random, country: str) -> dict[str, Any]:
    """Make up an affiliation in a country: resolved or not, with or without a raw string and hits."""
    number = rng.randint(1, 4)
    resolved = rng.random() < 0.6
    institution = f"I{ord(country[0])}{number}"
    entities = rng.sample(sorted(ENTITIES), rng.choice([0, 0, 1, 2])) if country in ("CN", "HK") else []
    tiers, fields = ["identifier", "lineage", "name", "review"], ["institution_id", "raw_affiliation_string"]
    return {
        "id": institution if resolved else None,
        "name": f"Institute {country} {number}" if resolved or rng.random() < 0.5 else None,
        "country": country if resolved or rng.random() < 0.5 else None,
        "lineage": [institution, f"I{ord(country[0])}9"][: rng.randint(1, 2)] if resolved else [],
        "raw": rng.choice([None, f"Institute {number}, {country}"]),
        "hits": [
            (entity, rng.choice(tiers), rng.choice(fields), rng.random() < 0.3, rng.random() < 0.8)
            for entity in entities
        ],
    }


def _author(rng: Random, must: str | None = None) -> dict[str, Any]:
    """Make up an author; `must` is a country the author certainly has."""
    countries = rng.choices(["BE", "CN", "HK", "FR"], k=rng.randint(0, 2))
    parsed = [must] if must else rng.choices(["BE", "CN", "US"], k=rng.randint(0, 1))
    return {"affiliations": [_affiliation(rng, c) for c in countries], "parsed": parsed}


def _people(rng: Random) -> list[dict[str, Any]]:
    if rng.random() < 0.2:  # one author on both sides, perhaps alone
        return [{"affiliations": [], "parsed": ["BE", "CN"]}, *(_author(rng) for _ in range(rng.randint(0, 2)))]
    many = rng.choice([0, 1, 2, 3, 40, 120]) if rng.random() < 0.1 else rng.randint(0, 3)
    return [_author(rng, "BE"), _author(rng, "CN"), *(_author(rng) for _ in range(many))]


def _work(rng: Random, number: int) -> dict[str, Any]:
    year = rng.randint(YEARS[0] - 1, YEARS[1])
    kind = rng.choice(["article", "article", "preprint", "editorial", None])
    apart = Random(f"{number} {year} {kind}")  # draws of its own: those of the world stay as they were
    places = [(taxonomy, area) for taxonomy in ("tax-one", "tax-two") for area in AREAS]
    work = {
        "work_id": f"W{number}",
        "title": f"Work {number}",
        "publication_year": year,
        "publication_date": date(year, rng.choice([1, 6, 12]), 1),
        "type": kind,
        "publisher": rng.choice([None, "House A", "House B"]),
        "funders": rng.sample(["Fund X", "Fund Y"], rng.randint(0, 2)),
        "n_countries": 2,
        "is_truncated": rng.random() < 0.2,
        "is_retracted": rng.choice([None, False, True]),
        "is_paratext": False,
        "is_xpac": False,
        "abstract_status": rng.choice(["full", "short", "none"]),
        "classifiable": rng.random() < 0.8,
        "duplicate_of": f"W{rng.randint(1, number - 1)}" if number > 1 and rng.random() < 0.2 else None,
        "epoch": rng.choice(["before", "after"]),
        "excluded_because": "year" if year < YEARS[0] else "type" if kind == "editorial" else None,
        "authors": _people(rng),
        "assignments": [(*place, rng.choice([0.1, 0.4, 0.5, 0.9])) for place in rng.sample(places, rng.randint(0, 4))],
    }
    _give_roles(work["authors"], apart)
    return {**work, "awards": _awards(apart)}


FUNDERS = (
    ("F1", "Fund X"), ("F1", "The Fund X"), ("F2", "Fund Y"), (None, "Fund Y"), (None, "Fund Z"), ("F3", None),
    ("F3", "Fund X"), (None, "Fund X"),
)  # fmt: skip


def _awards(rng: Random) -> list[tuple[str, str | None, str | None, str | None]]:
    """Make up what the record names: nothing known, nothing, or funders with and without awards."""
    field = rng.choice(["awards", "awards", "grants", "funders"])
    named = rng.sample(FUNDERS, rng.choice([0, 0, 1, 2]))
    numbers = [None] if field == "funders" else [None, "1", "2", "3"]
    rows = [(field, *funder, rng.choice(numbers)) for funder in named]
    return rows or [(field, None, None, None)] * (field != "funders")


def _give_roles(authors: list[dict[str, Any]], rng: Random) -> None:
    """Add names, positions and corresponding authors to the authors of a work, as records have or lack them."""
    last, is_ordered, is_marked = len(authors) - 1, rng.random() < 0.8, rng.random() < 0.8
    for seq, author in enumerate(authors):
        position = "first" if seq == 0 else "last" if seq == last else "middle"
        author["position"] = position if is_ordered else None
        author["corresponding"] = rng.random() < 0.3 if is_marked else None
        author["name"] = rng.choice(["Jan Adams", "Bakker, Ann", "P. Claes", "Li Dong", *([None] * (seq == 1))])


def random_world(seed: int, size: int | None = None) -> list[dict[str, Any]]:
    """Return the world of a seed: from none to 40 works, or `size` of them."""
    rng = Random(seed)
    drawn = rng.choice([0, 1, 2, 5, 20, 40])
    return [_work(rng, number) for number in range(1, (drawn if size is None else size) + 1)]


@cache
def made_world(seed: int, size: int | None = None) -> tuple[list[dict[str, Any]], Frames]:
    """Return the world of a seed with its frames."""
    world = random_world(seed, size)
    return world, frames(world)


@cache
def measured(seed: int, size: int | None = None) -> dict[str, pl.DataFrame]:
    """Return all tables of the world of a seed, measured without any input beside the frames."""
    return made_world(seed, size)[1].numbers()


seeds = st.integers(0, settings.default.max_examples // 2 - 1)
"""Few worlds, each measured once: the tests of all tables share them."""


def benchmark(name: str) -> ModuleType:
    """Return a script of ``benchmarks`` as a module."""
    path = Path(__file__).resolve().parents[2] / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
