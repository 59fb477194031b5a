"""Extract beside its limits and beside DuckDB, in one run, on the same files of real records.

JSON Lines: decompression alone, `extract_file` (whole records), DuckDB SQL with one thread (ids
alone, and whole records), in seconds of one core (CPU time, not of the clock), and
the same answer. Parquet: bytes that the first pass
reads against the bytes of the columns that it needs, its time against reading these alone, and
the whole of extract against a scan by polars.

    python benchmarks/extract.py [--rounds 5]

Needs the real records beside the checkout; DuckDB is left out, and stated so, where it is missing.
"""

from __future__ import annotations

import os

os.environ["POLARS_MAX_THREADS"] = "1"  # one core for polars, as for DuckDB

import argparse
import importlib.util
import io
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from common import REAL_WORKS, machine, save
from isal import igzip

from copub.sources.snapshot import parse_pairs
from copub.sources.snapshot.columns import country_leaves, matching_rows
from copub.sources.snapshot.job import Job, extract_file
from copub.sources.snapshot.jsonlines import BLOCK
from copub.sources.snapshot.selection import Asked
from copub.sources.snapshot.storage import open_source
from copub.sources.snapshot.survey import WorksFile, survey

EU = "AT,BE,BG,CY,CZ,DE,DK,EE,ES,FI,FR,GR,HR,HU,IE,IT,LT,LU,LV,MT,NL,PL,PT,RO,SE,SI,SK"
QUESTIONS = {"BE:CN": "BE:CN", "EU members x CN, 27 pairs": EU.replace(",", "/") + ":CN"}
TEXTS = pa.list_(pa.string())
AUTHORSHIP = pa.struct(
    {
        "author": pa.struct({"id": pa.string(), "display_name": pa.string(), "orcid": pa.string()}),
        "author_position": pa.string(),
        "countries": TEXTS,
        "institutions": pa.list_(
            pa.struct({"id": pa.string(), "display_name": pa.string(), "ror": pa.string(), "country_code": pa.string()})
        ),
        "raw_affiliation_strings": TEXTS,
    }
)
SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "title": pa.string(),
        "authorships": pa.list_(AUTHORSHIP),
        "is_xpac": pa.bool_(),
        "referenced_works": TEXTS,
        "related_works": TEXTS,
        "abstract_inverted_index": pa.string(),
    }
)


def best(rounds: int, *calls: Callable[[], Any]) -> list[float]:
    """Return for each call the least seconds of processor time over the rounds, taken by turns."""
    least = [float("inf")] * len(calls)
    for _ in range(rounds):
        for position, call in enumerate(calls):
            start = time.process_time()
            call()
            least[position] = min(least[position], time.process_time() - start)
    return least


def decompress(path: Path) -> int:
    """Decompress a file and throw the text away; return its length."""
    size = 0
    with igzip.open(path) as stream:
        while block := stream.read(BLOCK):
            size += len(block)
    return size


TYPED = """
    SELECT id, coalesce(is_xpac, false) AS left_out, flatten(list_transform(authorships, lambda a: list_concat(
        coalesce(a.countries, []), list_transform(coalesce(a.institutions, []), lambda i: i.country_code)))) AS codes
    FROM read_json(?, format = 'newline_delimited', compression = 'gzip', maximum_object_size = 67108864,
        columns = {id: 'VARCHAR', is_xpac: 'BOOLEAN', authorships:
            'STRUCT(countries VARCHAR[], institutions STRUCT(country_code VARCHAR)[])[]'})"""
WHOLE = """
    SELECT json AS id, coalesce((json->>'$.is_xpac')::BOOLEAN, false) AS left_out, list_concat(
        json->>'$.authorships[*].countries[*]', json->>'$.authorships[*].institutions[*].country_code') AS codes
    FROM read_json_objects(?, format = 'newline_delimited', compression = 'gzip', maximum_object_size = 67108864)"""


def ask_duckdb(path: Path, asked: Asked, works: str) -> list[str]:
    """Return the works that join the pairs, by SQL in one thread: ids (`TYPED`) or records (`WHOLE`)."""
    import duckdb

    sides = (f"({touches(pair.side_a)} AND {touches(pair.side_b)})" for pair in asked.pairs)
    query = f"WITH works AS ({works}) SELECT id FROM works WHERE NOT left_out AND ({' OR '.join(sides)})"
    connection = duckdb.connect(config={"threads": 1})
    rows = connection.execute(query, [str(path)]).fetchall()
    connection.close()
    return [row[0] for row in rows]


def touches(side: tuple[str, ...]) -> str:
    return f"list_has_any(codes, {list(side)})"


def bench_lines(file: WorksFile, folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Print JSON Lines: decompression, extract, DuckDB; return the figures."""
    rows = []
    path = Path(file.path)
    size = decompress(path)
    print(f"JSON Lines: {file.size / 1e6:.0f} MB gzip, {size / 1e6:.0f} MB of text")
    has_duckdb = importlib.util.find_spec("duckdb") is not None
    for label, sides in QUESTIONS.items():
        job = Job(str(folder), file, Asked(parse_pairs([sides])))
        done = extract_file(job)
        assert done.part is not None
        lines = pq.read_table(io.BytesIO(done.part))["line"].to_pylist()
        found = sorted(orjson.loads(line)["id"] for line in lines)
        calls: list[Callable[[], Any]] = [lambda: decompress(path), lambda job=job: extract_file(job)]
        if has_duckdb:
            for works in (TYPED, WHOLE):
                answer = sorted(
                    a if works is TYPED else orjson.loads(a)["id"] for a in ask_duckdb(path, job.asked, works)
                )
                assert answer == found, f"DuckDB finds {len(answer)} works, extract {len(found)}"
                calls.append(lambda job=job, works=works: ask_duckdb(path, job.asked, works))
        alone, ours, *theirs = best(rounds, *calls)
        print(f"  {label}: {len(found)} works")
        print(f"    decompression alone {alone:7.3f} s  {size / alone / 1e6:6.0f} MB/s")
        print(f"    extract             {ours:7.3f} s  {size / ours / 1e6:6.0f} MB/s  {alone / ours:5.2f} of its speed")
        rows.append({"question": label, "works": len(found), "decompression": alone, "extract": ours, "duckdb": theirs})
        for what, seconds in zip(("ids alone", "records"), theirs, strict=False):
            same = f"extract is {seconds / ours:.1f} times as fast, same works"
            print(f"    DuckDB, {what:11} {seconds:7.3f} s  {size / seconds / 1e6:6.0f} MB/s  {same}")
    if not has_duckdb:
        print("    DuckDB is not installed: pip install duckdb")
    return rows


class Counting(io.FileIO):
    """A file that counts the bytes read from it."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        data = super().read(size) or b""
        self.taken += len(data)
        return data


def write_parquet(source: Path, target: Path) -> None:
    """Write the real records with the main columns of the snapshot's Parquet files."""
    with igzip.open(source) as lines, pq.ParquetWriter(target, SCHEMA, compression="zstd") as writer:
        rows: list[dict[str, Any]] = []
        for line in lines:
            work = orjson.loads(line)
            work["abstract_inverted_index"] = orjson.dumps(work.get("abstract_inverted_index")).decode()
            rows.append(work)
            if len(rows) == 4000:
                writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
                rows = []
        writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))


def scan_polars(path: Path) -> list[str]:
    """Return the works of Belgium and China, by a scan of polars over the whole file."""
    author = pl.element().struct.field
    institution = pl.element().struct.field("country_code")
    codes = pl.concat_list(
        pl.col("authorships").list.eval(author("countries").explode()),
        pl.col("authorships").list.eval(author("institutions").explode()).list.eval(institution),
    )
    kept = ~pl.col("is_xpac").fill_null(False) & codes.list.contains("BE") & codes.list.contains("CN")
    return pl.scan_parquet(path).filter(kept).collect()["id"].sort().to_list()


def bench_columns(path: Path, rounds: int) -> dict[str, Any]:
    """Print Parquet: bytes and time of the first pass against the columns that it needs; return the figures."""
    asked = Asked(parse_pairs(["BE:CN"]))
    handle = Counting(path)
    file = pq.ParquetFile(handle, pre_buffer=True)
    leaves = list(country_leaves(file).values())
    groups = range(file.num_row_groups)
    columns = [file.metadata.row_group(g).column(c) for g in groups for c in range(len(file.schema))]
    needed = sum(column.total_compressed_size for column in columns if column.path_in_schema in leaves)
    before = handle.taken

    def first_pass() -> list[int]:
        return [len(matching_rows(file, asked, group)[0]) for group in groups]

    found = first_pass()
    taken = handle.taken - before
    alone, ours = best(rounds, lambda: [file.read_row_group(g, columns=leaves) for g in groups], first_pass)
    whole = WorksFile(str(path), "updated_date=2026-01-01/works.parquet", "parquet", path.stat().st_size, 0, None)
    job = Job(str(path.parent), whole, asked)
    done = extract_file(job)
    assert done.part is not None
    lines = pq.read_table(io.BytesIO(done.part))["line"].to_pylist()
    assert sorted(orjson.loads(line)["id"] for line in lines) == scan_polars(path), "polars finds other works"
    extracted, polars = best(rounds, lambda: extract_file(job), lambda: scan_polars(path))
    print(f"Parquet: {path.stat().st_size / 1e6:.0f} MB, {len(found)} row groups, {sum(map(bool, found))} with a match")
    print(f"  columns needed   {needed:10,} bytes, {100 * needed / path.stat().st_size:.1f} % of the file")
    print(f"  first pass reads {taken:10,} bytes, {taken / needed:.2f} of what it needs")
    print(f"  reading these alone {alone:.3f} s, first pass {ours:.3f} s of one core")
    times = polars / extracted
    print(f"  extract {extracted:.3f} s, polars scan {polars:.3f} s: {times:.1f} times as fast, same works")
    seconds = {"reading": alone, "first_pass": ours, "extract": extracted, "polars": polars}
    return {"needed_bytes": needed, "read_bytes": taken, "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="times each is measured; the least counts")
    parser.add_argument("--json", type=Path, help="write the figures and the machine here")
    options = parser.parse_args()
    source, described = REAL_WORKS, machine()
    if not source.is_file():
        print("no real records beside the checkout: nothing to measure")
        return
    print(json.dumps(described))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        partition = folder / "jsonl" / "works" / "updated_date=2026-01-01"
        partition.mkdir(parents=True)
        (partition / "part_0000.gz").symlink_to(source)
        lines = bench_lines(survey(*open_source(name)).files[0], folder, options.rounds)
        write_parquet(source, folder / "works.parquet")
        columns = bench_columns(folder / "works.parquet", options.rounds)
    save(options.json, described, {"lines": lines, "columns": columns})


if __name__ == "__main__":
    main()
