"""Rules of reading works files in portions on all cores: the same tables as one record at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from copub.corpus import TABULATED, Corpus, Entry, tabulate
from copub.engine import engine_of
from copub.errors import FileError
from copub.sources import worksfile
from copub.sources.worksfile import read_works
from copub.study import Study, load_study


@pytest.fixture(scope="module")
def study() -> Study:
    return replace(load_study("belgium-china"), year_from=2010, year_to=2020, exclude_types=("editorial",))


def line(number: int, **extra: Any) -> str:
    authors = [{"countries": [code], "raw_affiliation_strings": [f"Lab {number}, {code}"]} for code in ("BE", "CN")]
    work = {"id": f"https://openalex.org/W{number}", "title": f"work {number}", "publication_year": 2015}
    return json.dumps({**work, "authorships": authors, **extra}) + "\n"


def both(paths: list[Path], study: Study) -> tuple[Corpus, Corpus]:
    entry = Entry.of(study)
    return tabulate(iter(read_works(paths)), entry), tabulate(read_works(paths), entry)


def assert_same(one: Corpus, other: Corpus) -> None:
    for name in TABULATED:
        assert_frame_equal(one[name], other[name])
    assert one.funnel == other.funnel


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worksfile, "PORTION", 600)


@pytest.fixture
def one_process() -> Iterator[None]:
    with engine_of(workers=1):
        yield


@pytest.mark.usefixtures("small_portions")
def test_portions_give_the_tables_and_the_funnel_of_single_records(tmp_path: Path, study: Study) -> None:
    lines = [line(n, publication_year=2009 if n % 7 == 0 else 2015) for n in range(1, 40)]
    lines[5:5] = ["17\n", '{"id": "A5"}\n', "\n"]
    path = tmp_path / "w.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    assert len(list(read_works([path]).portions())) > 5
    assert_same(*both([path], study))


@pytest.mark.usefixtures("small_portions", "one_process")
def test_a_work_that_came_in_an_earlier_portion_is_taken_back_and_named(tmp_path: Path, study: Study) -> None:
    lines = [line(n) for n in range(1, 20)] + [line(3), line(4, publication_year=1999), line(5, type="editorial")]
    path = tmp_path / "w.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    single, parted = both([path], study)
    assert_same(single, parted)
    assert parted["works"].height == 19
    assert [where for where, _ in parted.funnel.repeated] == ["w.jsonl:20", "w.jsonl:21", "w.jsonl:22"]


@pytest.mark.usefixtures("small_portions", "one_process")
def test_values_of_a_repeated_work_are_not_named_wherever_it_is_repeated(tmp_path: Path, study: Study) -> None:
    odd = {"language": 5, "type": "x" * 400}
    lines = [line(1, **odd), line(1, **odd), *(line(n) for n in range(2, 20)), line(3, **odd), line(1, **odd)]
    path = tmp_path / "w.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    single, parted = both([path], study)
    assert_same(single, parted)
    assert [where for where, _ in parted.funnel.converted] == ["w.jsonl:1"]
    assert [where for where, _ in parted.funnel.shortened] == ["w.jsonl:1"]


@pytest.mark.usefixtures("small_portions", "one_process")
def test_faults_of_all_portions_are_reported_together(tmp_path: Path, study: Study) -> None:
    path = tmp_path / "w.jsonl"
    path.write_text("".join([line(1), "{broken\n", *(line(n) for n in range(2, 20)), "[1\n"]), encoding="utf-8")
    with pytest.raises(FileError) as caught:
        tabulate(read_works([path]), Entry.of(study))
    assert [fault.where for fault in caught.value.faults] == [f"{path}:2", f"{path}:21"]


@pytest.mark.real
@pytest.mark.slow
def test_real_works_come_out_the_same_in_portions(real_data: Path, study: Study) -> None:
    names = ("works_be_cn_reconstructed.jsonl.gz", "works_cn_or_be_versions.jsonl.gz", "schema_variants.jsonl.gz")
    wide = replace(study, side_b=replace(study.side_b, countries=("CN", "US", "GB", "DE", "FR", "HK")))
    assert_same(*both([real_data / "real" / name for name in names], wide))
