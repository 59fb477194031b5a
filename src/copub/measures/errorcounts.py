"""Measured errors of classifier and matcher: 2x2 counts of their evaluations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copub.errors import Fault, FileError, InputError
from copub.lists.tomlfile import TomlFile, read_toml

TEXT_STRATA = ("with abstract", "title only")
AFFILIATION_STRATA = ("resolved", "unresolved")
COUNTS = ("tp", "fp", "fn", "tn")


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """Decisions against truth in an evaluation: true and false positives, false and true negatives."""

    tp: float
    fp: float
    fn: float
    tn: float

    @property
    def sensitivity(self) -> float:
        """Return the share of the truly positive that is found; NaN if there were none."""
        positives = self.tp + self.fn
        return self.tp / positives if positives else float("nan")

    @property
    def specificity(self) -> float:
        """Return the share of the truly negative that is left alone; NaN if there were none."""
        negatives = self.tn + self.fp
        return self.tn / negatives if negatives else float("nan")


@dataclass(frozen=True, slots=True)
class Errors:
    """An evaluation of both instruments.

    `classifier` holds the decision "critical in any area" by text ("with abstract", "title
    only"), `matcher` the decision "names a listed institution" by affiliation ("resolved": every
    side-B author has an institution; "unresolved"). `source` says in words what was evaluated.
    """

    classifier: Mapping[str, ErrorCounts]
    matcher: Mapping[str, ErrorCounts]
    source: str


@dataclass(frozen=True, slots=True)
class Card:
    """What a model's card says of its errors: for which taxonomy, and the counts by text."""

    taxonomy: str
    classifier: Mapping[str, ErrorCounts]


def read_card(path: Path) -> Card:
    """Read the cross-validated figures of a model's JSON file as counts.

    They are the rows "any area, with abstract" and "any area, title only" of
    ``cross_validated``, with works, positives, precision and recall under the balanced operating point.

    Raises `InputError` if the file lacks them.
    """
    card = json.loads(path.read_text(encoding="utf-8"))
    rows = {row["what"]: row for row in card.get("cross_validated", ())}
    missing = [stratum for stratum in TEXT_STRATA if f"any area, {stratum}" not in rows]
    if missing:
        raise InputError(
            f"the model's card has no cross-validated figures for works {' and '.join(missing)}",
            where=str(path),
            hint="train the model anew: python -m copub.technology.training.train --help",
        )
    return Card(card["taxonomy"], {stratum: counts_of(rows[f"any area, {stratum}"]) for stratum in TEXT_STRATA})


def counts_of(row: Mapping[str, Any]) -> ErrorCounts:
    """Return the counts behind works, positives, precision and recall."""
    tp = row["recall"] * row["positives"]
    fp = tp / row["precision"] - tp if row["precision"] else 0.0
    return ErrorCounts(tp, fp, row["positives"] - tp, row["works"] - row["positives"] - fp)


def read_matcher(path: Path) -> tuple[dict[str, ErrorCounts], str]:
    """Read the error counts of the matcher, with their source in words.

    The file has the text ``source`` and the tables ``resolved`` and ``unresolved``, each with
    tp, fp, fn, tn.

    Raises `FileError` with all faults of the file.
    """
    toml = read_toml(path, kind="file of error counts")
    faults: list[Fault] = []
    counts = {stratum: _counts(toml, stratum, faults) for stratum in AFFILIATION_STRATA}
    source = toml.values.get("source")
    if not isinstance(source, str) or not source.strip():
        faults.append(Fault(toml.where("source"), "source is missing", "say in words what was evaluated"))
    if faults:
        raise FileError(faults, kind="file of error counts")
    return counts, str(source)


def _counts(toml: TomlFile, stratum: str, faults: list[Fault]) -> ErrorCounts:
    table: Any = toml.values.get(stratum)
    counts = table if isinstance(table, dict) else {}
    values = []
    for key in COUNTS:
        value = counts.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            where = toml.where(stratum, key)
            faults.append(Fault(where, f"{stratum}.{key} is {value!r}", "write a count of 0 or more"))
            value = 0
        values.append(float(value))
    return ErrorCounts(*values)
