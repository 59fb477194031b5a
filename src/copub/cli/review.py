"""Commands for reading by people: review sample, review import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from copub.cli.app import ReportsOption, app
from copub.decisions import DECISIONS, keep_decisions
from copub.errors import CorrectInput
from copub.runs.keep import find_run
from copub.screening import load_watchlist
from copub.screening.review import draw_sheet, read_decisions, write_sheet
from copub.settings import folders

group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Sheets for human reading, and the decisions that come back."
)
app.add_typer(group, name="review")


@group.command("sample")
def sample_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="a run folder, STUDY/RUN, or STUDY", show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="the sheet, a .csv")],
    hits: Annotated[int, typer.Option("--hits", min=0, help="random name hits on the sheet")] = 50,
    others: Annotated[int, typer.Option("--others", min=0, help="random strings without a hit on the sheet")] = 50,
    seed: Annotated[int, typer.Option("--seed", help="the same seed draws the same rows")] = 1,
    reports: ReportsOption = None,
) -> None:
    """Draw a sheet of affiliations for human reading: hits, strings without a hit, near misses.

    Fill in decision (yes or no), reason, reviewer and date, and give the sheet to review import.

    \b
    Example:
      copub review sample belgium-china --out sheet.csv
    """
    if not out.parent.is_dir():
        raise CorrectInput("there is no such folder", where=str(out.parent), mend="make it, or name another")
    found = find_run(run, folders(reports=reports).reports)
    lists = [load_watchlist(facts["id"]) for facts in found.manifest["watchlists"]]
    sheet = draw_sheet(
        found.tables["hits"], found.tables["affiliations"], lists, n_hits=hits, n_others=others, seed=seed
    )
    write_sheet(sheet, out)
    typer.echo(f"{sheet.height} rows: {out}")


@group.command("import")
def import_command(
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="a filled-in sheet")],
    study: Annotated[str, typer.Option("--study", metavar="STUDY", help="id of the study that the decisions are for")],
    reports: ReportsOption = None,
) -> None:
    """Take the decisions of a sheet: they hold for every later run of the study, the latest wins.

    \b
    Example:
      copub review import sheet.csv --study belgium-china
    """
    new = read_decisions(sheet)
    kept, path = keep_decisions(folders(reports=reports).reports, study, new)
    typer.echo(f"{new.height} decisions taken, {kept.height} kept in {path}; the next run applies them ({DECISIONS})")
