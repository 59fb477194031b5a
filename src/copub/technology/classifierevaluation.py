"""Evaluating the classifier against labelled works: precision, recall, F1 with intervals, and more.

A labelled file has one JSON object per line: ``item`` or ``work`` (the id), ``title``,
``abstract``, ``core`` (areas that are positives), ``disputed`` (areas left out of account for
this work), ``applied`` (negatives of the core reading, positives of the inclusive one),
``stratum``, and ``topics`` as a record of OpenAlex has them. For outside labels see `copub.technology.externallabels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

from copub.errors import Fault, FileError, InputError
from copub.intervals import wilson
from copub.randomdraws import draws_of, multinomial
from copub.sources.worksfile import read_works
from copub.technology.plainrecords import TOPIC, topics_in

READINGS = ("core", "inclusive")
ENOUGH = 15
"""Areas with fewer positives are shown as not evaluated."""
ANY = "any area"
DRAWS = 1_000
_LISTS = ("core", "disputed", "applied")
_LABELS = pl.Schema(
    [
        *((key, pl.String()) for key in ("work_id", "work", "title", "abstract", "stratum")),
        *((key, pl.List(pl.String)) for key in _LISTS),
        ("topics", pl.List(TOPIC)),
    ]
)

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Tables of an evaluation.

    Attributes
    ----------
    areas : one row per area and one for "any area": works, positives, tp, fp, fn, precision,
        recall, f1, each with low and high; `evaluated` is false under `ENOUGH` positives.
    strata : the same columns for "any area" by stratum and kind of text.
    calibration : bins of the score: works, mean score, share of positives.
    sweep : precision, recall and F1 over all works and areas by threshold.
    look_alikes : wrongly assigned area, area that the readers gave instead ("none"), works.
    """

    areas: pl.DataFrame
    strata: pl.DataFrame
    calibration: pl.DataFrame
    sweep: pl.DataFrame
    look_alikes: pl.DataFrame


def read_labels(path: Path) -> pl.DataFrame:
    """Read a labelled file; columns work_id, work, title, abstract, stratum, core, disputed, applied, topics.

    `work` is the id of the work where the line has one beside the item.

    Raises
    ------
    InputError, FileError : the file is missing or empty, or lines lack an id, repeat one, or hold no
        lists of names; all are named.
    """
    rows, faults = [], []
    first: dict[str, str] = {}
    for record in read_works([path], label="read labels"):
        value = record.value if isinstance(record.value, dict) else {}
        name = value.get("item") or value.get("work") or value.get("id")
        wrong = [f"{key} is no list of areas" for key in _LISTS if not _is_names(value.get(key, []))]
        wrong += ["topics is no list of topics"] if not _is_objects(value.get("topics") or []) else []
        if not name or wrong or "core" not in value:
            what = wrong[0] if wrong else "a label needs an item and a list core"
            faults.append(Fault(record.where, what, "see docs/classification.md"))
            continue
        if str(name) in first:
            what = f"{str(name)!r} is labelled already, on {first[str(name)]}"
            faults.append(Fault(record.where, what, "keep one of the lines"))
            continue
        first[str(name)] = record.where
        text = {key: str(value.get(key) or "") for key in ("title", "abstract", "stratum")}
        rows.append(
            {
                "work_id": str(name),
                "work": str(value.get("work") or name),
                **text,
                **{key: value.get(key, []) for key in _LISTS},
                "topics": topics_in(value),
            }
        )
    if faults:
        raise FileError(faults, kind="labelled file")
    if not rows:
        raise InputError("there is no label in this file", where=str(path), hint="see docs/classification.md")
    return pl.DataFrame(rows, schema=_LABELS)


def check_areas(labels: pl.DataFrame, areas: Sequence[str]) -> None:
    """Raise `FileError` if labels name areas that are not among these: as they are they would count as nothing."""
    faults = [
        Fault(work, f"{area!r} ({key}) is no area of this taxonomy", f"areas: {', '.join(areas)}")
        for work, *lists in labels.select("work_id", *_LISTS).iter_rows()
        for key, named in zip(_LISTS, lists, strict=True)
        for area in named
        if area not in areas
    ]
    if faults:
        raise FileError.first(faults, kind="labelled file")


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def share_of(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float, float]:
    """Return a share and its Wilson interval; all NaN over no trials."""
    low, high = wilson(successes, trials, confidence)
    return successes / trials if trials else float("nan"), float(low), float(high)


def f1_of(truth: Bools, found: Bools) -> float:
    """Return F1; 0 where nothing is true and nothing found."""
    both = truth.sum() + found.sum()
    return float(2 * (truth & found).sum() / both) if both else 0.0


def f1_interval(truth: Bools, found: Bools, *, seed: int = 0, confidence: float = 0.95) -> tuple[float, float, float]:
    """Return F1 and its bootstrap interval over works (fixed seed)."""
    kept = np.flatnonzero(truth | found)  # only these works move F1
    counts = [int((truth & found)[kept].sum()), int(kept.size), int(truth.size)]
    both, either, works = counts
    generator = draws_of(seed)
    drawn = multinomial(generator, works, np.array([both, either - both, works - either]) / works, DRAWS)
    with np.errstate(invalid="ignore"):
        scores = np.nan_to_num(2 * drawn[:, 0] / (2 * drawn[:, 0] + drawn[:, 1]))
    low, high = np.quantile(scores, [(1 - confidence) / 2, (1 + confidence) / 2])
    return f1_of(truth, found), float(low), float(high)


def measure_row(truth: Bools, found: Bools, confidence: float = 0.95) -> dict[str, Any]:
    """Return counts, precision, recall and F1 with intervals of one decision over works."""
    tp, fp, fn = int((truth & found).sum()), int((~truth & found).sum()), int((truth & ~found).sum())
    row: dict[str, Any] = {"works": truth.size, "positives": tp + fn, "tp": tp, "fp": fp, "fn": fn}
    figures = {
        "precision": share_of(tp, tp + fp, confidence),
        "recall": share_of(tp, tp + fn, confidence),
        "f1": f1_interval(truth, found, confidence=confidence) if truth.size else (0.0, 0.0, 1.0),
    }
    for name, (value, low, high) in figures.items():
        row |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return row | {"evaluated": tp + fn >= ENOUGH}


def evaluate(
    labels: pl.DataFrame,
    assignments: pl.DataFrame,
    areas: Sequence[str],
    *,
    reading: str = "core",
    confidence: float = 0.95,
) -> Evaluation:
    """Evaluate assignments of one taxonomy against labels.

    Parameters
    ----------
    labels : as `read_labels` gives them.
    assignments : rows of the works, with work_id, area, score, assigned.
    reading : "core", or "inclusive" (applied works count as positives).
    """
    truth, usable = _truth(labels, areas, reading)
    found, score = _found(labels, assignments, areas)
    rows = [
        {"area": area, **measure_row(truth[ok, at], found[ok, at], confidence)}
        for at, area in enumerate(areas)
        if (ok := usable[:, at]) is not None
    ]
    any_truth, any_found, any_usable = any_area(truth, found, usable)
    rows.append({"area": ANY, **measure_row(any_truth[any_usable], any_found[any_usable], confidence)})
    strata = []
    for kind, name, chosen in _strata(labels):
        ok = chosen & any_usable
        strata.append({"kind": kind, "stratum": name, **measure_row(any_truth[ok], any_found[ok], confidence)})
    return Evaluation(
        pl.DataFrame(rows),
        pl.DataFrame(strata),
        calibration_table(truth[usable], score[usable]),
        _sweep(truth[usable], score[usable]),
        _look_alikes(truth, found, usable, areas),
    )


def any_area(truth: Bools, found: Bools, usable: Bools) -> tuple[Bools, Bools, Bools]:
    """Return "in any area" as read and as found, and which works count: a dispute alone leaves a work out."""
    true, taken = truth & usable, found & usable
    critical = np.asarray(true.any(axis=1))
    return critical, np.asarray(taken.any(axis=1)), critical | np.asarray(usable.all(axis=1))


def _truth(labels: pl.DataFrame, areas: Sequence[str], reading: str) -> tuple[Bools, Bools]:
    core = _matrix(labels["core"].to_list(), areas)
    disputed = _matrix(labels["disputed"].to_list(), areas)
    if reading == "inclusive":
        return core | disputed | _matrix(labels["applied"].to_list(), areas), np.ones_like(core)
    return core, ~disputed


def _matrix(lists: Sequence[Sequence[str]], areas: Sequence[str]) -> Bools:
    return np.array([[area in names for area in areas] for names in lists], dtype=np.bool_).reshape(-1, len(areas))


def _found(
    labels: pl.DataFrame, assignments: pl.DataFrame, areas: Sequence[str]
) -> tuple[Bools, npt.NDArray[np.float64]]:
    rows = {name: at for at, name in enumerate(labels["work_id"])}
    columns = {area: at for at, area in enumerate(areas)}
    found = np.zeros((len(rows), len(areas)), dtype=np.bool_)
    score = np.zeros((len(rows), len(areas)))
    for work, area, value, assigned in assignments.select("work_id", "area", "score", "assigned").iter_rows():
        if work in rows and area in columns:
            score[rows[work], columns[area]] = value
            found[rows[work], columns[area]] = assigned
    return found, score


def _strata(labels: pl.DataFrame) -> list[tuple[str, str, Bools]]:
    text = np.where((labels["abstract"] != "").to_numpy(), "title and abstract", "title")
    drawn = labels["stratum"].to_numpy()
    kinds = [("text", name, text == name) for name in sorted(set(text))]
    return kinds + [("stratum", str(name), drawn == name) for name in sorted(set(drawn)) if name]


def calibration_table(truth: Bools, score: npt.NDArray[np.float64]) -> pl.DataFrame:
    """Return by tenths of the score: bin, pairs, mean_score, share that is core, and its interval (low, high)."""
    bins = np.minimum((score * 10).astype(int), 9)
    rows = []
    for number in np.unique(bins):
        chosen = bins == number
        share, low, high = share_of(int(truth[chosen].sum()), int(chosen.sum()))
        rows.append(
            {"bin": f"{number / 10:.1f} to {(number + 1) / 10:.1f}", "pairs": int(chosen.sum()),
             "mean_score": float(score[chosen].mean()), "share": share, "low": low, "high": high}
        )  # fmt: skip
    return pl.DataFrame(rows)


def _sweep(truth: Bools, score: npt.NDArray[np.float64]) -> pl.DataFrame:
    rows = []
    for threshold in np.round(np.arange(0.05, 1.0, 0.05), 2):
        row = measure_row(truth, score >= threshold)
        rows.append({"threshold": float(threshold)} | {key: row[key] for key in ("precision", "recall", "f1")})
    return pl.DataFrame(rows)


def _look_alikes(truth: Bools, found: Bools, usable: Bools, areas: Sequence[str]) -> pl.DataFrame:
    counts: dict[tuple[str, str], int] = {}
    for row, column in np.argwhere(found & usable & ~truth).tolist():
        instead = [areas[at] for at in np.flatnonzero(truth[row]).tolist()] or ["none"]
        for name in instead:
            key = (areas[column], name)
            counts[key] = counts.get(key, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = [{"assigned": a, "read_as": b, "works": n} for (a, b), n in ordered]
    return pl.DataFrame(rows, schema={"assigned": pl.String, "read_as": pl.String, "works": pl.Int64})


def cohen_kappa(first: Bools, second: Bools) -> float:
    """Return Cohen's kappa of two yes/no readings; nan where chance agreement is total."""
    if not first.size:
        return float("nan")
    agree = float((first == second).mean())
    chance = float(first.mean() * second.mean() + (1 - first.mean()) * (1 - second.mean()))
    return (agree - chance) / (1 - chance) if chance < 1 else float("nan")


def to_json(evaluation: Evaluation) -> bytes:
    """Return all tables as JSON, for `copub evaluate --json`."""
    tables = {name: getattr(evaluation, name).to_dicts() for name in Evaluation.__slots__}
    return orjson.dumps(tables, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
