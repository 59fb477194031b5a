"""Joint adjustment: the scores of all areas of a work are moved until they agree with the score of "any area".

One work in two areas is often hard to place and yet plainly critical, another is beside all of
them: a base classifier of its own says whether a work is in any area. All areas of the work are then moved
by the same step on the scale of logits, until together they say what the base classifier and they say.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.float64]
STEPS = 12


def any_logits(logits: Logits) -> Logits:
    """Return the logit of "in any area" of each work (works x areas), were the areas independent."""
    return _inverse(np.logaddexp(0.0, logits).sum(axis=1))


def move_together(logits: Logits, wanted: Logits) -> Logits:
    """Move all areas of a work by one step, so that "in any area" has the logit `wanted` (one a work)."""
    target = np.logaddexp(0.0, wanted)
    step = wanted - any_logits(logits)
    for _ in range(STEPS):  # Newton on the logarithm of both sides, which is next to a straight line
        moved = logits + step[:, None]
        implied = np.logaddexp(0.0, moved)
        rise = np.exp(moved - implied).sum(axis=1)
        implied = np.maximum(implied.sum(axis=1), 1e-300)
        step = step - np.log(implied / target) * implied / np.maximum(rise, 1e-300)
    return np.asarray(logits + step[:, None])


def adjust_jointly(logits: Logits, whole: Logits, weights: tuple[float, float, float]) -> Logits:
    """Return logits of the areas after all were moved.

    Parameters
    ----------
    logits : works x areas, calibrated; `whole` : what the base classifier for any area says, one per work.
    weights : weight of the areas, weight of the base classifier, bias.
    """
    of_areas, of_head, bias = weights
    return move_together(logits, of_areas * any_logits(logits) + of_head * whole + bias)


def _inverse(value: Logits) -> Logits:
    """Return x where log(1 + e^x) is the value."""
    return np.asarray(value + np.log(-np.expm1(-np.maximum(value, 1e-12))))
