"""Commands for reading works and affiliations, and for what readers decided: page, import, status, export."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from copub.cli.app import JsonOption, ReportsOption, print_json, say
from copub.cli.review import RunArgument, SeedOption, group
from copub.errors import InputError
from copub.givenfiles import spooled
from copub.lines import amount
from copub.lists.outputplace import check_out, keep_whole
from copub.names import READING_STRATA, SEED
from copub.settings import folders
from copub.writing import write_file

if TYPE_CHECKING:
    import polars as pl

    from copub.review.filledsheets import Given
    from copub.review.ledger import Ledger
    from copub.runs.folder import Run

_SIZE = 200
_RESERVE = 1.25  # works on a page beyond those that the plan asks for: its rates are a guess
_SHOWN = 10  # changes and works printed one by one


@group.command("page")
def page_command(
    run: RunArgument,
    what: Annotated[Literal["works", "affiliations"], typer.Option("--what", help="what is read")] = "works",
    size: Annotated[
        int | None,
        typer.Option(
            "--size", min=1, help="works, or hits and as many other strings  [default: 200; 50]", show_default=False
        ),
    ] = None,
    width: Annotated[
        float | None,
        typer.Option("--width", min=0.1, max=50, help="width of the interval in points that is wanted; gives the size"),
    ] = None,
    part: Annotated[str, typer.Option("--part", metavar="K/N", help="part K of N, for N readers")] = "1/1",
    shared: Annotated[int, typer.Option("--shared", min=0, help="first works that all parts hold")] = 40,
    third_look: Annotated[
        bool, typer.Option("--third-look", help="works on which readers differ; the answers settle them")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="the page (default: reading-STUDY.html here)"),
    ] = None,
    seed: SeedOption = SEED,
    reports: ReportsOption = None,
) -> None:
    """Write a page on which people read works, one at a time.

    The page is one file. It works offline, on a phone and by keyboard, and does not show what copub decided.
    It keeps the answers in the browser and saves them as a file for review import.

    \b
    Example:
      copub review page belgium-china
      copub review page belgium-china --width 2
      copub review page belgium-china --part 1/2 --shared 40 --out ann.html
    """
    from copub.review.draws import keep_draw
    from copub.review.readingpage import affiliations_page, drawn_for, third_look_page, works_page
    from copub.review.works import open_works
    from copub.runs.copies import question_of
    from copub.runs.keep import find_run

    found = find_run(run, folders(reports=reports).reports)
    question, name = question_of(found), f"{found.folder.parent.name}/{found.folder.name}"
    number, parts = _part(part)
    _check_measured(found)
    kind = ""
    if third_look:
        disputed, kind = _ledger(found, reports).disputed, "-third-look"
        if not disputed:
            raise InputError("readers differ on no work", where=run, hint="nothing is left to settle")
        html = third_look_page(question, found.tables, name, disputed)
        reported = f"{amount(len(disputed), 'work')} to settle"
    elif what == "affiliations":
        html, kind = affiliations_page(question, found.tables, name, size or 50, seed=seed), "-affiliations"
        reported = "affiliations"
    else:
        aim = width / 100 if width else None
        total = size or (_planned(found, question.study.confidence, aim, reports) if aim else _SIZE)
        works = found.tables["copublications"]
        total = min(max(total, 2 ** len(READING_STRATA)), open_works(works, _taught(found)).height)
        kind = f"-{number}-of-{parts}" if parts > 1 else ""
        drawn = drawn_for(question, found.tables, total, seed)
        keep_draw(folders(reports=reports).reports, question.study.id, drawn)
        html = works_page(question, found.tables, name, drawn, aim=aim, part=(number, parts, shared))
        reported = f"{total:,} of {amount(works.height, 'work')}" + (f", part {part}" if parts > 1 else "")
    path = out or Path(f"reading-{question.study.id}{kind}.html")
    _write_page(path, html)
    say([f"{reported}: {path}", "Open it in a browser. Give the file that it saves to copub review import."])


def _check_measured(run: Run) -> None:
    if "copublications" not in run.tables:
        raise InputError(
            "the run was stopped before its works were measured", where=str(run.folder), hint="run it without --until"
        )


def _part(text: str) -> tuple[int, int]:
    number, _, parts = text.partition("/")
    if number.isdigit() and parts.isdigit() and 1 <= int(number) <= int(parts) <= 20:
        return int(number), int(parts)
    raise InputError(f"{text!r} is no part", where="--part", hint="write 1/2 for the first of two parts")


def _planned(run: Run, confidence: float, aim: float, reports: Path | None) -> int:
    from copub.review.status import works_needed

    labels = _ledger(run, reports).labels
    needed = works_needed(run.tables["copublications"], labels, aim, confidence, _taught(run))
    typer.echo(f"About {amount(needed, 'work')} give an interval {100 * aim:g} points wide.")
    return int(needed * _RESERVE)


def _taught(run: Run) -> pl.DataFrame | None:
    from copub.measures.inputs import taught_for
    from copub.runs.copies import headline_taxonomy_of

    return taught_for(headline_taxonomy_of(run))


def _write_page(path: Path, html: str) -> None:
    """Write a page, but never in place of a file that is another page or no page: somebody's answers may need it."""
    if not path.parent.is_dir():
        raise InputError("there is no such folder", where=str(path.parent), hint="make it, or name another")
    data = html.encode("utf-8")
    if path.exists() and (path.is_dir() or path.read_bytes() != data):
        raise InputError("the file is there already", where=str(path), hint="name another with --out, or move it away")
    keep_whole(path)
    write_file(path, data)


@group.command("import")
def import_command(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="files that pages saved, and filled-in sheets")
    ],
    study: Annotated[
        str,
        typer.Option("--study", metavar="STUDY", help="id of the study; files of pages name it"),
    ] = "",
    reports: ReportsOption = None,
) -> None:
    """Import what readers decided, from files of pages and sheets.

    Every imported file is kept as it is, in reports/STUDY/review. Answers on works become labels, from which
    the next run estimates the share; of one reader the latest answer counts. Works on which
    readers differ have no label until a third look (review page --third-look). Decisions on affiliations
    (review sample, or a page of affiliations) change which hits count in every later run.

    \b
    Example:
      copub review import copub-reading-belgium-china-Ann.json
      copub review import sheet.csv --study belgium-china
    """
    from copub.lists.decisions import DECISIONS, keep_decisions, read_decisions
    from copub.lists.labels import is_label_sheet
    from copub.review.filledsheets import is_page_file, read_given
    from copub.review.ledger import open_ledger, take

    files = spooled(files)
    # all files are read before anything is kept
    given: list[Given] = []
    decided: list[pl.DataFrame] = []
    for file in files:
        if file.is_file() and not is_page_file(file) and not is_label_sheet(file):
            decided.append(read_decisions(file))
        else:
            given.append(read_given(file))
    study = _study_of(study, [one.study for one in given])
    decided = [one for one in (*decided, *(one.decisions for one in given)) if not one.is_empty()]
    if not decided and all(one.works.is_empty() for one in given):
        raise InputError(
            "nothing is filled in, so nothing was changed",
            where=", ".join(map(str, files)),
            hint="fill in decision, reason, reviewer and date (a sheet of affiliations), or critical, listed, "
            "top_level, reader and date (a sheet of works), or answer on a page and save its file",
        )
    place = folders(reports=reports).reports
    taken = take(place, study, files)
    for new in decided:
        kept, path = keep_decisions(place, study, new)
        typer.echo(
            f"{amount(new.height, 'decision')} taken, {kept.height} kept in {path}; "
            f"the next run applies them ({DECISIONS})"
        )
        say(_unasked_lines(place, study, new))
    if any(not one.works.is_empty() for one in given):
        ledger = open_ledger(place, study)
        say(
            [
                f"{amount(taken.files, 'new file')}: {amount(taken.new, 'new label')}, {len(taken.changed)} changed",
                *(f"  {line}" for line in taken.changed[:_SHOWN]),
                *([f"  and {len(taken.changed) - _SHOWN} more"] if len(taken.changed) > _SHOWN else []),
                f"{amount(ledger.labels.height, 'work')} labelled: {taken.path}",
                "The next run corrects by them once they are enough: copub review status says how many are lacking.",
                *_agreement_lines(ledger, study),
            ]
        )


def _unasked_lines(reports: Path, study: str, decisions: pl.DataFrame) -> list[str]:
    """Return which decisions are on pairs that the newest run of the study did not ask about."""
    from copub.review.affiliations import unasked
    from copub.runs.copies import watchlists_of
    from copub.runs.keep import runs_of

    runs = runs_of(reports, study)
    if not runs or "hits" not in runs[-1].tables:
        return []
    tables = runs[-1].tables
    found = unasked(decisions, tables["hits"], tables["affiliations"], watchlists_of(runs[-1]))
    if found.is_empty():
        return []
    rows = [f"  {row['entity_id']}, {row['value']!r}: {row['effect']}" for row in found.iter_rows(named=True)]
    return [
        f"{amount(found.height, 'decision')} on a string and an institution that {study}/{runs[-1].folder.name} "
        "did not ask about together. Compare them with the sheet as drawn: cells may have been cut or exchanged.",
        *rows[:_SHOWN],
        *([f"  and {len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else []),
    ]


def _study_of(named: str, found: list[str]) -> str:
    ids = sorted({study for study in (named, *found) if study})
    if len(ids) == 1:
        return ids[0]
    raise InputError(
        f"the files are for several studies: {', '.join(ids)}" if ids else "a sheet does not name its study",
        where="--study",
        hint="import the files of one study at a time" if ids else "give its id: --study STUDY",
    )


def _agreement_lines(ledger: Ledger, study: str) -> list[str]:
    from copub.review.agreement import agreement

    lines = [
        f"{row['reader_a']} and {row['reader_b']}, {row['question']}: "
        + ("kappa not defined" if row["kappa"] is None else f"kappa {row['kappa']:.2f}")
        + f" over {amount(row['works'], 'work')}, {row['differ']} differ"
        for row in agreement(ledger.readings).iter_rows(named=True)
    ]
    if ledger.disputed:
        shown = ", ".join(list(ledger.disputed)[:_SHOWN]) + (" …" if len(ledger.disputed) > _SHOWN else "")
        lines.append(
            f"{amount(len(ledger.disputed), 'work')} without a label, because readers differ: {shown}. "
            f"Settle them: copub review page {study} --third-look"
        )
    if ledger.drawn_elsewhere:
        lines.append(
            f"{amount(ledger.drawn_elsewhere, 'reading')} of a draw that is not in this folder of reports: the works "
            "count as drawn at random from their strata"
        )
    if ledger.undecided:
        lines.append(f"{amount(len(ledger.undecided), 'work')} without a label, because no reader could tell")
    return lines


@group.command("status")
def status_command(
    run: RunArgument,
    width: Annotated[
        list[float] | None,
        typer.Option("--width", min=0.1, max=50, help="width of the interval in points; repeat it  [default: 1, 2, 3]"),
    ] = None,
    as_json: JsonOption = False,
    reports: ReportsOption = None,
) -> None:
    """Show what was read, how far readers agree and what is left.

    \b
    Example:
      copub review status belgium-china
      copub review status belgium-china --width 1.5
    """
    from copub.measures.inputs import errors_of, taught_for
    from copub.review.status import WIDTHS, facts_of, status_of
    from copub.runs.copies import question_of
    from copub.runs.keep import find_run

    found = find_run(run, folders(reports=reports).reports)
    ledger, question = _ledger(found, reports), question_of(found)
    study, taught = question.study, taught_for(question.taxonomies[0])
    _check_measured(found)
    widths = [points / 100 for points in width] if width else WIDTHS
    status = status_of(study, found.tables["copublications"], ledger, widths, taught, errors_of(question))
    if as_json:
        print_json(facts_of(status))
        return
    times = {name: f", {seconds:.0f} s per work" for name, seconds in status.seconds.items()}
    readers = "; ".join(f"{name} {count:,}{times.get(name, '')}" for name, count in status.readers.items())
    lines = [
        f"{study.id}/{found.folder.name}: {status.labelled:,} of {amount(status.works, 'work')} labelled",
        f"readers: {readers or 'nobody yet'}",
        f"open: {status.opened:,} shown without a label, {status.disputed:,} of them because readers differ, "
        f"{status.undecided:,} because no reader could tell",
        *_agreement_lines(ledger, study.id),
    ]
    if status.share is None or status.low is None or status.high is None:
        lines.append(f"interval: none yet ({status.lacking})")
    else:
        lines.append(
            f"critical and listed, from the labels: {_points(status.share)} %, interval {_points(status.low)} to "
            f"{_points(status.high)} % ({_points(status.high - status.low)} points wide)"
        )
        for name, row in status.check.items():
            if row["precision"] is not None and row["recall"] is not None:
                lines.append(
                    f"copub against the labels, {name}: precision {row['precision']:.2f}, recall {row['recall']:.2f}"
                )
    if status.leads_from:
        lines.append(f"the report rests on the labels from {amount(status.leads_from, 'work')} read on")
    for wanted, count in status.still.items():
        lines.append(
            f"still to read for an interval {100 * wanted:g} points wide: "
            + (f"about {amount(count, 'work')}" if count else "nothing")
        )
    say(lines)


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


@group.command("export")
def export_command(
    run: RunArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="the file, a .csv")],
    reports: ReportsOption = None,
) -> None:
    """Write the labels as a file that others may use and cite.

    It has ids, answers, readers and the hash of the rules. It has no title, abstract, affiliation or note.

    \b
    Example:
      copub review export belgium-china --out labels.csv
    """
    from copub.csvtext import csv_of
    from copub.review.citable import citable, citation
    from copub.runs.keep import find_run

    found = find_run(run, folders(reports=reports).reports)
    study = found.folder.parent.name
    labels = citable(_ledger(found, reports), study)
    if labels.is_empty():
        raise InputError("nothing is labelled", where=study, hint="read works first: copub review page")
    data = csv_of(labels)
    if out.exists():
        raise InputError("the file is there already", where=str(out), hint="name another, or move it away")
    check_out(out)
    write_file(out, data)
    say([f"{amount(labels.height, 'label')}: {out}", citation(labels, study, hashlib.sha256(data).hexdigest())])


def _ledger(run: Run, reports: Path | None) -> Ledger:
    from copub.review.ledger import open_ledger

    return open_ledger(folders(reports=reports).reports, run.manifest["study"]["id"])
