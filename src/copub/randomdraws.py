"""Random draws that are the same numbers with every version of numpy.

Tables must have the same bytes on every machine. numpy keeps the numbers of `RandomState` for ever and those of
`Generator` not: since numpy 2.5 its binomial draws differ. Source: NumPy Enhancement Proposal 19, Random Number
Generator Policy (2018). One thing did change: whether a draw with a chance of 0 or 1 uses up random numbers. So
nothing is drawn here where nothing is left to chance.
"""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray


def draws_of(seed: int) -> RandomState:
    """Return a source of random numbers: the same for the same seed, for ever."""
    return RandomState(seed)


def multinomial(
    source: RandomState, number: int, chances: NDArray[np.float64], size: int | None = None
) -> NDArray[np.int64]:
    """Share out a number of works over cells, `size` times (None: once); cells without a chance stay empty.

    Examples
    --------
    >>> import numpy as np
    >>> multinomial(draws_of(1), 10, np.array([0.0, 1.0])).tolist()
    [0, 10]
    """
    some = chances > 0
    drawn = source.multinomial(number, chances[some], size)
    found = np.zeros((*drawn.shape[:-1], chances.size), dtype=np.int64)
    found[..., some] = drawn
    return found


def multinomial_by_row(source: RandomState, number: int, chances: NDArray[np.float64]) -> NDArray[np.int64]:
    """Share out a number of works over cells, each row with chances of its own.

    Parameters
    ----------
    number : works in each row.
    chances : rows x cells, each row with the sum 1.

    Returns
    -------
    rows x cells, each row with the sum `number`: each cell is drawn given those before it (binomial).

    Examples
    --------
    >>> import numpy as np
    >>> multinomial_by_row(draws_of(1), 10, np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])).sum(axis=1).tolist()
    [10, 10]
    """
    found = np.zeros(chances.shape, dtype=np.int64)
    left = np.full(chances.shape[0], number, dtype=np.int64)
    chance_left = chances[:, ::-1].cumsum(axis=1)[:, ::-1]
    for cell in range(chances.shape[1] - 1):
        of_rest = np.divide(chances[:, cell], chance_left[:, cell], where=chance_left[:, cell] > 0, out=left * 0.0)
        is_open = (left > 0) & (of_rest > 0) & (of_rest < 1)
        found[:, cell] = np.where(of_rest >= 1, left, 0)
        found[is_open, cell] = source.binomial(left[is_open], of_rest[is_open])
        left -= found[:, cell]
    found[:, -1] = left
    return found


def hypergeometric_cells(source: RandomState, cells: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Draw works without replacement and return how many are of each cell.

    Parameters
    ----------
    cells : works of each cell.
    size : works drawn, at most as many as there are.

    Examples
    --------
    >>> import numpy as np
    >>> hypergeometric_cells(draws_of(1), np.array([3, 0, 4]), 7).tolist()
    [3, 0, 4]
    """
    found = np.zeros(cells.size, dtype=np.int64)
    left = size
    for cell, works in enumerate(cells[:-1]):
        rest = int(cells[cell + 1 :].sum())
        if left and works and rest:
            found[cell] = source.hypergeometric(works, rest, left)
        elif works:
            found[cell] = left
        left -= int(found[cell])
    found[-1] = left
    return found
