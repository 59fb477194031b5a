"""How long the report of a large study takes to make, how large its page is, and how fast it opens and filters.

    python benchmarks/report.py [--works 60000] [--json FILE]

The tables of the demo, in which nine works of a hundred are critical and listed, are repeated under new
ids, titles and affiliations until there are so many works. In a process of its own the tables are written
and page and workbook are made, as the report stage does; beside them the plain alternative, the tables as
pandas writes them to HTML and Excel, without chart, note or sentence. Then Chromium opens the page and filters its
table of works; without Playwright or Chromium these two lines are left out. The bounds are those the project set
itself: 30 s, 1,500 MB, 6 MB, and 2 s to open and to filter.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import shutil
import tempfile
import time
from pathlib import Path

import polars as pl
from common import machine, timed

import copub
from copub.report.page import build_page
from copub.report.workbook import build_workbook
from copub.runs import RunWriter
from copub.runs.clock import peak_mb

BOUNDS = {"seconds": 30.0, "peak_mb": 1500.0, "page_mb": 6.0, "open": 2.0, "filter": 2.0}
STEPS = ("tables", "page", "workbook")
VARIED = ("title", "raw_affiliation_string", "value")  # texts that differ from work to work in real records
FILTER = """() => new Promise((done) => {
  const start = performance.now(), field = document.querySelector('#filters [name=area]');
  field.value = '0';
  field.dispatchEvent(new Event('input', { bubbles: true }));
  setTimeout(() => requestAnimationFrame(() => done((performance.now() - start) / 1000)), 0);
})"""


def repeated(tables: dict[str, pl.DataFrame], works: int) -> dict[str, pl.DataFrame]:
    """Return tables in which every work is again and again under new ids, until there are `works` of them."""
    copies = -(-works // tables["copublications"].height)

    def again(frame: pl.DataFrame, copy: int) -> pl.DataFrame:
        texts = [pl.col(name) + f" · {copy}" for name in VARIED if name in frame.columns]
        return frame.with_columns(pl.col("work_id") + f"{copy:03}", *texts)

    return {
        name: pl.concat([again(frame, copy) for copy in range(copies)]) if "work_id" in frame.columns else frame
        for name, frame in tables.items()
    }


def make(folder: Path, works: int) -> None:
    """Make the report of a large study in `folder`, and write down what it took."""
    run = copub.Run(next((folder / "reports" / "demo").iterdir()))
    tables, manifest = repeated(run.tables, works), run.manifest
    before = peak_mb()
    taken: dict[str, tuple[float, float]] = {}
    writer = RunWriter(folder, "large", "run")
    with timed(taken, "tables"):
        for name, frame in tables.items():
            writer.table(name, frame)
    with timed(taken, "page"):
        page = build_page(tables, manifest)
    with timed(taken, "workbook"):
        workbook = build_workbook(tables, manifest)
    peak = peak_mb()
    if importlib.util.find_spec("pandas") is not None:
        with timed(taken, "plain"):
            plain_report(tables, folder)
    (folder / "report.html").write_text(page, encoding="utf-8")
    facts = {
        "works": tables["copublications"].height,
        "listed_critical_works": int(tables["copublications"]["is_critical_listed"].sum()),
        "seconds": sum(taken[step][0] for step in STEPS),
        "processor": sum(taken[step][1] for step in STEPS),
        **{f"{step}_seconds": clock for step, (clock, _) in taken.items()},
        "loaded_mb": before,
        "peak_mb": peak,
        "page_mb": len(page.encode()) / 1e6,
        "workbook_mb": len(workbook) / 1e6,
    }
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def plain_report(tables: dict[str, pl.DataFrame], folder: Path) -> None:
    """Write shares, partners and the works that are critical and listed as pandas does."""
    import pandas as pd

    works = tables["copublications"].filter("is_critical_listed")
    chosen = {"works": works, **{name: tables[name] for name in ("shares", "institutions", "pairs")}}
    frames = {name: frame.to_pandas() for name, frame in chosen.items()}
    (folder / "plain.html").write_text("".join(frame.to_html() for frame in frames.values()), encoding="utf-8")
    with pd.ExcelWriter(folder / "plain.xlsx", engine="xlsxwriter") as book:
        for name, frame in frames.items():
            frame.to_excel(book, sheet_name=name)


def opened(page: Path) -> dict[str, float]:
    """Open the page in Chromium; return the seconds until its table of works is, and those of a filter."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None or importlib.util.find_spec("playwright") is None:
        return {}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        view = browser.new_page()
        view.goto("about:blank")
        start = time.perf_counter()
        view.goto(page.as_uri())
        view.wait_for_selector("#explorer tbody tr")
        seconds = time.perf_counter() - start
        taken: float = view.evaluate(FILTER)
        browser.close()
    return {"open": seconds, "filter": taken}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--works", type=int, default=60_000, help="works of the study")
    parser.add_argument("--json", type=Path, help="write the figures and the machine here")
    options = parser.parse_args()
    described = machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copub.run("demo", cache=folder / "cache", reports=folder / "reports")
        child = multiprocessing.get_context("spawn").Process(target=make, args=(folder, options.works))
        child.start()
        child.join()
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        facts |= opened(folder / "report.html")
    print(f"SYNTHETIC works; {json.dumps(described)}")
    for key, value in facts.items():
        bound = f"   (at most {BOUNDS[key]:,.0f})" if key in BOUNDS else ""
        print(f"{key:<22}{value:>12,.2f}{bound}")
    if options.json:
        options.json.write_text(json.dumps({"machine": described, **facts}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
