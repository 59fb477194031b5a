"""Do classifier and matcher err on the same works? The table ``dependence``, from labels of the study's own works.

The correction by evaluation sets takes for granted that they do not: that the classifier finds as much, and
leaves as much alone, on works with a listed institution as on others, and the matcher on critical works as on others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from copub.intervals import DIGITS
from copub.measures.correction import DRAWS, SEED
from copub.randomdraws import draws_of
from copub.schema import TABLES, conform

if TYPE_CHECKING:
    from copub.measures.adjusted import Labels
    from copub.study import Study

AXES: Mapping[str, tuple[str, str]] = {
    # instrument: (what it decides, by what its errors may differ)
    "classifier": ("critical", "listed"),
    "matcher": ("listed", "critical"),
}
RATES = ("sensitivity", "specificity")
TESTED, UNTESTED = "tested", "untested"


def dependence(study: Study, works: pl.DataFrame, labels: Labels | None) -> pl.DataFrame:
    """Return the table ``dependence``: each error rate among works with and without the other property.

    Parameters
    ----------
    works : table ``copublications`` as `copub.measures.adjusted.prepared` returns it.
    labels : labels of the study's works; without usable ones every row says "untested".
    """
    rows = list(_tested(study, works, labels)) if labels is not None and not labels.lacking else []
    frame = pl.DataFrame(rows or list(_untested()), schema=TABLES["dependence"].schema)
    return conform("dependence", frame.with_columns(pl.col(pl.Float64).fill_nan(None).round(DIGITS)))


def _untested() -> Iterator[dict[str, Any]]:
    for instrument, (_, by) in AXES.items():
        for rate in RATES:
            yield {"instrument": instrument, "rate": rate, "by": by, "works": 0, "status": UNTESTED}


def _tested(study: Study, works: pl.DataFrame, labels: Labels) -> Iterator[dict[str, Any]]:
    """Yield the rates from the same draws of the truth on which the labelled estimate rests.

    Training works are left out: on them the classifier is better than on others. Without any other label,
    nothing is yielded; a rate of no works is NaN.
    """
    rng = draws_of(SEED)
    table = np.zeros((2, 2, DRAWS, 2, 2))  # decided critical, decided listed, draw, truly critical, truly listed
    count = 0
    for of_stratum, read in labels.strata(works.filter(~pl.col("is_taught"))):
        drawn = read.drawn(rng, DRAWS)
        truth = np.stack([drawn[..., 0], drawn[..., 1:].sum(axis=2)], axis=2)
        critical, listed = (int(of_stratum[name][0]) for name in ("is_critical", "is_listed"))
        table[critical, listed] += truth
        count += int(read.known.sum())
    if not count:
        return
    for instrument, (_, by) in AXES.items():
        # decision of the instrument, draw, truth of what it decides, truth of the other
        own = table.sum(axis=1) if instrument == "classifier" else table.sum(axis=0).transpose(0, 1, 3, 2)
        for true, rate in ((1, "sensitivity"), (0, "specificity")):
            of = own.sum(axis=0)[:, true]
            right = np.divide(own[true][:, true], of, out=np.full_like(of, np.nan), where=of > 0)
            tail = 0.5 - study.confidence / 2
            low, middle, high = np.quantile(right[:, 1] - right[:, 0], [tail, 0.5, 1 - tail])
            yield {
                "instrument": instrument,
                "rate": rate,
                "by": by,
                "among": float(np.median(right[:, 1])),
                "among_others": float(np.median(right[:, 0])),
                "difference": float(middle),
                "low": float(low),
                "high": float(high),
                "works": count,
                "differs": bool(low > 0 or high < 0),
                "status": TESTED,
            }
