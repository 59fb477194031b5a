"""Rules of the draws for reading: stable against other rows, larger sheets hold smaller ones, seeds differ."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from copub.draw import draw_order, in_draw_order

ids = st.lists(st.text(st.characters(codec="utf-8"), max_size=6), unique=True, max_size=20)


@given(ids, st.text(st.characters(codec="utf-8"), max_size=6), st.integers(0, 20))
def test_one_id_more_replaces_at_most_one_drawn_row(names: list[str], other: str, size: int) -> None:
    def drawn(values: list[str]) -> list[str]:
        return in_draw_order(pl.DataFrame({"id": values}, schema={"id": pl.String}), "id")["id"].to_list()

    before, after = drawn(names), drawn([other, *(name for name in names if name != other)])
    assert [name for name in after if name != other] == [name for name in before if name != other]
    assert len(set(before[:size]) - set(after[:size])) <= 1
    assert before == sorted(names, key=draw_order)


def test_another_seed_draws_in_another_order_and_pairs_are_no_single_ids() -> None:
    frame = pl.DataFrame({"id": [f"W{number}" for number in range(50)], "other": ["x"] * 50})
    orders = [in_draw_order(frame, *columns, seed=seed)["id"].to_list() for columns, seed in (
        (("id",), "copub"), (("id",), "other"), (("id", "other"), "copub"),
    )]  # fmt: skip
    assert len({tuple(order) for order in orders}) == 3
    assert draw_order("W1").startswith("320f0daf69712b61")  # the draws of earlier versions hold
