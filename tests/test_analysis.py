"""Rules of the examples for other tools: each runs as it is printed and gives the numbers of the run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import copub
from copub.report.exports import export
from copub.schema import TABLES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "analysis.md"
BLOCKS = re.findall(
    r"^## (\w+)$|^```(python|r)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
PYTHON = {
    next(head for head, _, _ in reversed(BLOCKS[:place]) if head): code
    for place, (_, kind, code) in enumerate(BLOCKS)
    if kind == "python"
}
R = [code for _, kind, code in BLOCKS if kind == "r"]


def test_the_example_for_funders_counts_the_works_that_name_an_award(demo_run: copub.Run) -> None:
    code = PYTHON["Awards"].replace("RUN/", f"{demo_run.folder.as_posix()}/")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    numbered = demo_run.tables["awards"].drop_nulls("award_number")["work_id"]
    works = demo_run.tables["copublications"].filter("is_critical_listed")
    wanted = works.filter(pl.col("work_id").is_in(numbered.implode())).height
    assert f"{wanted} of {works.height} works name an award" in done.stdout
    assert wanted > 0


@pytest.mark.parametrize("tool", ["polars", "pandas", "DuckDB"])
def test_an_example_in_python_runs_and_gives_the_numbers_of_the_run(tool: str, demo_run: copub.Run) -> None:
    pytest.importorskip(tool.lower())
    code = PYTHON[tool].replace("RUN/", f"{demo_run.folder.as_posix()}/")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    full, fractional = (demo_run.share(counting=rule) for rule in ("full", "fractional-authors"))
    expected = {"polars": f"{full['share']:.6f}", "pandas": "2025", "DuckDB": str(fractional["share"])[:8]}[tool]
    assert expected in done.stdout


def test_the_examples_in_r_name_tables_and_columns_that_a_run_has() -> None:
    """R is not on every machine, so the names are compared with the schema too."""
    assert len(R) == 2
    for code in R:
        ((folder, table, suffix),) = re.findall(r'"RUN/([\w/]+)/(\w+)\.(\w+)"', code)
        assert (folder, suffix) in {("tables", "parquet"), ("export/csv", "csv")} and table in TABLES
        columns = TABLES[table].schema
        used = set(re.findall(r"works\$(\w+)", code))
        assert "is_critical_listed" in used and used <= set(columns), used - set(columns)
        assert columns["is_critical_listed"] == pl.Boolean  # its mean is the share


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="there is no Rscript on this machine")
@pytest.mark.parametrize("code", R)
def test_an_example_in_r_runs(code: str, demo_run: copub.Run, tmp_path: Path) -> None:
    export(demo_run.tables, demo_run.manifest, tmp_path / "export", ["csv"])
    (tmp_path / "tables").symlink_to(demo_run.folder / "tables")
    script = code.replace("RUN/", f"{tmp_path.as_posix()}/")
    if "arrow" in script:
        script = f'if (!requireNamespace("arrow", quietly = TRUE)) quit()\n{script}'
    done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
