"""Commands about finished runs: compare, verify, trend, runs list, pin, unpin, prune."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from copub.cli.app import (
    CacheOption,
    HidesSurplus,
    JsonOption,
    NoProgressOption,
    QuietOption,
    ReportsOption,
    app,
    print_json,
    say,
)
from copub.errors import InputError
from copub.lines import amount
from copub.lists.outputplace import begins_with, check_earlier, check_out
from copub.settings import folders

if TYPE_CHECKING:
    from copub.runs.folder import Run

DIFFERS = 4
"""Exit code of a verification that did not come out the same."""

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Finished runs: list, pin, unpin, prune.")
app.add_typer(group, name="runs")

RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="a run folder, STUDY/RUN, or STUDY for its newest run", show_default=False)
]
StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="id of the study", show_default=False)]


@app.command("compare")
def compare_command(
    before: Annotated[str, typer.Argument(metavar="RUN_A", help="the first run", show_default=False)],
    after: Annotated[str, typer.Argument(metavar="RUN_B", help="the second run", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="folder for tables and page; default: beside RUN_B")
    ] = None,
    institution: Annotated[
        str | None,
        typer.Option("--institution", metavar="NAME", help="print only the new works of this institution of side A"),
    ] = None,
    feed: Annotated[
        Path | None, typer.Option("--feed", metavar="FILE", help="with --institution: write them as an Atom file too")
    ] = None,
    reports: ReportsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Report what changed between two runs, and why.

    A run is named by its folder, as STUDY/RUN, or as STUDY for its newest run.

    With --institution, print which works of one institution are critical and listed in RUN_B and were
    not in RUN_A, as a short Markdown text: for people who are responsible for it.

    \b
    Examples:
      copub compare belgium-china/20260301-060000-1a2b3c4d belgium-china
      copub compare belgium-china/20260301-060000-1a2b3c4d belgium-china --institution "KU Leuven" --feed new.xml
    """
    from copub import progress
    from copub.history.compare import compare
    from copub.history.comparisonfiles import comparison_facts, write_comparison
    from copub.history.comparisonwords import comparison_lines
    from copub.runs.keep import find_run

    place = folders(reports=reports).reports
    pair = find_run(before, place), find_run(after, place)
    if pair[0].folder.samefile(pair[1].folder):
        raise InputError(
            "both names are of one run, so there is nothing to compare",
            where=str(pair[0].folder),
            hint="name two runs; copub runs list names all of them",
        )
    if feed and not institution:
        raise InputError("a feed is about one institution", where="--feed", hint="name it: --institution NAME")
    progress.stage("compare")
    if institution:
        _print_news(*pair, institution, feed, as_json)
        return
    found = compare(*pair)
    names = f"{found.before.folder.name}--{found.after.folder.name}"
    page = write_comparison(found, out or found.after.folder.parent / "comparisons" / names)
    if as_json:
        print_json(comparison_facts(found) | {"page": str(page)})
        return
    if not quiet:
        say([*comparison_lines(found), "Read next: the page of the comparison. Open it in a browser:"])
        typer.echo(str(page))


def _print_news(before: Run, after: Run, institution: str, feed: Path | None, as_json: bool) -> None:
    import polars as pl

    from copub.history.news import FEED_ID, as_atom, as_markdown, news
    from copub.writing import write_file

    if feed:
        check_out(feed, suffixes=(".xml", ".atom"))
        check_earlier(feed, "feed of copub", lambda there: begins_with(there, FEED_ID))
    found = news(before, after, institution)
    if feed:
        write_file(feed, as_atom(found))
    if as_json:
        rows = found.works.with_columns(pl.col("publication_date").cast(pl.String)).to_dicts()
        print_json({"title": found.title, "since": found.since, "until": found.until, "works": rows})
        return
    typer.echo(as_markdown(found), nl=False)


@app.command("verify", cls=HidesSurplus)
def verify_command(
    run: RunArgument,
    works: Annotated[
        list[Path] | None,
        typer.Option("--works", metavar="FILE...", help="the works files, if the run was made from works files"),
    ] = None,
    more_works: Annotated[list[Path] | None, typer.Argument(metavar="", hidden=True)] = None,
    cache: CacheOption = None,
    reports: ReportsOption = None,
    quiet: NoProgressOption = False,
    as_json: JsonOption = False,
) -> int:
    """Recompute a run and compare every table, page and export.

    The records come from the cache, or from the works files of the run. Exit code 0 if every table is
    the same to the byte and page, workbook, manifest and exports are as they were written; else 4, and
    what differs is named.

    \b
    Examples:
      copub verify demo
      copub verify belgium-china --works works.jsonl.gz
    """
    from copub import progress
    from copub.history.verify import verification_lines, verify
    from copub.runs.keep import find_run

    if more_works and not works:
        raise InputError(
            f"{more_works[0]} follows no option", where="copub verify", hint="put --works before works files"
        )
    place = folders(cache, reports)
    made = find_run(run, place.reports)
    progress.stage("verify")
    found = verify(made, place.cache, [*(works or []), *(more_works or [])])
    if as_json:
        print_json(
            {
                "run": str(found.run.folder),
                "same": found.is_same,
                "first_difference": found.first_difference,
                "reasons": list(found.reasons),
                "altered": list(found.altered),
                "unchecked": list(found.unchecked),
                "tables": found.tables.to_dicts(),
            }
        )
    else:
        say(verification_lines(found))
    return 0 if found.is_same else DIFFERS


@app.command("trend")
def trend_command(
    study: StudyArgument,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="write the series as .parquet or .csv as well")
    ] = None,
    reports: ReportsOption = None,
    quiet: NoProgressOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show the headline of every run of a study.

    Each run has two: as it was measured, and with today's instruments: the present classifier, watchlists
    and decisions, applied to the records that the run keeps. copub asks no source.

    \b
    Example:
      copub trend belgium-china --out series.csv
    """
    from copub import progress
    from copub.cli.files import write_out
    from copub.history.rescoring import today
    from copub.history.series import series, series_lines
    from copub.lists.decisions import decisions_of
    from copub.runs.copies import find_copy
    from copub.runs.instruments import run_time
    from copub.runs.keep import runs_of

    place = folders(reports=reports).reports
    _known_study(place, study)
    if out is not None:
        check_out(out, suffixes=(".parquet", ".csv"))
    _say_unreadable(place, study)
    runs = sorted(runs_of(place, study), key=run_time)
    progress.stage("trend")
    table = series(runs, today(decisions_of(place, study), find_copy(runs[-1])))
    if out is not None:
        write_out(table, out)
    if as_json:
        print_json({"study": study, "runs": table.to_dicts()})
        return
    say(series_lines(table))


@group.command("list")
def list_command(
    study: Annotated[
        str | None, typer.Argument(metavar="[STUDY]", help="id of a study; default: all", show_default=False)
    ] = None,
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs, oldest first: date, works, headline, pin.

    \b
    Example:
      copub runs list belgium-china
    """
    from copub.report.messages import load_messages
    from copub.runs.keep import list_runs, studies_of

    place = folders(reports=reports).reports
    if study:
        _known_study(place, study)
    listed = {name: list_runs(place, name).to_dicts() for name in ([study] if study else studies_of(place))}
    for name in listed:
        _say_unreadable(place, name)
    if as_json:
        print_json(listed)
        return
    for name, rows in listed.items():
        typer.echo(f"{name}: {amount(len(rows), 'run')}")
        for row in rows:
            share = "no share" if row["share"] is None else load_messages().percent(row["share"], 2)
            works = "" if row["works"] is None else amount(row["works"], "work")
            typer.echo(f"  {row['run']}  {row['created']}  {works}  {share}{'  pinned' if row['pinned'] else ''}")


@group.command("pin")
def pin_command(
    run: RunArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="why; kept in the run folder")] = "",
    reports: ReportsOption = None,
) -> None:
    """Pin a run, so that it is never pruned.

    \b
    Example:
      copub runs pin belgium-china --reason "as published"
    """
    from copub.runs.keep import find_run, pin

    found = find_run(run, folders(reports=reports).reports)
    pin(found, reason)
    typer.echo(f"pinned: {found.folder}")


@group.command("unpin")
def unpin_command(run: RunArgument, reports: ReportsOption = None) -> None:
    """Remove the pin of a run.

    \b
    Example:
      copub runs unpin belgium-china/20260301-060000-1a2b3c4d
    """
    from copub.runs.keep import find_run, is_pinned, unpin

    found = find_run(run, folders(reports=reports).reports)
    was = is_pinned(found)
    unpin(found)
    typer.echo(f"{'no longer pinned' if was else 'was not pinned'}: {found.folder}")


@group.command("prune")
def prune_command(
    study: StudyArgument,
    keep: Annotated[int, typer.Option("--keep", metavar="N", help="newest runs to keep, beside the pinned ones")] = 6,
    delete: Annotated[bool, typer.Option("--delete", help="really remove; without it, only show")] = False,
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which old runs would be removed; --delete removes them.

    The newest runs and the pinned ones always stay. Remains of killed runs are removed too.

    \b
    Examples:
      copub runs prune belgium-china --keep 12
      copub runs prune belgium-china --keep 12 --delete
    """
    from copub.runs.keep import prune

    place = folders(reports=reports).reports
    _known_study(place, study)
    _say_unreadable(place, study)
    done = prune(place, study, keep=keep, delete=delete)
    for run, others in done.held:
        typer.echo(f"copub: left alone: {run.folder} holds what copub did not write: {', '.join(others)}", err=True)
    going = [*(str(run.folder) for run in done.gone), *map(str, done.leftovers)]
    if as_json:
        print_json({"removed": done.removed, "gone": going, "kept": [str(run.folder) for run in done.kept]})
        return
    for folder in going:
        typer.echo(f"{'removed' if done.removed else 'would remove'}: {folder}")
    typer.echo(
        f"kept: {len(done.kept)}" + ("" if done.removed or not going else "; nothing is removed without --delete")
    )


def _say_unreadable(reports: Path, study: str) -> None:
    from copub.runs.keep import unreadable_runs

    for error in unreadable_runs(reports, study):
        typer.echo(f"copub: left alone: {error}", err=True)


def _known_study(reports: Path, study: str) -> None:
    from copub.runs.keep import studies_of

    known = studies_of(reports)
    if study not in known:
        raise InputError(
            f"there is no run of a study {study!r}", where=str(reports), hint=f"known: {', '.join(known) or 'none yet'}"
        )
