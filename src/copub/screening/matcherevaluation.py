"""How well the matcher finds listed entities in labelled strings, beside simpler methods.

Everything is counted per string and entity: a true positive is an entity that a string names and
the method reports. Only entities of the countries that occur in the labels are scored: labels of
Chinese institutions say nothing about a Russian one that is in the same string. The fuzzy
scorers are given their best threshold on the very strings they are measured with, which favours them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from copub.errors import Fault, FileError
from copub.intervals import wilson
from copub.lists.csvfile import read_rows
from copub.lists.entity import Entity
from copub.lists.watchlist import Watchlist
from copub.screening.index import build_index
from copub.screening.strings import screen_strings

UNSCORED = ("chinese-academy-of-sciences",)
"""Umbrellas whose hundreds of institutes were not all labelled."""

SCORERS: Mapping[str, Any] = {
    "rapidfuzz ratio": fuzz.ratio,
    "rapidfuzz partial_ratio": fuzz.partial_ratio,
    "rapidfuzz token_set_ratio": fuzz.token_set_ratio,
    "rapidfuzz token_sort_ratio": fuzz.token_sort_ratio,
    "rapidfuzz WRatio": fuzz.WRatio,
}
_THRESHOLDS = range(50, 101)
_PLAIN = ("name", "old", "cover")
_COLUMNS = {
    "raw_affiliation_string": "the string",
    "entity_slugs": "ids of the entities it names, separated by |; empty = none",
    "kind": "what sort of string it is",
}
Named = Mapping[str, frozenset[str]]


def read_labels(path: Path) -> pl.DataFrame:
    """Read labelled strings: raw_affiliation_string, entity_ids (list), kind.

    Raises `FileError` if the file has faults, among them a string that is labelled twice.
    """
    faults: list[Fault] = []
    rows = read_rows(
        path, _COLUMNS, ("raw_affiliation_string", "entity_slugs"), faults, kind="labelled file", strip=False
    )
    seen: set[str] = set()
    for row in rows:
        text = row["raw_affiliation_string"]
        if text in seen:
            faults.append(Fault(row.where, f"the string {text[:60]!r} is labelled twice", "keep one of the labels"))
        seen.add(text)
    if faults:
        raise FileError(faults, kind="labelled file")
    return pl.DataFrame(
        {
            "raw_affiliation_string": [row["raw_affiliation_string"] for row in rows],
            "entity_ids": [sorted(row.many("entity_slugs")) for row in rows],
            "kind": [row["kind"] for row in rows],
        },
        schema={"raw_affiliation_string": pl.String, "entity_ids": pl.List(pl.String), "kind": pl.String},
    )


def evaluate(
    labels: pl.DataFrame,
    watchlists: Sequence[Watchlist],
    *,
    unscored: Sequence[str] = UNSCORED,
    others: bool = True,
    confidence: float = 0.95,
) -> pl.DataFrame:
    """Score the matcher on labelled strings, and with `others` substring matching and fuzzy scorers.

    Parameters
    ----------
    labels : as `read_labels` gives them.
    unscored : entities left out on both sides.

    Returns
    -------
    One row per method: method, threshold (of the fuzzy scorers), true_positives,
    false_positives, false_negatives, precision, precision_low, precision_high, recall,
    recall_low, recall_high, f1. The intervals are Wilson's.
    """
    unscored = (*unscored, *_unlabelled(labels, watchlists))
    wanted = _wanted(labels, unscored)
    rows = [_score("copub", None, wanted, named_by_copub(labels, watchlists, unscored))]
    if others:
        names = _names(build_index(watchlists).entities, unscored)
        rows.append(_score("plain substring", None, wanted, _by_substring(wanted, names)))
        rows += [_best(method, scorer, wanted, names) for method, scorer in SCORERS.items()]
    return _with_intervals(pl.DataFrame(rows, infer_schema_length=None), confidence)


def mistakes(
    labels: pl.DataFrame, watchlists: Sequence[Watchlist], *, unscored: Sequence[str] = UNSCORED
) -> pl.DataFrame:
    """Return the strings on which copub and the labels differ: raw_affiliation_string, missed, wrong."""
    unscored = (*unscored, *_unlabelled(labels, watchlists))
    wanted = _wanted(labels, unscored)
    found = named_by_copub(labels, watchlists, unscored)
    rows = [
        (text, sorted(entities - found[text]), sorted(found[text] - entities))
        for text, entities in wanted.items()
        if entities != found[text]
    ]
    texts = pl.List(pl.String())
    schema = pl.Schema([("raw_affiliation_string", pl.String()), ("missed", texts), ("wrong", texts)])
    return pl.DataFrame(rows, schema=schema, orient="row")


def _unlabelled(labels: pl.DataFrame, watchlists: Sequence[Watchlist]) -> list[str]:
    """Return the entities of countries of which the labels name no entity; none if they name no known entity."""
    countries = {entity.id: entity.country for entity in build_index(watchlists).entities}
    labelled = {countries[entity] for entities in labels["entity_ids"] for entity in entities if entity in countries}
    return [entity for entity, country in countries.items() if labelled and country not in labelled]


def named_by_copub(labels: pl.DataFrame, watchlists: Sequence[Watchlist], unscored: Sequence[str]) -> Named:
    """Return for each labelled string the entities that copub counts on any of the watchlists.

    A part that was named, such as a hospital beside its university, is in the row of its institution
    (``via_entity``): it is reported where the labels name it, and is no report of its own elsewhere.
    """
    hits = screen_strings(labels["raw_affiliation_string"], watchlists).filter("is_counted")
    wanted = _wanted(labels, unscored)
    named: dict[str, set[str]] = {text: set() for text in wanted}
    for text, entity, part in hits.select("raw_affiliation_string", "entity_id", "via_entity").iter_rows():
        named[text] |= ({entity} - set(unscored)) | ({part} & wanted[text])
    return {text: frozenset(entities) for text, entities in named.items()}


def _wanted(labels: pl.DataFrame, unscored: Sequence[str]) -> Named:
    rows = labels.select("raw_affiliation_string", "entity_ids").iter_rows()
    return {text: frozenset(entities) - frozenset(unscored) for text, entities in rows}


def _names(entities: Sequence[Entity], unscored: Sequence[str]) -> list[tuple[str, str]]:
    """Return (lower-case name, entity) for the official, former and cover names of all entities."""
    names = {
        (name.text.casefold(), entity.id)
        for entity in entities
        if entity.id not in unscored
        for name in entity.names
        if name.kind in _PLAIN
    }
    return sorted(names)


def _by_substring(wanted: Named, names: Sequence[tuple[str, str]]) -> Named:
    folded = {text: text.casefold() for text in wanted}
    return {text: frozenset(e for name, e in names if name in folded[text]) for text in wanted}


def _best(method: str, scorer: Any, wanted: Named, names: Sequence[tuple[str, str]]) -> dict[str, Any]:
    entities = sorted({entity for _, entity in names})
    column = {entity: n for n, entity in enumerate(entities)}
    scores: NDArray[np.float32] = np.zeros((len(wanted), len(entities)), dtype=np.float32)
    raw = process.cdist(
        [text.casefold() for text in wanted], [name for name, _ in names], scorer=scorer, dtype=np.float32
    )
    for position, (_, entity) in enumerate(names):
        np.maximum(scores[:, column[entity]], raw[:, position], out=scores[:, column[entity]])
    truth = np.array([[entity in labelled for entity in entities] for labelled in wanted.values()])
    missing = sum(len(labelled - set(entities)) for labelled in wanted.values())
    rows = []
    for threshold in _THRESHOLDS:
        found = scores >= threshold
        hit = int((found & truth).sum())
        rows.append(_row(method, threshold, hit, int(found.sum()) - hit, int(truth.sum()) - hit + missing))
    return max(rows, key=lambda row: (row["f1"], row["threshold"]))


def _score(method: str, threshold: int | None, wanted: Named, found: Named) -> dict[str, Any]:
    hit = sum(len(entities & found[text]) for text, entities in wanted.items())
    wrong = sum(len(found[text] - entities) for text, entities in wanted.items())
    return _row(method, threshold, hit, wrong, sum(map(len, wanted.values())) - hit)


def _row(method: str, threshold: int | None, hit: int, wrong: int, missed: int) -> dict[str, Any]:
    return {
        "method": method,
        "threshold": threshold,
        "true_positives": hit,
        "false_positives": wrong,
        "false_negatives": missed,
        "f1": 2 * hit / (2 * hit + wrong + missed) if hit else 0.0,
    }


def _with_intervals(frame: pl.DataFrame, confidence: float) -> pl.DataFrame:
    hit = frame["true_positives"].to_numpy()
    columns: list[pl.Series] = []
    for name, other in (("precision", "false_positives"), ("recall", "false_negatives")):
        trials = hit + frame[other].to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            columns.append(pl.Series(name, hit / trials, nan_to_null=True))
        low, high = wilson(hit, trials, confidence)
        columns.append(pl.Series(f"{name}_low", low, nan_to_null=True))
        columns.append(pl.Series(f"{name}_high", high, nan_to_null=True))
    order = ["method", "threshold", "true_positives", "false_positives", "false_negatives"]
    return frame.with_columns(pl.col("threshold").cast(pl.Int64), *columns).select(
        *order, *(column.name for column in columns), "f1"
    )
