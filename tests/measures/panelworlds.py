"""A synthetic panel: the works of the demo with their Belgian authors spread over the European Union."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import polars as pl

from copub.corpus import Corpus, Entry, tabulate
from copub.countrygroups import GROUPS
from copub.demo.corpus import build_corpus
from copub.screening import found_in
from copub.sources.rawrecord import Record
from copub.study import PanelPair, Side, Study, load_study
from copub.study.question import Question, resolve
from copub.technology import classify

MEMBERS = GROUPS["EU27"].codes
OF_CORPUS = ("assignments", "basis")


def panel_study(members: Iterable[str] = MEMBERS, **changes: Any) -> Study:
    """Return the study of the demo as a panel of these countries with China."""
    codes = tuple(members)
    demo = load_study("demo")
    side = Side("European Union", codes)
    pairs = tuple(PanelPair(Side(code, (code,)), demo.side_b) for code in sorted(codes))
    return replace(demo, id="eu-demo", side_a=side, pairs=pairs, reference=pairs[0].key, **changes)


def spread(records: Iterable[dict[str, Any]], seed: int = 1) -> Iterator[dict[str, Any]]:
    """Yield works whose Belgian authors are of one or several members: a few large ones and many small ones."""
    rng = Random(seed)
    weights = [1 / (place + 1) for place in range(len(MEMBERS))]
    for work in records:
        own = rng.choices(MEMBERS, weights, k=rng.choice([1, 1, 1, 2, 3]))
        yield {**work, "authorships": [_moved(author, own, rng) for author in work.get("authorships") or []]}


def _moved(author: dict[str, Any], own: list[str], rng: Random) -> dict[str, Any]:
    code = rng.choice(own)

    def to(country: str | None) -> str | None:
        return code if country == "BE" else country

    countries = author.get("countries")
    return {
        **author,
        "countries": countries and [to(country) for country in countries],
        "institutions": [
            {**one, "country_code": to(one.get("country_code"))} for one in author.get("institutions") or []
        ],
    }


def joined(works: Iterable[dict[str, Any]], seed: int = 1) -> Iterator[Record]:
    """Yield real works as records, their first author of a member too, some others as well, and the last of China."""
    rng = Random(seed)
    for number, work in enumerate(works):
        authors = [dict(author) for author in work.get("authorships") or [{}]]
        for place, author in enumerate(authors):
            added = [*([rng.choice(MEMBERS[:6])] if place == 0 or rng.random() < 0.1 else [])]
            added += ["CN"] if place == len(authors) - 1 else []
            author["countries"] = sorted({*(author.get("countries") or []), *added})
        value = {**work, "id": f"https://openalex.org/W{7_000_000_000 + number}", "authorships": authors}
        yield Record(value, "real", ("works-file",))


@cache
def records(number: int | None = None) -> tuple[Record, ...]:
    """Return the records of the panel: all, or about so many; each third names funders without their ids."""
    made = [work if place % 3 else without_funder_ids(work) for place, work in enumerate(spread(build_corpus()))]
    step = 1 if number is None else max(1, len(made) // number)
    return tuple(Record(work, "synthetic", ("works-file",)) for work in made[::step])


def without_funder_ids(work: dict[str, Any]) -> dict[str, Any]:
    """Return a work whose funders have names alone."""
    awards = [award | {"funder_id": None} for award in work["awards"]]
    return work | {"awards": awards, "funders": [funder | {"id": None} for funder in work["funders"]]}


def corpus_of(study: Study, asked: Question, given: Iterable[Record], classified: Corpus | None = None) -> Corpus:
    """Return the corpus that the entry of a study lets in, classified and screened.

    Parameters
    ----------
    classified : a larger corpus, of which these works have been classified.
    """
    corpus = tabulate(given, Entry.of(study))
    if classified is None:
        made = classify(corpus["works"], corpus["topics"], asked.taxonomies)
        corpus = corpus.having(assignments=made.assignments, basis=made.basis)
    else:
        own = corpus["works"].select("work_id")
        corpus = corpus.having(**{name: classified[name].join(own, on="work_id", how="semi") for name in OF_CORPUS})
    return corpus.having(found=found_in(corpus, asked.watchlists))


def asked_of(study: Study) -> Question:
    """Return the question of a study."""
    return resolve(study)


def row_of(frame: pl.DataFrame, **where: str) -> dict[str, Any]:
    """Return the one row of a table with these values."""
    (row,) = frame.filter(**where).iter_rows(named=True)
    return row
