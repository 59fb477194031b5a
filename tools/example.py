"""Write what the demo gives into the documentation: docs/example.md and the picture docs/report.png.

    python tools/example.py

The picture is of the first screen of the report, 1,300 pixels wide; it needs a Chromium.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import polars as pl
from playwright.sync_api import sync_playwright

import copub
from copub.report.exports import build_exports
from copub.report.terminal import terminal_lines

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE, PICTURE = DOCS / "example.md", DOCS / "report.png"
WIDTH, HEIGHT = 1300, 1000
TEXT = """\
# What comes out: the demo

Made by `tools/example.py` from `copub run demo`; do not edit by hand. The works, people and institutions
of the demo are invented, so that the true values are known.

## In the terminal

```
{terminal}
```

## The report

![The first screen of the report]({picture})

## `tables/shares.parquet`: some shares over all works

{shares}

## `copub export demo --to markdown`

{summary}
"""
COLUMNS = ("measure", "counting", "numerator", "denominator", "share", "ci_low", "ci_high")


def example_text(run: copub.Run) -> str:
    """Return the page on a run of the demo."""
    lines = terminal_lines(run.tables, run.manifest, Path("reports/demo/RUN"))
    rows = run.tables["shares"].filter(slice_kind="all").select(COLUMNS).head(12)
    shown = rows.with_columns(pl.col(pl.Float64).round(4))
    table = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    table += ["| " + " | ".join(map(str, row)) + " |" for row in shown.iter_rows()]
    (summary,) = build_exports(run.tables, run.manifest, ["markdown"]).values()
    made_by = (run.manifest["run_id"], run.manifest["created"], f": {run.manifest['copub_version']}")
    plain = [line for line in summary.decode("utf-8").splitlines() if not any(one in line for one in made_by)]
    quoted = "\n".join(f"> {line}".rstrip().replace("> # ", "> ### ") for line in plain)
    return TEXT.format(
        terminal="\n".join(lines), picture=PICTURE.name, shares="\n".join(table), summary=quoted.rstrip("\n> ")
    )


def write_picture(run: copub.Run) -> None:
    """Write the picture of the first screen of a report."""
    browser_path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto((run.folder / "report.html").as_uri())
        page.screenshot(path=PICTURE)
        browser.close()


def main() -> None:
    """Run the demo and write page and picture."""
    with tempfile.TemporaryDirectory() as folder:
        run = copub.run("demo", cache=Path(folder) / "cache", reports=Path(folder) / "reports")
        PAGE.write_text(example_text(run), encoding="utf-8")
        write_picture(run)


if __name__ == "__main__":
    main()
