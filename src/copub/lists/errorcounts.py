"""Measured errors of classifier and matcher: 2x2 counts of their evaluations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copub.errors import Fault, FileError, InputError
from copub.lines import amount
from copub.lists.tomlfile import TomlFile, read_toml

TEXT_STRATA = ("with abstract", "title only")
AFFILIATION_STRATA = ("resolved", "unresolved")
COUNTS = ("tp", "fp", "fn", "tn")
KIND = "file of error counts"


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
class EvaluationSet:
    """One labelled set on which an instrument was evaluated: its name in words, and the counts by stratum.

    Strata of the classifier (decision "critical in any area") are `TEXT_STRATA`, those of the matcher
    (decision "names a listed institution") `AFFILIATION_STRATA`: every side-B author has an institution, or not."""

    name: str
    counts: Mapping[str, ErrorCounts]


@dataclass(frozen=True, slots=True)
class Errors:
    """All evaluation sets at hand; each is one draw of how the instruments err."""

    sets: tuple[EvaluationSet, ...]

    def of(self, stratum: str) -> tuple[ErrorCounts, ...]:
        """Return the counts of every set that evaluated a stratum."""
        return tuple(one.counts[stratum] for one in self.sets if stratum in one.counts)

    def sensitivity(self, stratum: str) -> float:
        """Return the share of the truly positive that is found, over all sets together; NaN if there were none."""
        sets = self.of(stratum)
        return ErrorCounts(sum(c.tp for c in sets), 0, sum(c.fn for c in sets), 0).sensitivity

    @property
    def source(self) -> str:
        """Return the names of the sets, by instrument."""
        instruments = {"classifier": TEXT_STRATA, "matcher": AFFILIATION_STRATA}
        return "; ".join(
            f"{instrument}: {', '.join(one.name for one in self.sets if one.counts.keys() & set(strata))}"
            for instrument, strata in instruments.items()
        )


def read_card(path: Path) -> tuple[EvaluationSet, ...]:
    """Read the evaluation sets of a model's JSON file: its cross-validation, and the works kept apart from training.

    They are the rows "any area, with abstract" and "any area, title only" of ``cross_validated`` and of
    ``unseen``, with works, positives, precision and recall at the balanced operating point.

    Raises `InputError` if the file lacks them.
    """
    card = json.loads(path.read_text(encoding="utf-8"))
    given = {"cross-validation": card.get("cross_validated", ()), "kept apart": card.get("unseen", {}).get("rows", ())}
    sets = []
    for name, rows in given.items():
        by_what = {row["what"]: row for row in rows}
        missing = [stratum for stratum in TEXT_STRATA if f"any area, {stratum}" not in by_what]
        if missing:
            raise InputError(
                f"the model's card has no figures ({name}) for works {' and '.join(missing)}",
                where=str(path),
                hint="train the model anew: python -m copub.technology.training.train --help",
            )
        of_strata = {stratum: by_what[f"any area, {stratum}"] for stratum in TEXT_STRATA}
        works = sum(row["works"] for row in of_strata.values())
        how = "by cross-validation" if name == "cross-validation" else "kept apart from training"
        words = f"{amount(works, 'work')} {how}"
        sets.append(EvaluationSet(words, {stratum: counts_of(row) for stratum, row in of_strata.items()}))
    return tuple(sets)


def counts_of(row: Mapping[str, Any]) -> ErrorCounts:
    """Return the counts behind works, positives, precision and recall."""
    tp = row["recall"] * row["positives"]
    fp = tp / row["precision"] - tp if row["precision"] else 0.0
    return ErrorCounts(tp, fp, row["positives"] - tp, row["works"] - row["positives"] - fp)


def read_evaluation(path: Path, model: str = "") -> EvaluationSet:
    """Read an evaluation set from a TOML file of error counts.

    The file has the texts ``name`` (a few words, printed in reports) and ``source``, the text ``model`` (hash of the
    model evaluated) where a model was evaluated by copub, and a table of tp, fp, fn, tn for each stratum that
    was evaluated: "with abstract", "title only" (classifier), resolved, unresolved (matcher).

    Raises `FileError` with all faults of the file, among them another model than `model`, where both are named.
    """
    toml = read_toml(path, kind=KIND)
    faults: list[Fault] = []
    strata = [stratum for stratum in (*TEXT_STRATA, *AFFILIATION_STRATA) if stratum in toml.values]
    if not strata:
        names = ", ".join((*TEXT_STRATA, *AFFILIATION_STRATA))
        faults.append(Fault(toml.where(), "there is no table of counts", f"known tables: {names}"))
    known = {"name", "source", "model", *strata}
    faults += [
        Fault(toml.where(key), f"there is no key {key!r}", f"known: {', '.join(sorted(known))}")
        for key in toml.values.keys() - known
    ]
    counts = {stratum: _counts(toml, stratum, faults) for stratum in strata}
    for key, hint in (("name", "name the set in a few words"), ("source", "say in words what was evaluated")):
        value = toml.values.get(key)
        if not isinstance(value, str) or not value.strip():
            faults.append(Fault(toml.where(key), f"{key} is missing", hint))
    evaluated = toml.values.get("model", "")
    if model and evaluated and evaluated != model:
        what = f"these counts are those of another model ({str(evaluated)[:12]}, here {model[:12]})"
        faults.append(Fault(toml.where("model"), what, "evaluate anew: copub evaluate classifier --errors"))
    if faults:
        raise FileError(faults, kind=KIND)
    return EvaluationSet(str(toml.values["name"]), counts)


def evaluation_text(made: EvaluationSet, source: str, model: str) -> str:
    """Return the text of a file of error counts: what `read_evaluation` reads back."""
    head = {"name": made.name, "source": source, "model": model}
    lines = [f"{key} = {json.dumps(value)}" for key, value in head.items()]
    for stratum, counts in made.counts.items():
        lines += ["", f'["{stratum}"]', *(f"{key} = {getattr(counts, key):.0f}" for key in COUNTS)]
    return "\n".join(lines) + "\n"


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
