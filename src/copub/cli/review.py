"""Commands for review by people on sheets: sample (affiliations), works (for shares), texts and labels (areas)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from copub.cli.app import ReportsOption, app
from copub.errors import InputError
from copub.givenfiles import spooled
from copub.lines import amount
from copub.lists.outputplace import check_earlier, check_out, check_sheet, is_json_with
from copub.names import READING_STRATA, SEED
from copub.settings import folders
from copub.writing import write_file

group = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Pages and sheets for people to read, and what they decided.",
)
app.add_typer(group, name="review")

SeedOption = Annotated[str, typer.Option("--seed", help="the same seed draws the same rows on every machine")]


@group.command("sample")
def sample_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="a run folder, STUDY/RUN, or STUDY", show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="the sheet, a .csv")],
    hits: Annotated[int, typer.Option("--hits", min=0, help="random name hits on the sheet")] = 50,
    others: Annotated[int, typer.Option("--others", min=0, help="random strings without a hit on the sheet")] = 50,
    seed: SeedOption = SEED,
    reports: ReportsOption = None,
) -> None:
    """Draw a sheet of affiliations for people to read.

    The rows are hits, strings without a hit, and near misses.
    Fill in decision (yes or no), reason, reviewer and date, and give the sheet to review import.

    \b
    Example:
      copub review sample belgium-china --out sheet.csv
    """
    from copub.corpus.population import affiliations_under
    from copub.csvtext import write_sheet
    from copub.review.affiliations import draw_sheet
    from copub.runs.copies import watchlists_of
    from copub.runs.instruments import study_of
    from copub.runs.keep import find_run

    check_sheet(out)
    found = find_run(run, folders(reports=reports).reports)
    lists = watchlists_of(found)
    repairs = study_of(found.manifest).apply_repairs
    affiliations = affiliations_under(found.tables["affiliations"], repairs=repairs)
    sheet = draw_sheet(found.tables["hits"], affiliations, lists, n_hits=hits, n_others=others, seed=seed)
    write_sheet(sheet, out)
    typer.echo(f"{amount(sheet.height, 'row')}: {out}")


@group.command("works")
def works_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="a run folder, STUDY/RUN, or STUDY", show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="the sheet, a .csv")],
    size: Annotated[int, typer.Option("--size", min=2 ** len(READING_STRATA), help="works on the sheet")] = 200,
    seed: SeedOption = SEED,
    reports: ReportsOption = None,
) -> None:
    """Draw a sheet of works of the run for people to read.

    Readers decide whether a work is critical and names a listed institution. The works are drawn by a
    hash of the id, from every decision, with scores near to and far from the threshold. The sheet does
    not show what copub decided. Fill in critical, listed, top_level (yes or no), reader and date, leave the column
    draw as it is, and give the sheet to review import: the next run has the share from reading.

    \b
    Example:
      copub review works belgium-china --out works.csv --size 200
    """
    from copub.csvtext import write_sheet
    from copub.review.draws import draw_id, keep_draw
    from copub.review.readingpage import drawn_for, texts_of
    from copub.review.works import sheet_of
    from copub.runs.copies import question_of
    from copub.runs.keep import find_run

    check_sheet(out)
    place = folders(reports=reports).reports
    found = find_run(run, place)
    tables = found.tables
    if "copublications" not in tables:
        raise InputError("the run was stopped before its works were measured", where=run, hint="run it without --until")
    question = question_of(found)
    drawn = drawn_for(question, tables, size, seed)
    keep_draw(place, question.study.id, drawn)
    write_sheet(sheet_of(drawn, texts_of(question, tables), draw_id(drawn)), out)
    typer.echo(f"{drawn.height} of {amount(tables['copublications'].height, 'work')}: {out}")


RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="a run folder, STUDY/RUN, or STUDY for its newest run", show_default=False)
]


@group.command("texts")
def texts_command(
    run: RunArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="the sheet, a .csv")],
    size: Annotated[int, typer.Option("--size", min=1, help="works on the sheet")] = 100,
    seed: SeedOption = SEED,
    reports: ReportsOption = None,
) -> None:
    """Draw a sheet of works whose areas people read.

    Half are works for which the classifier is unsure, half are random. Fill in core and applied (area
    ids), reader and date; give the sheets of all readers to review labels.

    \b
    Example:
      copub review texts belgium-china --out works.csv --size 200
    """
    import polars as pl

    from copub.csvtext import write_sheet
    from copub.review.texts import draw_sheet as draw_texts
    from copub.runs.keep import find_run

    check_sheet(out)
    found = find_run(run, folders(reports=reports).reports)
    headline = found.manifest["taxonomies"][0]["id"]
    assigned = found.tables["assignments"].filter(taxonomy=headline)
    counted = found.tables["population"].filter(pl.col("excluded_because").is_null())
    works = found.tables["works"].join(counted, on="work_id", how="semi")
    sheet = draw_texts(works, assigned, size, seed=seed)
    write_sheet(sheet, out)
    typer.echo(f"{amount(sheet.height, 'work')}: {out}")


@group.command("labels")
def labels_command(
    run: RunArgument,
    sheets: Annotated[list[Path], typer.Argument(metavar="SHEET...", help="filled-in sheets or files of pages")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="the labelled file, JSON Lines")],
    reports: ReportsOption = None,
) -> None:
    """Join filled-in sheets or files of pages into a labelled file.

    The agreement of the readers (kappa) is printed. Use the file to evaluate a classifier (copub
    evaluate classifier) or to train one.

    \b
    Example:
      copub review labels belgium-china reader-1.csv reader-2.csv --out labelled.jsonl
    """
    from copub.review.texts import agreement_of_readers, join_readings, labels_text, read_sheets
    from copub.runs.copies import headline_taxonomy_of
    from copub.runs.keep import find_run

    check_out(out, *sheets, suffixes=(".jsonl",))
    check_earlier(out, "labelled file", lambda there: is_json_with(there, ("item", "work", "stratum")))
    found = find_run(run, folders(reports=reports).reports)
    areas = headline_taxonomy_of(found).area_ids
    readings = read_sheets(spooled(sheets), areas)
    labels = join_readings(readings)
    if labels.is_empty():
        raise InputError(
            "nothing is filled in, so nothing was written",
            where=", ".join(map(str, sheets)),
            hint="fill in core, applied, reader and date",
        )
    write_file(out, labels_text(labels, found.tables["works"], found.tables["topics"]))
    for row in agreement_of_readers(readings, areas).iter_rows(named=True):
        pair = f"{row['reader_a']} and {row['reader_b']}"
        typer.echo(f"{pair}, {row['area']}: kappa {row['kappa']:.2f} over {amount(row['works'], 'work')}")
    typer.echo(f"{amount(labels.height, 'work')} labelled: {out}")
