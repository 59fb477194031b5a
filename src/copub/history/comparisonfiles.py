"""Writing a comparison: its tables, its page, its summary."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from copub.errors import InputError
from copub.history.compare import Comparison
from copub.history.comparisontables import COMPARISON_TABLES
from copub.history.comparisonwords import MEASURES, cautions, part_rows, run_name, share_sentence
from copub.lists.outputplace import run_around
from copub.runs.folder import Run, sha256_of
from copub.writing import as_input_error

SHOWN = 500
"""Rows of a list on the page; all of them are in the tables."""

_TEMPLATES = Path(__file__).parent / "templates"
_PAGE, _SUMMARY = "comparison.html", "comparison.json"


def write_comparison(comparison: Comparison, folder: Path) -> Path:
    """Write tables, page and summary into `folder`, whole or not at all; return the page.

    What an earlier comparison wrote there is replaced: a comparison follows from its runs alone.
    """
    _check_place(folder)
    partial, old = (folder.with_name(f".{kind}-{folder.name}-{os.getpid()}") for kind in ("partial", "removed"))
    try:
        with as_input_error(folder):
            _fill(comparison, partial)
            if folder.exists():
                folder.rename(old)
            partial.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for path in (partial, old):
            shutil.rmtree(path, ignore_errors=True)
    return folder / _PAGE


def _check_place(folder: Path) -> None:
    """Raise `InputError` if something else than an earlier comparison would be replaced."""
    if run_around(folder / _PAGE) is not None:
        raise InputError("this is in the folder of a run", where=str(folder), hint="name a folder elsewhere")
    if not os.path.lexists(folder):
        return
    names = {path.name for path in folder.iterdir()} if folder.is_dir() and not folder.is_symlink() else {""}
    if names - {_PAGE, _SUMMARY, "tables"} or (names and _SUMMARY not in names):
        raise InputError(
            "there is something else than a comparison here: it would be replaced",
            where=str(folder),
            hint="name a folder that is not there yet (--out DIR)",
        )


def _fill(comparison: Comparison, partial: Path) -> None:
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "tables").mkdir(parents=True)
    for name, frame in comparison.tables.items():
        frame.write_parquet(partial / "tables" / f"{name}.parquet", compression="zstd")
    (partial / _PAGE).write_text(comparison_page(comparison), encoding="utf-8")
    summary = comparison_facts(comparison) | {
        "tables": {path.stem: sha256_of(path) for path in sorted((partial / "tables").iterdir())}
    }
    (partial / _SUMMARY).write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def comparison_facts(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON-ready values: runs, cautions, counts, shares and parts."""
    return {
        "before": str(comparison.before.manifest.get("run_id")),
        "after": str(comparison.after.manifest.get("run_id")),
        "synthetic": _is_synthetic(comparison),
        "studies": [str(run.manifest["study"]["id"]) for run in (comparison.before, comparison.after)],
        "questions": list(comparison.questions),
        "instrument_changes": [
            {"instrument": c.instrument, "before": c.before, "after": c.after, "certain": c.certain}
            for c in comparison.instrument_changes
        ],
        "cautions": cautions(comparison),
        "works": comparison.counts(),
        "shares": comparison.tables["shares"].to_dicts(),
        "parts": comparison.tables["parts"].to_dicts(),
        "instruments": comparison.tables["instruments"].filter("changed").to_dicts(),
    }


def comparison_page(comparison: Comparison) -> str:
    """Return the comparison as one HTML page that needs nothing from outside."""
    sheet = (_TEMPLATES / "comparison.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(sheet.encode("utf-8")).digest()).decode("ascii")
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    counting = str(comparison.after.manifest["study"]["counting"])
    page = environment.get_template("comparison.html.j2").render(
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        sheet=Markup(sheet),  # our own file, and the policy above lets no other through
        synthetic=_is_synthetic(comparison),
        title=", then ".join(dict.fromkeys(_title(run) for run in (comparison.before, comparison.after))),
        before=run_name(comparison, "before"),
        after=run_name(comparison, "after"),
        cautions=cautions(comparison),
        counts=comparison.counts(),
        shares=[
            {"sentence": share_sentence(comparison, measure, rule), "parts": part_rows(comparison, measure, rule)}
            for measure in MEASURES
            for rule in dict.fromkeys([counting, "full"])
        ],
        works=_listed(comparison.tables["works"], SHOWN),
        institutions=_institutions(comparison.tables["institutions"]),
        instruments=comparison.tables["instruments"].to_dicts(),
        columns={table.name: table.row for table in COMPARISON_TABLES.values()},
    )
    return page + "\n"


def _title(run: Run) -> str:
    return str(run.manifest["study"]["title"])


def _is_synthetic(comparison: Comparison) -> bool:
    return any(bool(run.manifest["study"]["synthetic"]) for run in (comparison.before, comparison.after))


def _listed(frame: pl.DataFrame, shown: int) -> dict[str, Any]:
    return {"rows": frame.head(shown).to_dicts(), "more": max(frame.height - shown, 0)}


def _institutions(frame: pl.DataFrame) -> dict[str, Any]:
    """Return side A's institutions with most works come or gone first, each with its lists."""
    works = pl.struct("work_id", "title", "cause")
    grouped = (
        frame.group_by("institution_id", "institution_name", maintain_order=True)
        .agg(*(works.filter(pl.col("change") == change).alias(change) for change in ("added", "removed")))
        .sort(pl.col("added").list.len() + pl.col("removed").list.len(), "institution_name", descending=[True, False])
    )
    return _listed(grouped, SHOWN)
