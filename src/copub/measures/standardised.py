"""Direct standardisation: the share that a pair would have with the mix of fields and years of the whole panel.

Source: J. L. Fleiss, B. Levin, M. C. Paik (2003), Statistical Methods for Rates and Proportions, chapter 19. The works
of a cell get the weight of that cell in the panel; the interval is Wilson's at Kish's effective number of works, as for
every weighted share (`copub.intervals`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SPAN = 5
"""Years of a cell."""


class Standardised(NamedTuple):
    """A standardised share as sums of weights, and the part of the panel's works whose field the pair has at all."""

    numerator: float
    denominator: float
    squares: float
    cover: float


def cell_weights(panel: Array, own: Array) -> Array:
    """Return the panel's weight of each cell that a pair has works in: fields x spans of years.

    A cell without own works gives its weight to the nearest span of the same field that has some, the earlier of two;
    a field without own works has no weight.

    Parameters
    ----------
    panel, own : works by field and span, of the panel and of the pair.
    """
    weights = np.zeros_like(panel)
    spans = np.arange(panel.shape[1])
    for field in np.flatnonzero(own.sum(axis=1)):
        having = np.flatnonzero(own[field])
        nearest = having[np.abs(spans[:, None] - having).argmin(axis=1)]
        np.add.at(weights[field], nearest, panel[field])
    return weights


def standardised(panel: Array, own: Array, squares: Array, counts: Array) -> Standardised:
    """Return a share of a pair with the panel's mix.

    Parameters
    ----------
    panel : works of the panel by field and span, weighted as it counts.
    own, squares : weights of the pair's works by field and span, and their squares. counts : weights of the works
        that have the property.
    """
    weights = cell_weights(panel, own)
    total = float(weights.sum())
    if not total:
        return Standardised(0.0, 0.0, 0.0, 0.0)
    each = np.divide(weights / total, own, out=np.zeros_like(own), where=own > 0)  # of one work of a cell
    return Standardised(float((each * counts).sum()), 1.0, float((each**2 * squares).sum()), total / float(panel.sum()))
