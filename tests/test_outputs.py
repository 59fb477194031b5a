"""What a person made is never replaced, and a full disk leaves the old file: for every command that writes one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import copub
from copub.cli import app
from copub.cli.app import call
from copub.cli.files import read_strings, write_out
from copub.errors import InputError
from copub.lists.outputplace import check_out, check_page, filled_in, sign_page
from copub.writing import replacing, write_file

DECIDED = (
    "sample,value,entity_id,entity_name,matched_text,decision,reason,reviewer,date\nhit,x,a,A,x,yes,,me,2026-01-01\n"
)
READ = "work_id,critical,listed,top_level,reader,date,reason,stands_for\nW1,yes,no,,me,2026-01-01,,\n"
TEXTS = "work_id,drawn,title,abstract,core,applied,reader,date\nW1,random,t,a,EU-02-AI,,me,2026-01-01\n"


def command(*arguments: str | Path) -> int:
    return call(lambda: app(list(map(str, arguments)), standalone_mode=False, prog_name="copub"))


@pytest.fixture
def run(demo_run: copub.Run, demo_folders: tuple[Path, Path], tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A run folder, and its reports folder."""
    reports = tmp_path / "reports"
    shutil.copytree(demo_run.folder, reports / "demo" / demo_run.folder.name)
    yield reports / "demo" / demo_run.folder.name, reports


def writers(run: Path, reports: Path, out: Path, strings: Path) -> list[list[str | Path]]:
    at = ["--reports", reports]
    return [
        ["review", "sample", run, "--out", out, *at],
        ["review", "works", run, "--out", out, *at],
        ["review", "texts", run, "--out", out, *at],
        ["trend", "demo", "--out", out, *at],
        ["screen", "--strings", strings, "--out", out, "--watchlist", "demo-list"],
        ["classify", "--works", strings, "--out", out],
    ]


@pytest.mark.parametrize("sheet", [DECIDED, READ, TEXTS], ids=["affiliations", "works", "texts"])
@pytest.mark.parametrize("form", ["comma", "semicolon", "tab", "mark", "utf-16"])
def test_no_command_replaces_a_sheet_that_people_filled_in(
    sheet: str, form: str, run: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = sheet.replace(",", {"semicolon": ";", "tab": "\t"}.get(form, ","))
    data = text.encode({"mark": "utf-8-sig", "utf-16": "utf-16"}.get(form, "utf-8"))
    out, strings = tmp_path / "mine.csv", tmp_path / "strings.txt"
    out.write_bytes(data)
    strings.write_text("x\n")
    for arguments in writers(*run, out, strings):
        assert command(*arguments) == 2, arguments
        assert out.read_bytes() == data
        assert "filled in this sheet" in capsys.readouterr().err


def test_an_empty_sheet_is_drawn_anew_and_another_file_is_not(run: tuple[Path, Path], tmp_path: Path) -> None:
    folder, reports = run
    out = tmp_path / "sheet.csv"
    draw = ["review", "sample", folder, "--out", out, "--hits", "2", "--others", "2", "--reports", reports]
    assert command(*draw) == 0
    first = out.read_bytes()
    assert command(*draw, "--seed", "other") == 0
    assert out.read_bytes() != first
    out.write_text("my notes\n")
    assert command(*draw) == 2
    assert out.read_text() == "my notes\n"


MINE = "id,what I found\nx,a week of work\n"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_table_takes_the_place_of_one_with_the_same_columns_alone(
    suffix: str, run: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, strings = tmp_path / f"out{suffix}", tmp_path / "strings.txt"
    strings.write_text("x\n")
    commands: list[list[str | Path]] = [
        ["screen", "--strings", strings, "--out", out, "--watchlist", "demo-list", "--quiet"],
        ["watchlists", "members", "demo-list", "--out", out],
    ]
    if suffix != ".jsonl":
        commands.append(["trend", "demo", "--out", out, "--reports", run[1]])
    for arguments in commands:
        out.write_text(MINE)
        assert command(*arguments) == 2, arguments
        assert out.read_text() == MINE
        assert "no table with the same columns" in capsys.readouterr().err
        out.unlink()
        assert command(*arguments) == command(*arguments) == 0
        out.unlink()


def test_no_file_of_another_hand_is_replaced_by_labels_or_an_export(run: tuple[Path, Path], tmp_path: Path) -> None:
    sheet, labels, exports = tmp_path / "texts.csv", tmp_path / "labels.jsonl", tmp_path / "e"
    sheet.write_text(TEXTS)
    labels.write_text('{"mine": 1}\n')
    assert command("review", "labels", run[0], sheet, "--out", labels, "--reports", run[1]) == 2
    assert labels.read_text() == '{"mine": 1}\n'
    exports.mkdir()
    export = ["export", run[0], "--to", "markdown", "--out", exports, "--reports", run[1]]
    (exports / "summary.md").write_text("my summary\n")
    assert command(*export) == 2
    assert (exports / "summary.md").read_text() == "my summary\n"
    (exports / "summary.md").unlink()
    assert command(*export) == command(*export) == 0
    with (exports / "summary.md").open("a") as summary:
        summary.write("my note\n")
    assert command(*export) == 2
    assert (exports / "summary.md").read_text().endswith("my note\n")


def test_labels_never_replace_their_own_sheets(run: tuple[Path, Path], tmp_path: Path) -> None:
    sheet = tmp_path / "texts.csv"
    sheet.write_text(TEXTS)
    for out in (sheet, tmp_path / "other.csv"):
        assert command("review", "labels", run[0], sheet, "--out", out, "--reports", run[1]) == 2
        assert sheet.read_text() == TEXTS
    undecided = tmp_path / "undecided.csv"
    undecided.write_text(TEXTS.replace(",me,2026-01-01", ",,"))
    out = tmp_path / "labels.jsonl"
    out.write_text("old\n")
    assert command("review", "labels", run[0], undecided, "--out", out, "--reports", run[1]) == 2
    assert out.read_text() == "old\n"


def test_no_file_of_a_run_is_replaced(run: tuple[Path, Path], tmp_path: Path) -> None:
    folder, reports = run
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    strings = tmp_path / "strings.txt"
    strings.write_text("x\n")
    (tmp_path / "link.html").symlink_to(folder / "report.html")
    other = shutil.copytree(folder, tmp_path / "other")
    at = ["--reports", reports]
    for arguments in (
        ["dossier", folder, "--institution", "University of Zwinstad", "--out", folder / "manifest.json", *at],
        ["dossier", folder, "--institution", "University of Zwinstad", "--out", folder / "report.html", *at],
        ["dossier", folder, "--institution", "University of Zwinstad", "--out", tmp_path / "link.html", *at],
        ["screen", "--strings", strings, "--out", folder / "tables" / "hits.parquet", "--watchlist", "demo-list"],
        ["trend", "demo", "--out", folder / "tables" / "shares.parquet", *at],
        ["export", folder, "--out", folder, *at],
        ["export", folder, "--out", folder / "tables", *at],
        ["compare", other, folder, "--out", folder, *at],
        ["compare", other, folder, "--out", folder / "tables", *at],
    ):
        assert command(*arguments) == 2, arguments
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_comparison_replaces_a_comparison_and_no_other_folder(run: tuple[Path, Path], tmp_path: Path) -> None:
    folder, reports = run
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    other = shutil.copytree(folder, tmp_path / "other")
    assert command("compare", other, folder, "--out", mine, "--reports", reports, "--quiet") == 2
    assert (mine / "thesis.txt").read_text() == "years of work"
    for _ in range(2):
        assert command("compare", other, folder, "--out", tmp_path / "new", "--reports", reports, "--quiet") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "new", "other", "reports"]


def test_a_page_is_replaced_by_one_on_the_same_subject_unless_it_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    check_page(path, "one")
    path.write_bytes(sign_page("<p>é</p>\n", "one"))
    check_page(path, "one")
    written = path.read_bytes()
    for data in (written.replace(b"<p>", b"<p>note "), written + b"\n", b"<p>mine</p>\n", written.split(b"<!--")[0]):
        path.write_bytes(data)
        with pytest.raises(InputError, match="another file, no page on the same subject as copub wrote it"):
            check_page(path, "one")
        assert path.read_bytes() == data
    path.write_bytes(written)
    with pytest.raises(InputError):
        check_page(path, "two")
    path.write_bytes(b"")
    check_page(path, "two")


def test_a_dossier_takes_the_place_of_the_same_dossier_alone(run: tuple[Path, Path], tmp_path: Path) -> None:
    folder, reports = run
    out = tmp_path / "dossier.html"
    asked = ["dossier", folder, "--institution", "Universiteit Dendermeer", "--out", out, "--reports", reports]
    assert command(*asked) == command(*asked) == 0
    first = out.read_bytes()
    assert command(*asked, "--partner", "Xuanlin University of Aeronautics") == 2
    out.write_bytes(first.replace(b"</body>", b"<p>Seen by me</p></body>"))
    assert command(*asked) == 2
    assert b"Seen by me" in out.read_bytes()


def test_a_run_is_not_compared_with_itself(
    run: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, reports = run
    for same in (folder, f"{folder}/", "demo", f"demo/{folder.name}"):
        assert command("compare", folder, same, "--reports", reports, "--out", tmp_path / "new") == 2
        shown = capsys.readouterr().err
        assert "both names are of one run" in shown and "name two runs" in shown
    assert not (tmp_path / "new").exists()


def test_inputs_are_not_replaced_under_another_name_for_them(tmp_path: Path) -> None:
    strings = tmp_path / "strings.csv"
    strings.write_text("raw_affiliation_string\nx\n")
    (tmp_path / "hard.csv").hardlink_to(strings)
    (tmp_path / "soft.csv").symlink_to(strings)
    for name in ("strings.csv", "hard.csv", "soft.csv"):
        out = tmp_path / name
        assert command("screen", "--strings", strings, "--out", out, "--watchlist", "demo-list") == 2
    assert strings.read_text() == "raw_affiliation_string\nx\n"


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("copub.writing.os.fsync", full)
    with pytest.raises(copub.InputError, match="cannot be written: No space left") as caught:
        write_file(path, "new")
    assert str(path) in str(caught.value) and "free some space" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"] and path.read_text() == "old"


def test_what_stops_the_writing_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["x"] and path.read_text() == "old"


def test_a_sheet_is_known_by_its_columns_in_any_form(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    for text in (DECIDED, DECIDED.replace(",", ";"), DECIDED.replace("yes", '"yes"')):
        path.write_text(text)
        assert filled_in(path) == "1 decisions on affiliations"
    path.write_text(DECIDED.replace("yes,,me,2026-01-01", ",,,"))
    assert filled_in(path) == ""
    for exported in ("work_id,is_critical\nW1,TRUE\n", "value,reviewer,reason\nMaterial (Belgium),me,no address\n"):
        path.write_text(exported)
        assert filled_in(path) == ""
        check_out(path)


def test_an_output_that_is_a_loop_of_links_is_wrong_input(tmp_path: Path) -> None:
    loop = tmp_path / "o.csv"
    loop.symlink_to(loop)
    with pytest.raises(copub.InputError, match="no usable path"):
        check_out(loop)


def test_the_kind_of_an_output_depends_on_its_suffix_in_any_case(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": ["x, y"]})
    for name in ("o.CSV", "o.Parquet", "o.JSONL"):
        write_out(frame, tmp_path / name)
    assert (tmp_path / "o.CSV").read_text(encoding="utf-8-sig").splitlines() == ["a", '"x, y"']
    assert pl.read_parquet(tmp_path / "o.Parquet").equals(frame)
    assert json.loads((tmp_path / "o.JSONL").read_text()) == {"a": "x, y"}
    assert read_strings(tmp_path / "o.CSV", "a").to_list() == ["x, y"]


def test_exports_list_their_hashes_as_sha256sum_does(run: tuple[Path, Path], tmp_path: Path) -> None:
    folder, reports = run
    assert (
        command("export", folder, "--to", "csv", "--to", "markdown", "--out", tmp_path / "e", "--reports", reports) == 0
    )
    lines = (tmp_path / "e" / "SHA256SUMS").read_text().splitlines()
    names = {path.relative_to(tmp_path / "e").as_posix() for path in (tmp_path / "e").rglob("*") if path.is_file()}
    assert {line[66:] for line in lines} == names - {"SHA256SUMS"}


def test_a_manifest_names_the_hash_of_the_page_and_of_itself(run: tuple[Path, Path]) -> None:
    manifest = json.loads((run[0] / "manifest.json").read_text())
    assert {"report.html", "workbook.xlsx", "data-dictionary.md"} <= set(manifest["files"])
    assert copub.open_run(run[0]).altered_files() == []
    (run[0] / "workbook.xlsx").unlink()
    manifest["funnel"][0]["count"] += 1
    (run[0] / "manifest.json").write_text(json.dumps(manifest))
    assert copub.open_run(run[0]).altered_files() == ["manifest.json", "workbook.xlsx"]
