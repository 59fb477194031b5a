"""Where the reading of a study is: what was read, how far readers agree, how wide the interval is, what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import polars as pl

from copub.lists.errorcounts import Errors
from copub.lists.labels import LABELS
from copub.measures.adjusted import LABELLED, adjusted, labels_of_works, prepared
from copub.measures.readingplan import works_to_lead
from copub.measures.strata import Key, sizes_of_strata, with_strata
from copub.names import READING_STRATA
from copub.review.agreement import agreement
from copub.review.ledger import Ledger
from copub.review.width import planned_rates, works_for
from copub.review.works import open_works
from copub.study import Study

WIDTHS = (0.01, 0.02, 0.03)
"""Widths of the interval for which the works still to read are stated, as shares."""

PLANNED_WORKS = 2.0
"""Works of a stratum that the planned rate counts as, beside those that were read."""


@dataclass(frozen=True, slots=True)
class Status:
    """The reading of a study, measured on one run.

    works : of the run. labelled : with a label, of these. readers : works that each reader read; seconds : the
    median time of each on a work, as the page measured it.
    opened : shown to somebody, without a label. share, low, high : estimate of critical and listed from the
    labels, None while it cannot be made; `lacking` says why. still : works to read beyond those with a label, by width.
    leads_from : works read from which on the report rests on the labels (`copub.measures.readingplan.works_to_lead`).
    check : copub's decisions against the labels (`against_labels`).
    """

    works: int
    labelled: int
    readers: Mapping[str, int]
    seconds: Mapping[str, float]
    opened: int
    disputed: int
    undecided: int
    agreement: pl.DataFrame
    share: float | None
    low: float | None
    high: float | None
    lacking: str
    still: Mapping[float, int]
    leads_from: int
    check: Mapping[str, Mapping[str, float | None]]


def status_of(
    study: Study,
    works: pl.DataFrame,
    ledger: Ledger,
    widths: Sequence[float] = WIDTHS,
    taught: pl.DataFrame | None = None,
    errors: Errors | None = None,
) -> Status:
    """Return the status of reading.

    Parameters
    ----------
    works : table ``copublications`` of the run.
    widths : of the interval, as shares; for each the works still to read are counted.
    taught : training works of the classifier, which nobody needs to read (`copub.measures.inputs.taught_for`).
    errors : the evaluation sets on which the corrected share rests until enough works are read.
    """
    labels = ledger.labels.join(works.select("work_id"), on="work_id", how="semi")
    shown = ledger.shown & set(works["work_id"])
    share, low, high, lacking = _estimate(study, works, labels, taught)
    return Status(
        works=works.height,
        labelled=labels.height,
        readers=dict(ledger.readings.group_by("reader").len().sort("reader").iter_rows()),
        seconds=dict(
            ledger.readings.drop_nulls("seconds")
            .group_by("reader")
            .agg(pl.col("seconds").median())
            .sort("reader")
            .iter_rows()
        ),
        opened=len(shown - set(labels["work_id"])),
        disputed=len(ledger.disputed),
        undecided=len(ledger.undecided),
        agreement=agreement(ledger.readings),
        share=share,
        low=low,
        high=high,
        lacking=lacking,
        still=_still(works, labels, widths, study.confidence, taught),
        leads_from=works_to_lead(study, prepared(study, works, None, taught), errors),
        check=against_labels(works, labels),
    )


def _estimate(
    study: Study, works: pl.DataFrame, labels: pl.DataFrame, taught: pl.DataFrame | None
) -> tuple[float | None, float | None, float | None, str]:
    """Return share, ends of the interval and why there is none: what the report of the next run states."""
    if not labels.height:
        return None, None, None, "nothing is labelled"
    known = prepared(study, works, None, taught)
    table = adjusted(study, known, None, labels_of_works(known, labels.select(LABELS.names())))
    row = table.filter(slice_kind="all", measure="critical_listed").row(0, named=True)
    if row["method"] != LABELLED:
        return None, None, None, row["basis"]
    return row["adjusted"], row["adjusted_low"], row["adjusted_high"], ""


def _by_stratum(works: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Return works with their label and the number of works that each labelled one represents, by its stratum."""
    marked = with_strata(works).join(
        labels.select("work_id", truly_critical="critical", truly_listed="listed"), on="work_id", how="left"
    )
    weight = pl.len().over(READING_STRATA) / pl.col("truly_critical").count().over(READING_STRATA)
    return marked.with_columns(weight=weight)


def _still(
    works: pl.DataFrame, labels: pl.DataFrame, widths: Sequence[float], confidence: float, taught: pl.DataFrame | None
) -> dict[float, int]:
    return {width: max(0, works_needed(works, labels, width, confidence, taught) - labels.height) for width in widths}


def works_needed(
    works: pl.DataFrame, labels: pl.DataFrame, width: float, confidence: float, taught: pl.DataFrame | None
) -> int:
    """Return how many works must be read for an interval of at most `width`; training works are known."""
    to_read = open_works(works, taught)
    wide = width * works.height / max(to_read.height, 1)  # of the works to read, for that much of all works
    return works_for(sizes_of_strata(to_read), expected_rates(to_read, labels), wide, confidence)


def expected_rates(works: pl.DataFrame, labels: pl.DataFrame) -> dict[Key, float]:
    """Return the share of each stratum that is expected to be critical and listed: as read, else as planned."""
    rates = planned_rates(sizes_of_strata(works))
    both = pl.col("truly_critical") & pl.col("truly_listed")
    read = (
        _by_stratum(works, labels).drop_nulls("truly_critical").group_by(READING_STRATA).agg(pl.len(), yes=both.sum())
    )
    for a, b, c, count, yes in read.iter_rows():
        rates[a, b, c] = (yes + PLANNED_WORKS * rates[a, b, c]) / (count + PLANNED_WORKS)
    return rates


def against_labels(works: pl.DataFrame, labels: pl.DataFrame) -> dict[str, dict[str, float | None]]:
    """Return precision and recall of copub's decisions against labels, weighted to all works of the run.

    Parameters
    ----------
    works : table ``copublications``.
    labels : labels of some of them.

    Returns
    -------
    By measure (critical, listed, critical and listed): works, precision, recall; None where nothing is divided.
    """
    read = _by_stratum(works, labels).drop_nulls("truly_critical")
    pairs = {
        "critical": (pl.col("is_critical"), pl.col("truly_critical")),
        "listed": (pl.col("is_listed"), pl.col("truly_listed")),
        "critical and listed": (pl.col("is_critical_listed"), pl.col("truly_critical") & pl.col("truly_listed")),
    }
    found: dict[str, dict[str, float | None]] = {}
    for name, (decided, true) in pairs.items():
        sums = read.select(
            both=pl.col("weight").filter(decided & true).sum(),
            decided=pl.col("weight").filter(decided).sum(),
            true=pl.col("weight").filter(true).sum(),
        ).row(0, named=True)
        found[name] = {
            "works": float(read.height),
            "precision": _ratio(sums["both"], sums["decided"]),
            "recall": _ratio(sums["both"], sums["true"]),
        }
    return found


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def facts_of(status: Status) -> dict[str, Any]:
    """Return a status as JSON-ready values."""
    values = {field.name: getattr(status, field.name) for field in fields(status)}
    still = {f"{100 * width:g} points": count for width, count in status.still.items()}
    return {**values, "agreement": status.agreement.to_dicts(), "still": still}
