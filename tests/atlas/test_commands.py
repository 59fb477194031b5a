"""The commands of an atlas: what they print, and what they answer to wrong input."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from copub.atlas import Atlas
from copub.atlas.atlasanswers import EXPLAINED, ON_LISTS, rank, show
from copub.atlas.atlasexport import export
from copub.cli import app
from copub.cli.app import call

from .small import files_in

Command = Callable[..., int]


@pytest.fixture
def command(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Call a command of copub about the atlas and return its exit code."""
    monkeypatch.setenv("COPUB_ATLAS", str(atlas.folder))
    return lambda *arguments: call(
        lambda: app(["atlas", *map(str, arguments)], standalone_mode=False), as_json="--json" in arguments
    )


def test_build_prints_what_it_counted(
    command: Command, atlas: Atlas, snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("build", "--from", snapshot, "--to", tmp_path / "atlas", "--study", "demo", "--workers", "1") == 0
    printed = capsys.readouterr().out
    assert f"{atlas.manifest['works']['counted']:,} works" in printed and "deleted 3" in printed
    assert files_in(tmp_path / "atlas" / "cells") == files_in(atlas.folder / "cells")


def test_show_prints_shares_with_their_list_and_marks_synthetic_numbers(
    command: Command, atlas: Atlas, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("show", "Belgium", "cn") == 0
    printed = capsys.readouterr().out
    row = show(atlas, "BE", "CN").row(
        by_predicate=(pl.col("measure") == "critical_listed") & (pl.col("counting") == "full"), named=True
    )
    (line,) = (line for line in printed.splitlines() if line.startswith("Critical and listed "))
    assert line.split()[3:6] == [f"{row['numerator']:.0f}", f"{row['denominator']:.0f}", f"{row['share']:.1%}"]
    assert "SYNTHETIC" in printed and "at the levels very high, high" in " ".join(printed.split())


def test_a_country_that_no_list_names_has_no_share_of_listed_works(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("show", "CN", "BE") == 0
    printed = capsys.readouterr().out
    assert "No list of this atlas names an institution in Belgium" in printed
    assert "On critical technologies" in printed and "Critical and listed" not in printed


def test_a_list_that_names_nobody_of_a_country_gives_no_share_of_listed_works_there(
    command: Command, atlas: Atlas, capsys: pytest.CaptureFixture[str]
) -> None:
    (one, *_) = atlas.lists
    found = show(atlas, "CN", "BE", of_list=one)
    assert found.equals(show(atlas, "CN", "BE"))
    (part,) = (part for part in export(atlas, a="CN", b="BE", of_list=one) if part.height)
    assert not set(ON_LISTS) & set(part["measure"])
    for arguments in (("show", "CN", "BE"), ("rank", "--b", "BE"), ("explain", "CN", "BE"), ("baseline", "CN", "BE")):
        assert command(*arguments, "--list", one) == 0
        printed = " ".join(capsys.readouterr().out.split())
        assert "names an institution in Belgium: nothing can count as listed there" in printed, arguments
        assert command(*arguments, "--list", one, "--json") == 0
        assert "nothing can count as listed" in json.loads(capsys.readouterr().out)["listed_means"], arguments


def test_a_pair_without_a_list_has_its_measures_without_one_by_list_too(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("show", "CN", "BE", "--by", "list") == 0
    printed = capsys.readouterr().out
    assert "On critical technologies" in printed and "No co-publication" not in printed


def test_shares_by_several_at_once_are_those_of_each_asked_for_alone(atlas: Atlas) -> None:
    area = next(iter(atlas.areas))
    found = show(atlas, "BE", "CN", by=["area", "year", "list"]).filter(area=area, year=2016)
    assert found.rows() == show(atlas, "BE", "CN", by=["area", "list"], area=area, years=[2016]).select(
        "a", "b", pl.lit(2016).alias("year"), pl.exclude("a", "b")
    ).rows() and found.height  # fmt: skip
    assert set(show(atlas, "BE", "CN", by=["area"], area=area)["area"]) == {area}


def test_shares_by_year_name_the_year_also_where_there_is_one_alone(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("show", "BE", "CN", "--by", "year", "--year", "2016") == 0
    assert "On critical technologies  " in (printed := capsys.readouterr().out)
    assert all("2016" in line for line in printed.splitlines() if line.startswith(("On critical", "Critical and")))


def test_the_areas_are_listed_one_in_a_line_where_none_has_the_name(
    command: Command, atlas: Atlas, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("show", "BE", "CN", "--area", "nonsense") == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines[2:]] == list(atlas.areas)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("show", "BE", "CN", "--from-year", "2020", "--to-year", "2010"), "the years are reversed: from 2020 to 2010"),
        (("show", "BE", "CN", "--year", "2015", "--from-year", "2010"), "--year is one year"),
        (("show", "BE", "CN", "--year", "0"), "no year of the atlas"),
        (("show", "BE", "CN", "--area", ""), "there is no area ''"),
        (("show", "BE", "CN", "--by", ""), "there is no ''"),
        (("show", "", "CN"), "is not a country"),
        (("baseline", "BE", "CN", "--with", ""), "no partner is named"),
        (("baseline", "BE", "CN", "--with", ", "), "no partner is named"),
        (("rank", "--b", "CN", "--measure", "listed_authors", "--counting", "fractional-authors"), "no other counting"),
        (("export", "--to", "shares.csv", "--a", "BE", "--b", "BE"), "on both sides"),
        (("show", "BE", "Atlantis"), "is not a country"),
        (("show", "BE", "BE"), "on both sides"),
        (("show", "BE", "CN", "--area", "alchemy"), "there is no area"),
        (("show", "BE", "CN", "--area", "technologies"), "names several areas"),
        (("show", "BE", "CN", "--list", "none"), "has no list"),
        (("show", "BE", "CN", "--year", "1950"), "no year"),
        (("show", "BE", "CN", "--by", "month"), "month"),
        (("rank",), "one country is wanted"),
        (("rank", "--b", "CN", "--measure", "fame"), "there is no 'fame'"),
        (("explain", "BE", "CN", "--measure", "fame"), "there is no measure"),
        (("explain", "BE", "CN", "--out", "works.exe"), "cannot write"),
        (("export", "--to", "shares.exe"), "cannot write"),
        (("page", "--to", "page.pdf"), "cannot write"),
        (("show", "BE", "CN", "--atlas", "nowhere"), "no finished atlas"),
        (("build", "--from", "nowhere", "--to", "atlas"), "no such folder"),
    ],
)
def test_wrong_input_is_answered_with_what_is_wrong(
    arguments: tuple[str, ...],
    what: str,
    command: Command,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(*arguments) == 2
    assert what in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def copied(atlas: Atlas, tmp_path: Path) -> Path:
    """Return a copy of the atlas, to be damaged."""
    return shutil.copytree(atlas.folder, tmp_path / "copied")


@pytest.mark.parametrize("table", ["cells", "works", "listings"])
@pytest.mark.parametrize("damage", ["truncated", "empty", "of another year", "missing"])
def test_a_table_that_is_not_as_it_was_built_is_refused_whoever_reads_it(
    command: Command, copied: Path, capsys: pytest.CaptureFixture[str], table: str, damage: str
) -> None:
    path = copied / table / "2015.parquet"
    whole = path.read_bytes()
    path.unlink()
    if damage != "missing":
        other = (copied / table / "2016.parquet").read_bytes()
        path.write_bytes({"truncated": whole[:100], "empty": b"", "of another year": other}[damage])
    of_cells = [("show", "BE", "CN"), ("rank", "--b", "CN"), ("page", "--to", copied / "a.html"),
                ("export", "--to", copied / "a.csv")]  # fmt: skip
    for arguments in of_cells if table == "cells" else [("explain", "BE", "CN"), ("baseline", "BE", "CN")]:
        assert command(*arguments, "--atlas", copied) == 2, arguments
        said = capsys.readouterr().err
        assert "2015.parquet: a table of the atlas is " in said and "build it again" in said
    assert not (copied / "a.html").exists() and not (copied / "a.csv").exists()


def test_years_whose_tables_are_whole_are_answered_from_a_damaged_atlas(command: Command, copied: Path) -> None:
    (copied / "cells" / "2015.parquet").unlink()
    assert command("show", "BE", "CN", "--year", "2016", "--atlas", copied) == 0


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("rules", None, "the key rules is missing"),
        ("files", [], "files: an object expected, a list found"),
        ("complete", "yes", "complete: true or false expected, text found"),
    ],
)
def test_a_damaged_manifest_is_named_with_its_key(
    command: Command, copied: Path, capsys: pytest.CaptureFixture[str], key: str, value: object, what: str
) -> None:
    facts = json.loads((copied / "manifest.json").read_text(encoding="utf-8"))
    facts = {name: facts[name] for name in facts if name != key} | ({} if value is None else {key: value})
    (copied / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    assert command("show", "BE", "CN", "--atlas", copied) == 2
    said = capsys.readouterr().err
    assert what in said and "build it again" in said


def test_no_page_is_made_of_an_atlas_without_works(
    command: Command, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = json.loads((copied / "manifest.json").read_text(encoding="utf-8"))
    (copied / "manifest.json").write_text(json.dumps(facts | {"countries": [], "files": {}}), encoding="utf-8")
    assert command("page", "--to", copied / "a.html", "--atlas", copied) == 2
    assert "the atlas counts no work" in capsys.readouterr().err and not (copied / "a.html").exists()


def test_rank_prints_ranks_between_those_that_are_possible(
    command: Command, atlas: Atlas, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("rank", "--b", "CN", "--measure", "critical", "--json") == 0
    partners = json.loads(capsys.readouterr().out)["partners"]
    ranked = [row for row in partners if row["rank"]]
    assert ranked and all(row["rank_low"] <= row["rank"] <= row["rank_high"] <= len(ranked) for row in ranked)
    assert [row["share"] for row in ranked] == sorted((row["share"] for row in ranked), reverse=True)
    small = atlas.settings["small_rate"]
    assert all((row["rank"] is None) == (row["denominator"] < small) for row in partners)
    assert command("rank", "--b", "CN", "--measure", "critical") == 0
    assert "can be" in capsys.readouterr().out


def test_partners_that_no_list_names_are_not_ranked_by_listed_works(atlas: Atlas) -> None:
    assert set(rank(atlas, a="BE")["country"]) == {"CN"}
    assert len(rank(atlas, a="BE", measure="critical")["country"]) > 1


def test_explain_prints_works_and_writes_them(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("explain", "BE", "CN", "--json") == 0
    works = json.loads(capsys.readouterr().out)["works"]
    assert works and all(work["institutions"] and work["areas"] and work["category"] == "counted" for work in works)
    assert command("explain", "BE", "CN") == 0
    assert works[0]["work_id"] in capsys.readouterr().out
    assert command("explain", "BE", "CN", "--out", tmp_path / "works.parquet") == 0
    written = pl.read_parquet(tmp_path / "works.parquet")
    assert written["work_id"].to_list() == [work["work_id"] for work in works] and written.columns == EXPLAINED.names()


def test_an_export_has_what_show_prints_for_every_pair(command: Command, atlas: Atlas, tmp_path: Path) -> None:
    assert command("export", "--to", tmp_path / "all.parquet", "--quiet") == 0
    every = pl.read_parquet(tmp_path / "all.parquet").drop("year")
    assert every["source"].unique().to_list() == ["SYNTHETIC"]
    every = every.drop("source")
    assert every.filter(a="BE", b="CN").to_dicts() == show(atlas, "BE", "CN").to_dicts()
    cells = atlas.cells().select("a", "b").unique().collect()
    assert every.select("a", "b").unique().height == cells.height
    listed = every.filter(measure="listed")
    assert set(listed["b"]) == {"CN"}
    by = pl.concat(export(atlas, a="BE", b="CN", by=["year", "area"])).drop("source")
    assert by.drop_nulls("year").height == by.height
    of = show(atlas, "BE", "CN", by=["year", "area"])
    assert by.sort(by.columns).rows() == of.select(by.columns).sort(by.columns).rows()
