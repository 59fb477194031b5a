"""Two settings compared as paired changes of the same works: who enters, who leaves, and what that does to a share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from copub.intervals import DIGITS, with_intervals

if TYPE_CHECKING:
    from copub.study import Study

Array = NDArray[np.float64]


class Rest(NamedTuple):
    """The works that have a property neither under the study's setting nor under another, as sums.

    of, squares : what they weigh under the other setting. products : that times what they weigh under the study's.
    """

    of: float = 0.0
    squares: float = 0.0
    products: float = 0.0
    entered: int = 0
    left: int = 0

    @classmethod
    def between(cls, own: Array, other: Array) -> Rest:
        """Return the sums of works with these weights."""
        inside, still = own > 0, other > 0
        entered, left = int((still & ~inside).sum()), int((inside & ~still).sum())
        return cls(float(other.sum()), float((other**2).sum()), float((own * other).sum()), entered, left)


class Headline(NamedTuple):
    """A share under one setting: which works have the property, and what each weighs (0: it is left out)."""

    has: NDArray[np.bool_]
    of: Array
    rest: Rest = Rest()

    @property
    def counted(self) -> Array:
        """Return what each work brings to the numerator."""
        return self.of * self.has

    @property
    def total(self) -> float:
        """Return what all works weigh."""
        return float(self.of.sum()) + self.rest.of

    @property
    def share(self) -> float | None:
        """Return the share, None over no works."""
        return float(self.counted.sum()) / self.total if self.total else None


def changes(own: Headline, others: Mapping[tuple[str, str], Headline], study: Study) -> pl.DataFrame:
    """Return rows of table ``sensitivity``: the study's own headline, then each other one against it.

    Parameters
    ----------
    others : by switch and setting, over the same works in the same order.
    """
    named = {("base", "the study as it is"): own, **others}
    rows = [
        {
            "switch": switch,
            "setting": setting,
            "numerator": float(one.counted.sum()),
            "denominator": one.total,
            "squares": float((one.of**2).sum()) + one.rest.squares,
            **paired_change(own, one, study.confidence),
        }
        for (switch, setting), one in named.items()
    ]
    counts = ("gained", "lost", "entered", "left")
    floats = ("numerator", "denominator", "squares", "difference", "difference_low", "difference_high")
    schema = {"switch": pl.String, "setting": pl.String, **dict.fromkeys(floats, pl.Float64)}
    frame = pl.DataFrame(rows, schema=schema | dict.fromkeys(counts, pl.Int32))
    return (
        with_intervals(frame, study.confidence)
        .drop("squares")
        .with_columns(
            ((pl.col("numerator") < study.small_cell) | (pl.col("denominator") < study.small_rate)).alias("is_small"),
            pl.col("difference", "difference_low", "difference_high").round(DIGITS),
        )
    )


def paired_change(own: Headline, other: Headline, confidence: float) -> dict[str, float | int | None]:
    """Return how the share changes from one setting to another over the same works.

    The difference of two ratios is linear, work by work, in (x - R w) / W, so that works which both settings
    treat alike cancel out; its standard error is the root of the sum of squares (linearisation: W. G. Cochran
    1977, Sampling Techniques, chapter 6).
    """
    inside, still = own.of > 0, other.of > 0
    before, after = inside & own.has, still & other.has
    found: dict[str, float | int | None] = {
        "gained": int((after & ~before).sum()),
        "lost": int((before & ~after).sum()),
        "entered": int((still & ~inside).sum()) + other.rest.entered,
        "left": int((inside & ~still).sum()) + other.rest.left,
        "difference": None,
        "difference_low": None,
        "difference_high": None,
    }
    share, other_share = own.share, other.share
    if share is None or other_share is None:
        return found
    moved = other.of * (other.has - other_share) / other.total - own.of * (own.has - share) / own.total
    a, b = other_share / other.total, share / own.total
    of_rest = a**2 * other.rest.squares - 2 * a * b * other.rest.products + b**2 * own.rest.squares
    reach = float(ndtri(0.5 + confidence / 2)) * float(np.sqrt((moved**2).sum() + max(of_rest, 0.0)))
    difference = other_share - share
    ends = {"difference_low": difference - reach, "difference_high": difference + reach}
    return found | {"difference": difference} | ends
