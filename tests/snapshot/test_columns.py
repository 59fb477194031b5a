"""Parquet: codes are read first, full rows only where they matched, as JSON like that of JSON Lines."""

from __future__ import annotations

import io
import random
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.errors import Fault
from copub.pairs import parse_pairs
from copub.sources.snapshot.columns import country_leaves, matching_rows, scan_columns
from copub.sources.snapshot.part import PartWriter
from copub.sources.snapshot.selection import Asked, countries_of_work

BE_CN = Asked(parse_pairs(["BE:CN"]))
EU_ASIA = Asked(parse_pairs(["AT/BE/FR,DE:CN,HK", "VN:FR"]))
CODES = st.sampled_from(["BE", "CN", "FR", "DE", "AT", "HK", "VN", "US", ""]) | st.none()


class Counting(io.FileIO):
    """A file that counts the bytes read from it."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        data = super().read(size) or b""
        self.taken += len(data)
        return data


def scan(path: Path, asked: Asked) -> tuple[list[dict[str, Any]], PartWriter]:
    writer = PartWriter()
    with path.open("rb") as handle:
        records = scan_columns(handle, asked, writer, path.name, lambda _: None)
    lines = pq.read_table(io.BytesIO(writer.finish(records)))["line"].to_pylist()
    return [orjson.loads(line) for line in lines], writer


def test_rows_come_out_as_the_same_values_as_in_json_lines(builder: Any, tmp_path: Path) -> None:
    works = builder.works(60)
    builder.write(tmp_path / "works.parquet", works)
    found, writer = scan(tmp_path / "works.parquet", BE_CN)
    joined = [work for work in works if BE_CN.joined(countries_of_work(work))]
    assert found == [work for work in joined if not work["is_xpac"]]
    assert found
    assert writer.expansion == sum(work["is_xpac"] for work in joined) > 0


authors = st.fixed_dictionaries(
    {
        "countries": st.lists(CODES, max_size=2) | st.none(),
        "institutions": st.lists(st.fixed_dictionaries({"country_code": CODES}) | st.none(), max_size=2) | st.none(),
    }
)


@given(st.lists(st.lists(authors | st.none(), max_size=3) | st.none(), min_size=1, max_size=7), st.integers(1, 4))
def test_the_first_pass_finds_the_rows_that_full_parsing_finds(rows: list[Any], group: int) -> None:
    author = pa.struct(
        {
            "countries": pa.list_(pa.string()),
            "institutions": pa.list_(pa.struct({"id": pa.string(), "country_code": pa.string()})),
        }
    )
    table = pa.table({"authorships": pa.array(rows, pa.list_(author))})
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=group)
    file = pq.ParquetFile(sink)
    found: dict[int, list[int]] = {}
    for number in range(file.num_row_groups):
        matched, _ = matching_rows(file, EU_ASIA, number)
        found |= {number * group + row: pairs for row, pairs in matched.items()}
    wanted = {}
    for number, row in enumerate(rows):
        joined = EU_ASIA.joined(countries_of_work({"authorships": [a for a in row or [] if a]}))
        wanted |= {number: joined} if joined else {}
    assert found == wanted


def random_works(builder: Any, count: int, codes: str) -> list[dict[str, Any]]:
    """Works that do not compress to nothing: random codes, references and words."""
    draw = random.Random(7)
    return [
        builder.work(
            number,
            [builder.author(draw.sample(codes.split(), 2), draw.sample(codes.split(), 1)) for _ in range(5)],
            referenced_works=[f"https://openalex.org/W{draw.getrandbits(32)}" for _ in range(9)],
            abstract_inverted_index={f"{draw.getrandbits(64):x}": [place] for place in range(20)},
        )
        for number in range(count)
    ]


@pytest.mark.slow
def test_the_first_pass_reads_at_most_half_more_than_the_columns_of_codes(builder: Any, tmp_path: Path) -> None:
    path = tmp_path / "works.parquet"
    builder.write(path, random_works(builder, 6000, "BE CN FR DE US GB IT ES JP KR IN BR"), row_group=3000)
    handle = Counting(path)
    file = pq.ParquetFile(handle, pre_buffer=True)
    footer = handle.taken
    leaves = set(country_leaves(file).values())
    needed = 0
    for group in range(file.num_row_groups):
        facts = file.metadata.row_group(group)
        columns = [facts.column(c) for c in range(facts.num_columns)]
        needed += sum(c.total_compressed_size for c in columns if c.path_in_schema in leaves)
        matching_rows(file, BE_CN, group)
    assert len(leaves) == 3
    assert needed <= handle.taken - footer <= 1.5 * needed


def test_row_groups_without_a_match_are_not_read_in_full(builder: Any, tmp_path: Path) -> None:
    path = tmp_path / "works.parquet"
    works = random_works(builder, 2000, "FR DE US")
    works[1999]["authorships"] = [builder.author(["BE"], []), builder.author([], ["CN"])]
    builder.write(path, works, row_group=500)
    handle = Counting(path)
    scan_columns(handle, BE_CN, PartWriter(), "part", lambda _: None)
    assert handle.taken < path.stat().st_size / 2


def test_an_abstract_that_is_cut_off_stays_the_text_it_is(builder: Any, tmp_path: Path) -> None:
    work = builder.work(1, [builder.author(["BE", "CN"], [])])
    builder.write(tmp_path / "works.parquet", [work])
    table = pq.read_table(tmp_path / "works.parquet")
    position = table.schema.get_field_index("abstract_inverted_index")
    table = table.set_column(position, "abstract_inverted_index", pa.array(['{"Invented": [0], "wo']))
    pq.write_table(table, tmp_path / "works.parquet")
    assert scan(tmp_path / "works.parquet", BE_CN)[0][0]["abstract_inverted_index"] == '{"Invented": [0], "wo'


def test_a_row_without_work_id_is_named(builder: Any, tmp_path: Path) -> None:
    authors = [builder.author(["BE", "CN"], [])]
    builder.write(tmp_path / "works.parquet", [builder.work(1, []), builder.work(2, authors, id=None)])
    found, writer = scan(tmp_path / "works.parquet", BE_CN)
    assert found == []
    assert [fault.where for fault in writer.faults] == ["works.parquet:2"]
    assert isinstance(writer.faults[0], Fault)


def test_a_file_without_columns_of_codes_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["W1"]}), tmp_path / "works.parquet")
    with pytest.raises(ValueError, match=r"no columns authorships\.countries"):
        scan(tmp_path / "works.parquet", BE_CN)


@pytest.mark.parametrize("wrapper", ["list.element", "list.item", "bag.array_element", "array"])
def test_leaves_are_found_whatever_the_writer_called_the_levels_of_lists(wrapper: str, tmp_path: Path) -> None:
    class File:
        def __init__(self, paths: list[str]) -> None:
            self.schema = [type("Column", (), {"path": path})() for path in paths]
            columns = self.schema
            self.schema = type("Schema", (), {"__len__": lambda _: len(columns), "column": lambda _, n: columns[n]})()

    path = f"authorships.{wrapper}.institutions.{wrapper}.country_code"
    assert country_leaves(File(["id", path, "institutions.list.element.country_code"])) == {  # type: ignore[arg-type]
        ("authorships", "institutions", "country_code"): path
    }


def test_columns_that_json_has_no_kind_for_come_out_as_text(tmp_path: Path) -> None:
    authorships = [[{"countries": ["BE", "CN"]}]]
    odd = {"raw": [b"a\xff"], "fee": [Decimal("1.50")], "taken": [timedelta(seconds=90)]}
    pq.write_table(pa.table({"id": ["W1"], "authorships": authorships, **odd}), tmp_path / "works.parquet")
    (work,), writer = scan(tmp_path / "works.parquet", BE_CN)
    assert (work["raw"], work["fee"], work["taken"]) == ("a\\xff", "1.50", "0:01:30")
    assert not writer.faults


def test_a_mark_of_the_expansion_corpus_that_is_no_truth_value_is_named(tmp_path: Path) -> None:
    table = pa.table({"id": ["W1"], "authorships": [[{"countries": ["BE", "CN"]}]], "is_xpac": ["false"]})
    pq.write_table(table, tmp_path / "works.parquet")
    with pytest.raises(ValueError, match="is_xpac is string, not bool"):
        scan(tmp_path / "works.parquet", BE_CN)
