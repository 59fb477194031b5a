"""Measured errors of classifier and matcher: 2x2 counts of an evaluation, read from a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copub.errors import CorrectFile, Fault
from copub.tomlfile import TomlFile, read_toml

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


def read_errors(path: Path) -> Errors:
    """Read a file of error counts.

    It has the text ``source`` and the tables ``classifier."with abstract"``,
    ``classifier."title only"``, ``matcher.resolved`` and ``matcher.unresolved``, each with tp,
    fp, fn, tn.

    Raises `CorrectFile` with all faults of the file.
    """
    toml = read_toml(path, kind="file of error counts")
    faults: list[Fault] = []
    parts = {
        name: {stratum: _counts(toml, name, stratum, faults) for stratum in strata}
        for name, strata in (("classifier", TEXT_STRATA), ("matcher", AFFILIATION_STRATA))
    }
    source = toml.values.get("source")
    if not isinstance(source, str) or not source.strip():
        faults.append(Fault(toml.where("source"), "source is missing", "say in words what was evaluated"))
    if faults:
        raise CorrectFile(faults, kind="file of error counts")
    return Errors(parts["classifier"], parts["matcher"], str(source))


def _counts(toml: TomlFile, name: str, stratum: str, faults: list[Fault]) -> ErrorCounts:
    table: Any = toml.values.get(name)
    counts = table.get(stratum) if isinstance(table, dict) else None
    counts = counts if isinstance(counts, dict) else {}
    values = []
    for key in COUNTS:
        value = counts.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            where = toml.where(name, stratum, key)
            faults.append(Fault(where, f'{name}."{stratum}".{key} is {value!r}', "write a count of 0 or more"))
            value = 0
        values.append(float(value))
    return ErrorCounts(*values)
