"""Readings of several readers: how far they agree, what they differ on, and the labels that follow.

A work has a label if all its readers decided the same, or if a third look settled it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from copub.lists.labels import LABELS
from copub.review.filledsheets import ASKED
from copub.technology.classifierevaluation import cohen_kappa

COMPARED = ("critical", "listed", "critical and listed")
_DECIDED = ("yes", "no")
_AGREEMENT = pl.Schema(
    {"reader_a": pl.String, "reader_b": pl.String, "question": pl.String, "works": pl.Int64, "differ": pl.Int64,
     "kappa": pl.Float64}
)  # fmt: skip
_JOINED = pl.Schema([*LABELS.items(), ("areas", pl.List(pl.String)), ("settles", pl.Boolean), ("codebook", pl.String)])


def latest(readings: pl.DataFrame) -> pl.DataFrame:
    """Return the latest reading of each work by each reader, third looks apart.

    Answers that were taken back, and works of which only one question was answered, are out.

    Parameters
    ----------
    readings : `copub.review.filledsheets.READINGS` in the order of import; of one date the later import counts.
    """
    keys = ["work_id", "reader", "settles"]
    newest = readings.with_row_index("number").sort("date", "number").unique(keys, keep="last").drop("number")
    return newest.filter(pl.col("critical") != "", pl.col("listed") != "").sort(keys)


def agreement(readings: pl.DataFrame) -> pl.DataFrame:
    """Return how far each two readers agree: reader_a, reader_b, question, works, differ, kappa.

    Compared are works on which both decided yes or no on both questions; kappa is Cohen's, null where
    chance agreement is total. Third looks are not compared.

    Parameters
    ----------
    readings : as `latest` returns them.
    """
    decided = readings.filter(~pl.col("settles") & _is_decided())
    stated: dict[str, dict[str, tuple[bool, bool]]] = {}
    for work, reader, critical, listed in decided.select("work_id", "reader", "critical", "listed").iter_rows():
        stated.setdefault(reader, {})[work] = (critical == "yes", listed == "yes")
    rows: list[dict[str, Any]] = []
    for first, second in combinations(sorted(stated), 2):
        both = sorted(stated[first].keys() & stated[second].keys())
        if both:
            one, other = (_columns([stated[who][work] for work in both]) for who in (first, second))
            for question, a, b in zip(COMPARED, one, other, strict=True):
                kappa = cohen_kappa(a, b)
                rows.append(
                    {"reader_a": first, "reader_b": second, "question": question, "works": len(both),
                     "differ": int((a != b).sum()), "kappa": None if np.isnan(kappa) else kappa}
                )  # fmt: skip
    return pl.DataFrame(rows, schema=_AGREEMENT)


def _columns(pairs: Sequence[tuple[bool, bool]]) -> tuple[np.ndarray[Any, Any], ...]:
    critical, listed = np.array(pairs, dtype=bool).T
    return critical, listed, critical & listed


def _is_decided() -> pl.Expr:
    return pl.col("critical").is_in(_DECIDED) & pl.col("listed").is_in(_DECIDED)


def joined(readings: pl.DataFrame) -> tuple[pl.DataFrame, list[str], list[str]]:
    """Join the readings of each work to one label.

    Parameters
    ----------
    readings : as `latest` returns them.

    Returns
    -------
    Labels (`LABELS`, with areas that all readers named, settles and codebook); the works on which readers
    differ and no third look settled it; and the works that no reader could decide.
    """
    labels: list[dict[str, Any]] = []
    disputed: list[str] = []
    undecided: list[str] = []
    for (work,), part in readings.group_by("work_id", maintain_order=True):
        settled = part.filter("settles", _is_decided()).sort("date", maintain_order=True).tail(1)
        given = settled if settled.height else part.filter(~pl.col("settles"))
        if not given.height:
            given = part
        if not given.select(_is_decided().any()).item():
            undecided.append(str(work))
        elif _differ(given):
            disputed.append(str(work))
        else:
            labels.append(_label(str(work), given) | {"stands_for": part["stands_for"].max()})
    return pl.DataFrame(labels, schema=_JOINED).sort("work_id"), disputed, undecided


def _differ(given: pl.DataFrame) -> bool:
    """Say whether readers differ; one who cannot tell differs from one who can. A level that one left open does not."""
    levels = set(given["top_level"].filter(given["top_level"].is_in(_DECIDED)))
    return any(given[name].n_unique() > 1 for name in ("critical", "listed")) or len(levels) > 1


def _label(work: str, given: pl.DataFrame) -> dict[str, Any]:
    stated = {name: _answer(given[name]) for name in ASKED}
    areas = [set(named) for named in given["areas"]]
    return {
        "work_id": work,
        **stated,
        # what is not listed is not listed at the top level either
        "top_level": stated["top_level"] if stated["listed"] else False,
        "reader": ", ".join(given["reader"].unique().sort()),
        "date": given["date"].max(),
        "reason": "; ".join(dict.fromkeys(filter(None, given["reason"]))),
        "areas": sorted(set.intersection(*areas)),
        "settles": bool(given["settles"].any()),
        "codebook": ", ".join(filter(None, given["codebook"].unique().sort())),
    }


def _answer(answers: pl.Series) -> bool | None:
    decided = [answer for answer in answers if answer in _DECIDED]
    return decided[0] == "yes" if decided else None


def changes(before: pl.DataFrame, after: pl.DataFrame) -> Iterator[str]:
    """Yield one line per label that changed or was taken away: the work, the answer before and the answer after."""
    pairs = before.join(after, on="work_id", how="left", suffix="_new", maintain_order="left")
    for row in pairs.iter_rows(named=True):
        if row["reader_new"] is None:
            yield f"{row['work_id']}: no label any more"
            continue
        moved = [
            f"{name} {_word(row[name])} -> {_word(row[f'{name}_new'])}"
            for name in ASKED
            if row[name] is not row[f"{name}_new"]
        ]
        if moved:
            yield f"{row['work_id']}: {', '.join(moved)} ({row['reader_new']}, {row['date_new']})"


def _word(answer: bool | None) -> str:
    return "open" if answer is None else "yes" if answer else "no"
