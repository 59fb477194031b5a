"""Parquet: the leaf columns of country codes first, then full rows of the row groups that matched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from copub.errors import Fault
from copub.sources.snapshot.part import PartWriter, number_of
from copub.sources.snapshot.selection import Asked

BROKEN_PARQUET = (pa.ArrowException, OSError)
ROWS = 512
# names between a list and what it holds, as writers of Parquet have used them
_WRAPPERS = frozenset({"list", "element", "array", "array_element", "bag", "item"})
_COUNTRIES = (("authorships", "countries"), ("authorships", "institutions", "country_code"))
_EXPANSION = ("is_xpac",)


def country_leaves(file: pq.ParquetFile) -> dict[tuple[str, ...], str]:
    """Return the leaf columns that the first pass needs: names without list wrappers, to path in the file.

    Raises
    ------
    ValueError : the file has no country codes of authorships, or its `is_xpac` is neither true nor false.
    """
    schema = file.schema
    leaves: dict[tuple[str, ...], str] = {}
    for position in range(len(schema)):
        path = schema.column(position).path
        names = tuple(part for part in path.split(".") if part not in _WRAPPERS)
        if names in (*_COUNTRIES, _EXPANSION):
            leaves[names] = path
    if _EXPANSION in leaves and not pa.types.is_boolean(file.schema_arrow.field(_EXPANSION[0]).type):
        raise ValueError(f"is_xpac is {file.schema_arrow.field(_EXPANSION[0]).type}, not bool")
    if not any(names in leaves for names in _COUNTRIES):
        raise ValueError("no columns authorships.countries or authorships.institutions.country_code")
    return leaves


def matching_rows(file: pq.ParquetFile, asked: Asked, group: int) -> tuple[dict[int, list[int]], int]:
    """Return from one row group the rows that join pairs, with these, and the number left out as expansion."""
    codes = sorted({code for pair in asked.pairs for code in (*pair.side_a, *pair.side_b)})
    table, present = _present(file, group, codes)
    matched = np.zeros((table.num_rows, len(asked.pairs)), dtype=bool)
    for position, pair in enumerate(asked.pairs):
        a, b = ([codes.index(code) for code in side] for side in (pair.side_a, pair.side_b))
        matched[:, position] = present[:, a].any(axis=1) & present[:, b].any(axis=1)
    found = matched.any(axis=1)
    left_out = np.zeros_like(found)
    if not asked.expansion and _EXPANSION[0] in table.column_names:
        left_out = pc.fill_null(table[_EXPANSION[0]], False).to_numpy() & found
    wanted = np.flatnonzero(found & ~left_out).tolist()
    return {row: np.flatnonzero(matched[row]).tolist() for row in wanted}, int(left_out.sum())


def rows_of_two_codes(file: pq.ParquetFile, group: int) -> list[int]:
    """Return the rows of one row group that name two countries or more."""
    leaves = [(names, path) for names, path in country_leaves(file).items() if names in _COUNTRIES]
    table = file.read_row_group(group, columns=[path for _, path in leaves])
    found = [_leaf_values(table[names[0]].combine_chunks(), names[1:]) for names, _ in leaves]
    named = pl.concat(
        pl.DataFrame({"row": rows, "code": pl.Series(pl.from_arrow(values), dtype=pl.String)}) for rows, values in found
    )
    counted = named.drop_nulls().group_by("row").agg(pl.col("code").n_unique())
    return counted.filter(pl.col("code") > 1)["row"].sort().to_list()


def _present(file: pq.ParquetFile, group: int, codes: Sequence[str]) -> tuple[pa.Table, NDArray[np.bool_]]:
    """Return the leaf columns of one row group, and for each row and code whether the row has it."""
    leaves = country_leaves(file)
    table = file.read_row_group(group, columns=list(leaves.values()))
    present = np.zeros((table.num_rows, len(codes)), dtype=bool)
    for names in _COUNTRIES:
        if names in leaves:
            rows, values = _leaf_values(table[names[0]].combine_chunks(), names[1:])
            places = pc.fill_null(pc.index_in(values, value_set=pa.array(codes, values.type)), -1).to_numpy()
            known = places >= 0
            present[rows[known], places[known]] = True
    return table, present


def _leaf_values(array: Any, names: tuple[str, ...]) -> tuple[Any, Any]:
    """Return for every value of a leaf the row in which it is, and the values."""
    rows = np.arange(len(array))
    left = list(names)
    while True:
        if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
            rows = rows[pc.list_parent_indices(array).to_numpy(zero_copy_only=False)]
            array = pc.list_flatten(array)
        elif left:
            array = pc.struct_field(array, left.pop(0))
        else:
            return rows, array


def scan_columns(handle: Any, asked: Asked, writer: PartWriter, where: str, moved: Callable[[float], Any]) -> int:
    """Hand the works of the asked pairs to `writer`, in order, as JSON, and return the number of rows.

    Parameters and errors are those of `pass_rows`.
    """

    def matching(file: pq.ParquetFile, group: int) -> dict[int, list[int]]:
        rows, left_out = matching_rows(file, asked, group)
        writer.expansion += left_out
        return rows

    return pass_rows(handle, matching, lambda work, pairs, at: _take_row(work, pairs, writer, at), where, moved)


def pass_rows(
    handle: Any,
    wanted: Callable[[pq.ParquetFile, int], Mapping[int, list[int]]],
    take: Callable[[dict[str, Any], list[int], str], None],
    where: str,
    moved: Callable[[float], Any],
) -> int:
    """Hand the wanted rows to `take`, in order, each with what `wanted` says of it and its place; return all rows.

    `abstract_inverted_index`, a JSON string in Parquet, becomes the object that JSON Lines has.

    Raises
    ------
    ValueError : the file has no country codes.
    pyarrow.ArrowException, OSError : the file is damaged or cannot be read.
    """
    file = pq.ParquetFile(handle, pre_buffer=True, page_checksum_verification=True)
    country_leaves(file)
    before = 0
    for group in range(file.num_row_groups):
        rows = wanted(file, group)
        for row, work in _full_rows(file, group, rows):
            take(work, rows[row], f"{where}:{before + row + 1}")
        facts = file.metadata.row_group(group)
        before += facts.num_rows
        moved(sum(facts.column(c).total_compressed_size for c in range(facts.num_columns)))
    return before


def as_json(work: dict[str, Any]) -> bytes:
    """Return a row as JSON; dates and times become ISO 8601 text."""
    return orjson.dumps(work, default=_as_text, option=orjson.OPT_UTC_Z)


def _take_row(work: dict[str, Any], pairs: list[int], writer: PartWriter, where: str) -> None:
    try:
        number = number_of(work)
    except ValueError as error:
        writer.faults.append(Fault(where, f"no work: {error}", "get the file again, or report it to OpenAlex"))
        return
    writer.add(number, pairs, as_json(work))


def _as_text(value: Any) -> str:
    """Return as text what JSON has no kind for: bytes, decimals, durations of columns that copub does not read."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _full_rows(file: pq.ParquetFile, group: int, rows: Iterable[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    wanted = np.array(sorted(rows), dtype=np.int64)
    if not len(wanted):
        return
    start = 0
    for batch in file.iter_batches(batch_size=ROWS, row_groups=[group]):
        here = wanted[(wanted >= start) & (wanted < start + len(batch))]
        if len(here):
            for row, work in zip(here.tolist(), batch.take(pa.array(here - start)).to_pylist(), strict=True):
                yield row, _with_abstract(work)
        start += len(batch)


def _with_abstract(work: dict[str, Any]) -> dict[str, Any]:
    index = work.get("abstract_inverted_index")
    if isinstance(index, str):
        try:
            work["abstract_inverted_index"] = orjson.loads(index)
        except orjson.JSONDecodeError:
            return work  # long ones are cut off in the snapshot: the string stays, tabulate reads what it can
    return work
