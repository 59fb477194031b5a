"""Rules of the schema: every column has a meaning; a table has exactly its columns."""

from __future__ import annotations

import polars as pl
import pytest

from copub.schema import TABLES, UnknownShape, conform, data_dictionary, empty

DESIGN = {
    "works", "authorships", "affiliations", "assignments", "hits", "copublications", "shares", "trends",
    "institutions", "pairs", "coverage", "sensitivity",
}  # fmt: skip


def test_all_tables_of_the_design_are_there() -> None:
    assert set(TABLES) >= DESIGN


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_column_has_a_meaning_and_the_key_is_made_of_columns(name: str) -> None:
    table = TABLES[name]
    assert table.row
    assert all(len(column.meaning) >= 3 for column in table.columns)
    assert set(table.key) <= set(table.schema)
    assert len(table.schema) == len(table.columns)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_column_stands_in_the_data_dictionary(name: str) -> None:
    section = data_dictionary().split(f"## {name}\n")[1].split("\n## ")[0]
    assert all(f"| `{column.name}` |" in section for column in TABLES[name].columns)


def test_conform_orders_columns_and_rows() -> None:
    frame = empty("topics").clear()
    rows = pl.DataFrame({"rank": [1, 0], "work_id": ["W1", "W1"]}).with_columns(
        pl.lit(None).alias(column) for column in frame.columns if column not in ("rank", "work_id")
    )
    made = conform("topics", rows)
    assert made.columns == frame.columns
    assert made["rank"].to_list() == [0, 1]


def test_a_missing_or_extra_column_is_a_fault_of_copub() -> None:
    with pytest.raises(UnknownShape, match="lacks") as caught:
        conform("topics", empty("topics").drop("score").with_columns(pl.lit(1).alias("extra")))
    assert caught.value.exit_code == 1
    assert "score" in str(caught.value)
    assert "extra" in str(caught.value)
