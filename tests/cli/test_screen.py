"""Rules of `copub screen`: its switches, and offsets that hold in the file that is written."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from copub.cli import app
from copub.cli.app import call
from copub.cli.files import check_out, read_strings
from copub.errors import InputError

STRINGS = (
    "=Lab 1, Beihang University, Beijing",
    "Tang Du Hospital, Xi'an",
    "Northeastern University",
    "\x07Lab,\x07 Beihang\x07 University",
)


def screened(tmp_path: Path, *options: str, suffix: str = ".csv") -> pl.DataFrame:
    (tmp_path / "s.txt").write_text("\n".join(STRINGS), encoding="utf-8")
    out = tmp_path / f"hits{suffix}"
    arguments = ["screen", "--strings", str(tmp_path / "s.txt"), "--out", str(out), *options]
    assert call(lambda: app([*arguments, "--watchlist", "aspi-cdut-2019"], standalone_mode=False)) == 0
    return pl.read_csv(out) if suffix == ".csv" else pl.read_parquet(out)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_matched_characters_stand_where_the_file_says(tmp_path: Path, suffix: str) -> None:
    hits = screened(tmp_path, suffix=suffix)
    assert hits.height == 2
    for row in hits.iter_rows(named=True):
        assert row["raw_affiliation_string"][row["matched_start"] : row["matched_end"]] == row["matched_text"]


def test_descendants_and_medical_units_are_switches(tmp_path: Path) -> None:
    assert "air-force-medical-university" not in screened(tmp_path)["entity_id"]
    with_children = screened(tmp_path, "--children").filter(entity_id="air-force-medical-university")
    assert with_children["is_counted"].to_list() == [True]
    without = screened(tmp_path, "--children", "--no-medical").filter(entity_id="air-force-medical-university")
    assert without["is_counted"].to_list() == [False]


def test_a_country_in_small_letters_is_read(tmp_path: Path) -> None:
    assert "northeastern-university" in screened(tmp_path, "--country", "cn")["entity_id"]


@pytest.mark.parametrize("damage", [lambda packed: packed[:-9], lambda packed: packed[:12] + b"\xff" * 9])
def test_strings_of_a_broken_gzip_file_are_refused_by_its_name(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "s.txt.gz"
    path.write_bytes(damage(gzip.compress("\n".join(STRINGS).encode())))
    with pytest.raises(InputError, match="cannot be read"):
        read_strings(path, "")


def test_a_file_that_is_read_or_a_folder_is_no_place_for_results(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("raw_affiliation_string\nBeihang University\n", encoding="utf-8")
    (tmp_path / "d.csv").mkdir()
    for out, says in ((path, "would be replaced"), (tmp_path / "d.csv", "a folder")):
        with pytest.raises(InputError, match=says):
            check_out(out, path)
    check_out(tmp_path / "new.csv", path)
