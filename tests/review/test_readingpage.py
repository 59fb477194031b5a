"""The reading page in a real browser: thirty works by keyboard, two readers, kappa, a third look; hostile texts."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import copub
from copub.errors import InputError
from copub.review.codebook import load_codebook
from copub.review.draws import draw_id, kept_draws
from copub.review.readingpage import _names, deal, drawn_for, works_page
from copub.review.width import Stratum, interval
from copub.runs.copies import question_of
from copub.study import load_study
from copub.study.question import resolve

Command = Callable[..., int]
Decide = Callable[[int, str], tuple[str, str]]

READ = 30
HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>{{ 7 * 7 }}\u202e\u2028"


def wait_for_status(chromium: Any, start: str) -> None:
    """Wait until the status begins so; asked from outside, as the page lets no text be run as a script."""
    end = time.monotonic() + 10
    while not text_of(chromium, "status").startswith(start):
        assert time.monotonic() < end, f"no status that begins with {start!r}"
        time.sleep(0.05)


def text_of(page: Any, name: str) -> str:
    return str(page.run(f"document.getElementById('{name}').textContent"))


def data_of(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = page.run("JSON.parse(document.getElementById('data').textContent)")
    return found


def begin(page: Any, path: Path, reader: str, width: int = 1200) -> None:
    page.open(path, width=width)
    page._page.keyboard.type(reader)
    page.press("Enter")


def saved(page: Any, folder: Path) -> Path:
    with page._page.expect_download() as found:
        page.press("s")
    path = folder / found.value.suggested_filename
    path.write_bytes(found.value.path().read_bytes())
    return path


def read_by_keyboard(page: Any, count: int, decide: Decide) -> None:
    """Answer the next works with keys alone; `decide` says critical and listed by place and id of the work."""
    for _ in range(count):
        place = int(text_of(page, "meta").split(" of ")[0]) - 1
        critical, listed = decide(place, data_of(page)["items"][place]["id"])
        page.press(critical)
        if critical == "y":
            page.press("2")
            page.press("Enter")
        page.press(listed)
        if listed == "y":
            page.press("n")


def as_copub(run: copub.Run) -> Callable[[str], tuple[str, str]]:
    flags = {
        work: ("ny"[critical], "ny"[listed])
        for work, critical, listed in run.tables["copublications"]
        .select("work_id", "is_critical", "is_listed")
        .iter_rows()
    }
    return lambda work: flags[work]


def test_thirty_works_are_read_by_keyboard_by_two_readers_saved_reloaded_imported_and_settled(
    chromium: Any, command: Command, reports: Path, demo_run: copub.Run, tmp_path: Path, capsys: Any
) -> None:
    decided, page = as_copub(demo_run), tmp_path / "page.html"
    assert command("review", "page", "demo", "--size", "40", "--out", page, "--reports", reports) == 0

    begin(chromium, page, "A. Reader")
    read_by_keyboard(chromium, 12, lambda place, work: decided(work))
    chromium.open(page)  # the browser is closed and opened again
    begin(chromium, page, "A. Reader")
    assert text_of(chromium, "status") == "12 read before by A. Reader; the answers were kept in this browser."
    read_by_keyboard(chromium, READ - 12, lambda place, work: decided(work))
    assert text_of(chromium, "progress").startswith(f"{READ} of 40 read")
    first = saved(chromium, tmp_path)

    # the width is that of the interval over what was read, as the report will compute it
    width = float(re.findall(r"[\d.]+", text_of(chromium, "width"))[0])
    again = _width(json.loads(first.read_text(encoding="utf-8")), data_of(chromium))
    assert width == pytest.approx(100 * again, abs=0.06)
    assert command("review", "import", first, "--reports", reports) == 0
    assert "1 new file: 30 new labels, 0 changed" in capsys.readouterr().out

    begin(chromium, page, "B. Reader")

    def differs_twice(place: int, work: str) -> tuple[str, str]:
        critical, listed = decided(work)
        return ({"y": "n", "n": "y"}[critical] if place in (3, 7) else critical), listed

    read_by_keyboard(chromium, READ, differs_twice)
    assert chromium.troubles() == []
    second = saved(chromium, tmp_path)
    assert command("review", "import", second, "--reports", reports) == 0
    reported = " ".join(capsys.readouterr().out.split())
    assert "A. Reader and B. Reader, critical: kappa 0.8" in reported and "over 30 works, 2 differ" in reported
    assert "2 works without a label, because readers differ" in reported
    kept = pl.read_csv(reports / "demo" / "labelled.csv")
    assert kept.height == READ - 2 and set(kept["reader"]) == {"A. Reader, B. Reader"}

    third = tmp_path / "third.html"
    assert command("review", "page", "demo", "--third-look", "--out", third, "--reports", reports) == 0
    begin(chromium, third, "C. Reader")
    assert len(data_of(chromium)["items"]) == 2
    read_by_keyboard(chromium, 2, lambda place, work: decided(work))
    assert text_of(chromium, "status").startswith("All 2 are read")
    assert command("review", "import", saved(chromium, tmp_path), "--reports", reports) == 0
    assert "2 new labels" in capsys.readouterr().out
    labels = pl.read_csv(reports / "demo" / "labelled.csv")
    assert labels.height == READ and labels.filter(reader="C. Reader").height == 2
    answers = dict(labels.select("work_id", "critical").iter_rows())
    assert all(decided(work)[0] == answer[0] for work, answer in answers.items())
    assert len(list((reports / "demo" / "review" / "imports").iterdir())) == 3
    assert len(list((reports / "demo" / "review" / "earlier").iterdir())) == 2


def _width(file: dict[str, Any], data: dict[str, Any]) -> float:
    """Compute the width of the interval again from the saved file."""
    answers = {reading["id"]: reading["answers"] for reading in file["readings"]}
    read, yes = [0] * len(data["strata"]), [0] * len(data["strata"])
    for item in data["items"]:
        if item["id"] in answers:
            given = answers[item["id"]]
            read[item["stratum"]] += 1
            yes[item["stratum"]] += given["critical"] == given["listed"] == "yes"
    assert all(read)
    strata = [Stratum(size, n, k) for (size, _), n, k in zip(data["strata"], read, yes, strict=True)]
    low, high = interval(strata, 0.95)
    return (high - low) * sum(stratum.size for stratum in strata) / data["of"]


@pytest.fixture(scope="module")
def page(demo_run: copub.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 12 works, the first with hostile texts."""
    question, tables = question_of(demo_run), dict(demo_run.tables)
    first = json.loads(_data(page_of(question, tables, 12)))["items"][0]["id"]
    for name in ("copublications", "works"):
        columns = {"copublications": ["title"], "works": ["title", "abstract"]}[name]
        tables[name] = tables[name].with_columns(
            pl.when(pl.col("work_id") == first).then(pl.lit(HOSTILE * 9)).otherwise(column).alias(column)
            for column in columns
        )
    tables["affiliations"] = tables["affiliations"].with_columns(
        pl.when(pl.col("work_id") == first)
        .then(pl.lit(HOSTILE))
        .otherwise("raw_affiliation_string")
        .alias("raw_affiliation_string")
    )
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page_of(question, tables, 12), encoding="utf-8")
    return path


def page_of(question: Any, tables: Any, size: int) -> str:
    return works_page(question, tables, "demo/run", drawn_for(question, tables, size))


def _data(html: str) -> str:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return found[1]


def test_texts_are_shown_as_they_are_and_do_nothing(chromium: Any, page: Path) -> None:
    begin(chromium, page, HOSTILE[:40], width=390)
    assert text_of(chromium, "title") == HOSTILE * 9
    assert chromium.run("window.hacked") is None
    assert chromium.troubles() == []
    assert chromium.run("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [390, 1200])
def test_axe_finds_nothing_at_any_stage(chromium: Any, page: Path, width: int) -> None:
    chromium.open(page, width=width)
    assert chromium.violations() == []
    begin(chromium, page, f"Axe {width}", width=width)
    chromium.press("ArrowRight")
    chromium.press("y")  # the areas are open
    chromium.run("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    assert chromium.violations() == []
    chromium.prefer("dark")
    assert chromium.violations("color-contrast") == []


def test_the_width_is_right_over_many_works_too(chromium: Any, page: Path, tmp_path: Path) -> None:
    html, large = page.read_text(encoding="utf-8"), tmp_path / "large.html"
    data = json.loads(_data(html))
    sizes = json.dumps([(997 * size, group) for size, group in data["strata"]], separators=(",", ":"))
    before = json.dumps(data["strata"], separators=(",", ":"))
    assert html.count(before) == 1
    of = f'"of":{data["of"]}'
    assert html.count(of) == 1
    many = html.replace(before, sizes).replace(of, f'"of":{2 * 997 * data["of"]}')  # half of them training works
    large.write_text(many, encoding="utf-8")
    begin(chromium, large, "Large")
    read_by_keyboard(chromium, 12, lambda place, work: ("yn"[place % 5 > 0], "yn"[place % 3 > 0]))
    width = float(re.findall(r"[\d.]+", text_of(chromium, "width"))[0])
    file = json.loads(saved(chromium, tmp_path).read_text(encoding="utf-8"))
    assert width == pytest.approx(100 * _width(file, data_of(chromium)), abs=0.08)


def test_undo_takes_answers_back_one_by_one_and_nothing_is_forgotten(chromium: Any, page: Path, tmp_path: Path) -> None:
    begin(chromium, page, "Undo")
    chromium.press("n")
    chromium.press("n")
    assert text_of(chromium, "meta").startswith("2 of 12")
    chromium.press("u")
    assert text_of(chromium, "meta").startswith("1 of 12") and text_of(chromium, "progress").startswith("0 of 12")
    pressed = "Array.from(document.querySelectorAll('[aria-pressed=true]'), (node) => node.textContent.trim())"
    assert chromium.run(pressed) == ["No N"]
    chromium.press("t")
    assert text_of(chromium, "progress").startswith("1 of 12")
    file = json.loads(saved(chromium, tmp_path).read_text(encoding="utf-8"))
    assert file["readings"][0]["answers"] == {"critical": "no", "listed": "cannot tell"}
    assert [entry[2] for entry in file["log"]] == ["critical", "listed", "undo", "listed"]


def test_a_note_is_typed_without_answering_and_a_file_is_loaded_into_an_empty_browser(
    chromium: Any, page: Path, tmp_path: Path
) -> None:
    begin(chromium, page, "Note")
    chromium.press("o")
    chromium._page.keyboard.type("yes, not now")
    chromium.press("Escape")
    chromium.press("n")
    chromium.press("y")
    chromium.press("n")
    path = saved(chromium, tmp_path)
    chromium.run("localStorage.clear()")
    begin(chromium, page, "Note")
    assert text_of(chromium, "progress").startswith("0 of 12")
    chromium._page.set_input_files("#load", path)
    wait_for_status(chromium, "Loaded")
    assert text_of(chromium, "status") == "Loaded: 1 new, 0 changed, 0 as they were here."
    chromium.press("ArrowLeft")
    assert chromium.run("document.getElementById('note').value") == "yes, not now"
    begin(chromium, page, "Somebody else")
    chromium._page.set_input_files("#load", path)
    wait_for_status(chromium, "This file")
    assert text_of(chromium, "status") == "This file is of another reader: Note."


def test_single_keys_can_be_turned_off(chromium: Any, page: Path) -> None:
    begin(chromium, page, "Keys")
    chromium.run("document.getElementById('keys').click(); document.activeElement.blur()")
    chromium.press("n")
    assert chromium.run("document.querySelectorAll('[aria-pressed=true]').length") == 0


def test_the_page_tells_nothing_of_what_copub_decided(demo_run: copub.Run) -> None:
    data = json.loads(_data(page_of(question_of(demo_run), demo_run.tables, 30)))
    assert set(data["items"][0]) == {"id", "of", "meta", "title", "text", "lines", "stratum", "ask"}
    assert data["codebook"] == {"id": load_codebook().id, "sha256": load_codebook().sha256}
    assert all(area["rule"] for area in data["areas"])


def test_what_a_work_represents_is_kept_beside_the_runs_and_not_on_page_or_sheet(
    command: Command, reports: Path, demo_run: copub.Run, tmp_path: Path
) -> None:
    page, sheet = tmp_path / "page.html", tmp_path / "sheet.csv"
    assert command("review", "page", "demo", "--size", "30", "--out", page, "--reports", reports) == 0
    assert command("review", "works", "demo", "--size", "30", "--out", sheet, "--reports", reports) == 0
    drawn = drawn_for(question_of(demo_run), demo_run.tables, 30)
    kept = kept_draws(reports / "demo")
    assert set(kept["draw"]) == {draw_id(drawn)} and kept["stands_for"].sum() == pytest.approx(2001, abs=1e-3)
    rows = pl.read_csv(sheet)
    assert "stands_for" not in rows.columns and set(rows["draw"]) == {draw_id(drawn)}
    html = page.read_text(encoding="utf-8")
    assert json.loads(_data(html))["draw"] == draw_id(drawn) and "stands_for" not in html
    for number in set(drawn["stands_for"]) - {1.0}:
        assert str(number) not in html and str(number) not in sheet.read_text(encoding="utf-8")


def test_readers_see_what_an_institution_is_part_of_whether_it_is_listed_or_not(demo_run: copub.Run) -> None:
    question, tables = question_of(demo_run), demo_run.tables
    drawn = drawn_for(question, tables, tables["copublications"].height)
    lines = {item["id"]: item["lines"] for item in json.loads(_data(page_of(question, tables, drawn.height)))["items"]}
    by_lineage = tables["hits"].filter("is_counted", pl.col("work_id").is_in(list(lines)), tier="lineage")
    assert by_lineage.height > 50
    for work, name in by_lineage.select("work_id", "entity_name").iter_rows():
        assert any(f" is part of {name}]" in line for line in lines[work])
    shown = [line for of_work in lines.values() for line in of_work]
    assert any("is part of Universiteit Dendermeer]" in line for line in shown)
    assert not any("[Universiteit Dendermeer is part of" in line for line in shown)
    alone = replace(question, study=replace(question.study, include_descendants=False))
    items = json.loads(_data(page_of(alone, tables, drawn.height)))["items"]
    assert not any(" is part of " in line for item in items for line in item["lines"])


def test_parts_of_listed_institutions_are_among_the_names_that_readers_look_up() -> None:
    names = {one["id"]: one for one in _names(resolve(load_study("belgium-china")), "works")}
    part = names["caep-laser-fusion-research-center"]
    assert part["level"] == "part of Chinese Academy of Engineering Physics, very high"


def test_training_works_are_not_read_but_are_part_of_what_the_width_is_of(
    demo_run: copub.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = demo_run.tables["copublications"]
    every = works.select(item="work_id", critical="is_critical")
    taught = every.head(40)
    monkeypatch.setattr("copub.review.readingpage.taught_for", lambda taxonomy: taught)
    data = json.loads(_data(page_of(question_of(demo_run), demo_run.tables, works.height)))
    assert {item["id"] for item in data["items"]} == set(works["work_id"][40:])
    assert sum(size for size, _ in data["strata"]) == works.height - 40 and data["of"] == works.height
    monkeypatch.setattr("copub.review.readingpage.taught_for", lambda taxonomy: every)
    with pytest.raises(InputError, match="there is no work to read"):
        page_of(question_of(demo_run), demo_run.tables, 8)


def test_a_longer_page_begins_with_the_shorter_one_and_every_prefix_holds_all_strata(demo_run: copub.Run) -> None:
    question = question_of(demo_run)
    short, long = (json.loads(_data(page_of(question, demo_run.tables, size)))["items"] for size in (20, 50))
    assert [item["id"] for item in long[:20]] == [item["id"] for item in short]
    assert len({item["stratum"] for item in short[:8]}) == len({item["stratum"] for item in long}) == 8


def test_parts_share_the_first_works_and_hold_all_others_once() -> None:
    sheet = pl.DataFrame({"work_id": [f"W{n}" for n in range(50)]})
    parts = [deal(sheet, part, 3, 10)["work_id"].to_list() for part in (1, 2, 3)]
    assert all(part[:10] == sheet["work_id"][:10].to_list() for part in parts)
    others = [work for part in parts for work in part[10:]]
    assert sorted(others) == sorted(sheet["work_id"][10:]) and max(map(len, parts)) - min(map(len, parts)) <= 1


def test_affiliations_are_read_on_a_page_and_become_decisions(
    chromium: Any, command: Command, reports: Path, tmp_path: Path, capsys: Any
) -> None:
    page = tmp_path / "page.html"
    arguments = ("--what", "affiliations", "--size", "5", "--out", page, "--reports", reports)
    assert command("review", "page", "demo", *arguments) == 0
    begin(chromium, page, "D. Reader")
    named = [bool(item["of"]) for item in data_of(chromium)["items"]]
    for is_named in named[:8]:
        chromium.press("y" if is_named else "n")
    assert chromium.troubles() == [] and chromium.violations() == []
    assert command("review", "import", saved(chromium, tmp_path), "--reports", reports) == 0
    assert f"{sum(named[:8])} decision" in capsys.readouterr().out
    decisions = pl.read_csv(reports / "demo" / "decisions.csv")
    assert decisions.height == sum(named[:8]) and set(decisions["reviewer"]) == {"D. Reader"}


def test_a_page_never_takes_the_place_of_another_file(command: Command, reports: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("mine\n", encoding="utf-8")
    assert command("review", "page", "demo", "--size", "20", "--out", sheet, "--reports", reports) == 2
    assert sheet.read_text(encoding="utf-8") == "mine\n"
