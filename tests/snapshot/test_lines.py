"""JSON Lines: the byte test never loses a work, whatever the bytes look like."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import orjson
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copub.pairs import parse_pairs
from copub.sources.snapshot import jsonlines
from copub.sources.snapshot.jsonlines import byte_test, scan_lines
from copub.sources.snapshot.part import PartWriter
from copub.sources.snapshot.selection import Asked, countries_of_work

BE_CN = Asked(parse_pairs(["BE:CN"]))
EU_ASIA = Asked(parse_pairs(["AT/BE/FR,DE:CN,HK", "VN:FR"]))
CODES = st.sampled_from(["BE", "CN", "FR", "DE", "AT", "HK", "VN", "US"])


def scan(data: bytes, asked: Asked) -> tuple[list[bytes], int, PartWriter]:
    writer = PartWriter()
    records = scan_lines(io.BytesIO(gzip.compress(data)), asked, writer, "part", lambda _: None)
    return pq.read_table(io.BytesIO(writer.finish(records)))["line"].to_pylist(), records, writer


@st.composite
def works(draw: st.DrawFn) -> dict[str, Any]:
    """Works with codes in both places, codes where they mean nothing, and keys in any order."""
    authors = []
    for _ in range(draw(st.integers(0, 3))):
        institutions = [{"country_code": code} for code in draw(st.lists(CODES | st.none(), max_size=2))]
        author: dict[str, Any] = {"institutions": institutions, "countries": draw(st.lists(CODES, max_size=2))}
        for key in draw(st.sets(st.sampled_from(["institutions", "countries"]), max_size=1)):
            author[key] = draw(st.sampled_from([None, []]))
        authors.append(author)
    work = {
        "id": f"https://openalex.org/W{draw(st.integers(1, 10**10))}",
        "title": draw(st.text(max_size=20) | CODES | st.none()),
        "authorships": authors,
    }
    return {key: work[key] for key in draw(st.permutations(list(work)))}


@st.composite
def written(draw: st.DrawFn, value: dict[str, Any]) -> bytes:
    """The value as some encoder of JSON may write it: spaces, escapes of any character, line ends."""
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " : ")]))
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), separators=separators)
    for letter in draw(st.sets(st.sampled_from("BECNFRHK"), max_size=3)):
        text = text.replace(letter, f"\\u{ord(letter):04{draw(st.sampled_from('xX'))}}") if "\\" not in text else text
    # a lone surrogate in a title has no UTF-8
    return text.encode(errors="replace") + draw(st.sampled_from([b"", b"\r", b"  "]))


@given(st.data())
def test_the_byte_test_lets_every_work_of_the_pairs_through(data: st.DataObject) -> None:
    asked = data.draw(st.sampled_from([BE_CN, EU_ASIA]))
    raw = [data.draw(written(work)) for work in data.draw(st.lists(works(), min_size=1, max_size=6))]
    passed = byte_test(asked)(pl.Series(raw, dtype=pl.Binary))
    wanted = {n for n, line in enumerate(raw) if asked.joined(countries_of_work(orjson.loads(line)))}
    assert wanted <= set(passed)


@given(st.data(), st.integers(1, 400))
def test_reading_by_the_block_finds_what_full_parsing_finds(data: st.DataObject, block: int) -> None:
    raw = [data.draw(written(work)) for work in data.draw(st.lists(works(), max_size=8))]
    gaps = [data.draw(st.sampled_from([b"\n", b"\n\n", b"\r\n", b"\n \n"])) for _ in raw]
    text = b"".join(line + gap for line, gap in zip(raw, gaps, strict=True)).removesuffix(b"\n")
    wanted = [line.strip() for line in raw if EU_ASIA.joined(countries_of_work(orjson.loads(line)))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonlines, "BLOCK", block)
        found, records, writer = scan(text, EU_ASIA)
    assert found == wanted
    assert records == len(raw)
    assert not writer.faults


def test_a_line_longer_than_many_blocks_is_one_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonlines, "BLOCK", 64)
    work = {"id": "W1", "authorships": [{"countries": ["BE"]}, {"countries": ["CN"]}], "title": "x" * 5000}
    found, records, _ = scan(orjson.dumps(work), BE_CN)
    assert (found, records) == ([orjson.dumps(work)], 1)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"a": ["BE", "CN"]', "no JSON"),
        (b'["BE", "CN"]', "no work"),
        (b'{"authorships": [{"countries": ["BE", "CN"]}]}', "no OpenAlex work id"),
        (b'{"id": "W1", "authorships": [{"countries": [["BE"], "CN"]}], "b": "BE"}', "no work"),
        (b'{"id": "W1", "authorships": ["BE", "CN"]}', "no work"),
        (b'{"id": "W1", "x": "\xff"}', "no JSON"),
    ],
)
def test_a_line_that_may_hold_the_pair_and_is_no_work_is_named_with_its_number(line: bytes, says: str) -> None:
    good = orjson.dumps({"id": "W2", "authorships": [{"countries": ["BE", "CN"]}]})
    found, records, writer = scan(b"{}\n\n" + line + b"\n" + good + b"\n", BE_CN)
    assert found == [good]
    assert records == 3
    assert [fault.where for fault in writer.faults] == ["part:3"]
    assert says in writer.faults[0].what


def test_works_of_the_expansion_corpus_are_left_out_and_counted_unless_wanted() -> None:
    work = orjson.dumps({"id": "W1", "is_xpac": True, "authorships": [{"countries": ["BE", "CN"]}]})
    found, _, writer = scan(work, BE_CN)
    assert (found, writer.expansion) == ([], 1)
    found, _, writer = scan(work, Asked(BE_CN.pairs, expansion=True))
    assert (found, writer.expansion) == ([work], 0)


def test_a_byte_order_mark_before_the_first_line_is_no_fault() -> None:
    work = orjson.dumps({"id": "W1", "authorships": [{"countries": ["BE", "CN"]}]})
    found, _, writer = scan(b"\xef\xbb\xbf" + work, BE_CN)
    assert (found, writer.faults) == ([work], [])


def test_a_fault_is_named_by_the_line_of_the_file_also_behind_empty_lines_and_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jsonlines, "BLOCK", 64)
    good = orjson.dumps({"id": "W2", "title": "x" * 300, "authorships": [{"countries": ["BE", "CN"]}]})
    _, records, writer = scan(b"\n\n" + good + b"\n\n" + good + b"\n" + b'{"BE" "CN"\n', BE_CN)
    assert records == 3
    assert [fault.where for fault in writer.faults] == ["part:6"]
