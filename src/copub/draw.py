"""Drawing what people read: the order of the draw is a hash of the id, so it is the same on every machine.

One row more or less changes the place of no other row, and a larger sheet holds the smaller one.
"""

from __future__ import annotations

import hashlib

import polars as pl

from copub.names import SEED

_BETWEEN = "\x1f"  # in no id and no printed string


def draw_order(key: str, seed: str = SEED) -> str:
    """Return the place of an id in the draw.

    Parameters
    ----------
    key : the id.
    seed : another seed gives another order.

    Returns
    -------
    64 hexadecimal digits (SHA-256): sorted by these, ids are in the order of the draw.
    """
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()


def in_draw_order(rows: pl.DataFrame, *columns: str, seed: str = SEED) -> pl.DataFrame:
    """Return rows in the order of the draw.

    Parameters
    ----------
    rows : one row per id.
    columns : the columns of text that together are the id.
    seed : the same seed gives the same order.
    """
    keys = rows.select(pl.concat_str(pl.col(columns).fill_null(""), separator=_BETWEEN)).to_series()
    places = pl.Series([draw_order(key, seed) for key in keys], dtype=pl.String)
    return rows[places.arg_sort()]
