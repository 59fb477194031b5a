"""Commands about classification and its evaluation: classify, evaluate classifier, agreement, matcher."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from copub.cli.app import (
    JsonOption,
    NoProgressOption,
    QuietOption,
    SchedulerOption,
    WorkersOption,
    app,
    print_json,
    say,
)
from copub.cli.watchlists import WatchlistOption, chosen
from copub.errors import InputError
from copub.givenfiles import spooled
from copub.lines import aligned, amount
from copub.lists.outputplace import begins_with, check_earlier, check_out
from copub.names import OPERATING_POINTS
from copub.writing import write_file

if TYPE_CHECKING:
    import polars as pl

    from copub.lists.taxonomy import Taxonomy
    from copub.technology.classifierevaluation import Evaluation


evaluate_group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Evaluate classifier and matcher on labelled files."
)
app.add_typer(evaluate_group, name="evaluate")

TaxonomyOption = Annotated[str, typer.Option("--taxonomy", metavar="ID", help="taxonomy, shipped or file")]
OperatingPointOption = Annotated[
    str, typer.Option("--operating-point", help=f"operating point: {', '.join(OPERATING_POINTS)}")
]
LabelsOption = Annotated[Path, typer.Option("--labels", metavar="FILE", help="labelled file")]
_SHOWN = 3
_NO_FIGURE = "-"
_KNOWN = (
    "note: the model was trained on this file, so the figures say nothing about other works; "
    "docs/classification.md has those of works left out"
)


_TAUGHT = "note: {count} of {of} trained the model (known by id); the figures are too good by as much as it knows them"


@app.command("classify")
def classify_command(
    works: Annotated[
        Path,
        typer.Option(
            "--works", metavar="FILE", help="OpenAlex works, or records with id or item, title, abstract; JSON Lines"
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="where the rows go: .parquet, .csv or .jsonl")],
    taxonomy: TaxonomyOption = "eu-2023-2113",
    operating_point: OperatingPointOption = "balanced",
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    quiet: QuietOption = False,
) -> None:
    """Assign works to areas of a taxonomy.

    One row per work and area: score, decision, method and evidence.

    \b
    Example:
      copub classify --works works.jsonl.gz --taxonomy eu-2023-2113 --out areas.parquet
    """
    from copub import progress
    from copub.cli.files import SUFFIXES, write_out
    from copub.engine import engine_of
    from copub.technology import classify_file

    check_out(out, works, Path(taxonomy), suffixes=SUFFIXES)
    progress.stage("classify")
    with engine_of(workers, scheduler):
        basis, parts = classify_file(spooled([works])[0], taxonomy, operating_point=operating_point)
    counts = {"works": 0, "assignments": 0}
    write_out(_counted(parts, counts), out)
    if not quiet:
        say([*_classified(basis, counts), f"assignments: {out}"])
    repeated = basis.height - basis["work_id"].n_unique()
    if repeated:
        typer.echo(f"note: {repeated} ids occur more than once; each record was classified on its own", err=True)


def _classified(basis: pl.DataFrame, counts: Mapping[str, int]) -> Iterator[str]:
    """Return what was assigned, and what was classified by its title alone or not at all."""
    import polars as pl

    by_title = basis.filter("classifiable", classified_from="title").height
    unclassifiable = basis.filter(~pl.col("classifiable")).height
    yield (
        f"{counts['works']:,} of {amount(basis.height, 'work')} assigned to an area "
        f"({amount(counts['assignments'], 'assignment')})."
    )
    yield (
        f"{by_title:,} classified by title alone; {unclassifiable:,} could not be classified "
        "(no text, or a language that the model does not know)."
    )


def _counted(parts: Iterator[pl.DataFrame], counts: dict[str, int]) -> Iterator[pl.DataFrame]:
    for part in parts:
        assigned = part.filter("assigned")
        counts["works"] += assigned["work_id"].n_unique()
        counts["assignments"] += assigned.height
        yield part


@evaluate_group.command("classifier")
def classifier_command(
    labels: LabelsOption,
    taxonomy: TaxonomyOption = "eu-2023-2113",
    operating_point: OperatingPointOption = "balanced",
    reading: Annotated[
        str, typer.Option("--reading", help="core, or inclusive: applied works are positives too")
    ] = "core",
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="draw the calibration plot here, a .svg")
    ] = None,
    errors: Annotated[
        Path | None,
        typer.Option("--errors", metavar="FILE", help="write the error counts here, a .toml, for adjusted.evaluations"),
    ] = None,
    quiet: NoProgressOption = False,
    as_json: JsonOption = False,
) -> None:
    """Evaluate the classifier on labelled works.

    Precision, recall and F1 per area and stratum, with intervals. Also printed: how well scores fit
    the labels (calibration), the results of other thresholds (sweep), and works assigned to another
    area than labelled (look-alikes). The file has one JSON object per line with item or work, title, abstract, core,
    and where known disputed, applied, stratum, and topics as OpenAlex gives them. Works on which a model was
    trained say nothing about its quality; they are counted, and left out of the error counts that a study can
    use (adjusted.evaluations).

    \b
    Examples:
      copub evaluate classifier --labels labelled.jsonl
      copub evaluate classifier --labels labelled.jsonl --plot calibration.svg
      copub evaluate classifier --labels labelled.jsonl --errors my-evaluation.toml
    """
    import polars as pl

    from copub import progress
    from copub.lists.taxonomy import load_taxonomy
    from copub.runs.folder import sha256_of
    from copub.technology import classifierevaluation, classify
    from copub.technology.model import load_model
    from copub.technology.plainrecords import topics_of
    from copub.technology.taught import is_taught
    from copub.technology.training.plot import calibration_svg

    if plot is not None:
        check_out(plot, labels, suffixes=(".svg",))
        check_earlier(plot, "plot of copub", lambda there: begins_with(there, 'role="img">\n<title>'))
    if reading not in classifierevaluation.READINGS:
        raise InputError(
            f"no reading {reading!r}", where="--reading", hint=f"known: {', '.join(classifierevaluation.READINGS)}"
        )
    areas = load_taxonomy(taxonomy)
    table = classifierevaluation.read_labels(labels)
    classifierevaluation.check_areas(table, areas.area_ids)
    if errors is not None:
        _check_errors(errors, areas, operating_point, reading)
    taught = is_taught(table["work"])
    if sha256_of(labels) in load_model().trained_on:
        say([_KNOWN], err=True)
    elif taught.any():
        say([_TAUGHT.format(count=taught.sum(), of=taught.len())], err=True)
    progress.stage("evaluate")
    works = table.select("work_id", "title", "abstract").with_columns(
        abstract_status=pl.when(pl.col("abstract") == "").then(pl.lit("none")).otherwise(pl.lit("full")),
        language=pl.lit(None, dtype=pl.String),
        epoch=pl.lit("unknown"),
    )
    made = classify(works, topics_of(table), [areas], operating_point=operating_point)
    result = classifierevaluation.evaluate(table, made.assignments, areas.area_ids, reading=reading)
    if errors is not None:
        _write_errors(
            errors, labels, classifierevaluation.evaluate(table.filter(~taught), made.assignments, areas.area_ids)
        )
    if plot is not None:
        write_file(plot, calibration_svg(result.calibration, f"{areas.id} on {labels.name}"))
    if as_json:
        print_json(json.loads(classifierevaluation.to_json(result)))
        return
    for name, frame in (("area", result.areas), ("stratum", result.strata)):
        _print_measures(frame, name)
    for heading, frame in (
        ("calibration (scores, and the share of pairs that is core)", result.calibration),
        ("sweep (all areas together, by threshold)", result.sweep),
        ("look-alikes (assigned, but read as)", result.look_alikes),
    ):
        _print_table(heading, frame)


def _check_errors(path: Path, taxonomy: Taxonomy, operating_point: str, reading: str) -> None:
    """Raise `InputError` if error counts would not be those of the decision that a study corrects."""
    from copub.measures.inputs import EVALUATED_POINT, is_read_for

    if path.suffix != ".toml" or not path.parent.is_dir() or path.exists():
        what = "error counts need a new name that ends in .toml, in a folder that is there"
        raise InputError(what, where=str(path), hint="name another file")
    if operating_point != EVALUATED_POINT or reading != "core" or not is_read_for(taxonomy):
        what = "shares are corrected for the shipped taxonomy of the model only, at the balanced point, read as core"
        raise InputError(what, where="--errors", hint="leave out --taxonomy, --operating-point and --reading")


def _write_errors(path: Path, labels: Path, made: Evaluation) -> None:
    """Write the counts of the decision "critical in any area" by text, over works that did not train the model."""
    from copub.lists.errorcounts import ErrorCounts, EvaluationSet, evaluation_text
    from copub.lists.modelcard import model_hash

    rows = [row for row in made.strata.iter_rows(named=True) if row["kind"] == "text"] if made.strata.height else []
    names = {"title and abstract": "with abstract", "title": "title only"}
    counts = {
        names[row["stratum"]]: ErrorCounts(
            row["tp"], row["fp"], row["fn"], row["works"] - row["tp"] - row["fp"] - row["fn"]
        )
        for row in rows
        if row["works"]
    }
    works = sum(row["works"] for row in rows)
    if not counts:
        what = "every work of this file trained the model, so it tells nothing about its errors"
        raise InputError(what, where=str(labels), hint="label other works: copub review texts")
    name = f"{amount(works, 'work')} of {labels.name}"
    path.write_text(evaluation_text(EvaluationSet(name, counts), f"copub evaluate classifier on {name}", model_hash()))
    typer.echo(f"error counts over {amount(works, 'work')}: {path}", err=True)


@evaluate_group.command("agreement")
def agreement_command(
    works: Annotated[
        Path, typer.Option("--works", metavar="FILE", help="works as for classify, with the ids of the labels")
    ],
    outside: Annotated[
        Path, typer.Option("--outside", metavar="FILE", help="outside labels: .csv, .jsonl or .parquet")
    ],
    area: Annotated[
        list[str] | None, typer.Option("--area", help="areas that the label refers to, if the file has no column area")
    ] = None,
    id_column: Annotated[str, typer.Option("--id", help="column of ids: OpenAlex, DOI or arXiv")] = "id",
    label_column: Annotated[str, typer.Option("--label", help="column of labels: yes, no or nothing")] = "label",
    taxonomy: TaxonomyOption = "eu-2023-2113",
    operating_point: OperatingPointOption = "balanced",
    quiet: NoProgressOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare copub's areas with external labels.

    Agreement, kappa, precision and recall. A label is yes, no, or empty where the external classifier was
    not run. This is agreement, not accuracy: external labels may come from another model.

    \b
    Example:
      copub evaluate agreement --works works.jsonl.gz --outside cset.csv --label is_ai --area EU-02-AI
    """
    import polars as pl

    from copub import progress
    from copub.lists.taxonomy import load_taxonomy
    from copub.technology import classify_ids
    from copub.technology.externallabels import agreement, read_outside

    areas = load_taxonomy(taxonomy).area_ids
    labels = read_outside(spooled([outside])[0], id_column=id_column, label_column=label_column)
    named = [name for name in labels["area"].unique(maintain_order=True).to_list() if name is not None]
    groups = {name: [name] for name in named} or {" or ".join(area or ()): area or []}
    unknown = sorted({name for group in groups.values() for name in group if name not in areas})
    if unknown or not all(groups.values()):
        what = f"no area {', '.join(unknown)} in {taxonomy}" if unknown else "the labels name no area"
        raise InputError(what, where="--area", hint=f"known: {', '.join(areas)}")
    progress.stage("evaluate")
    ids, assignments = classify_ids(spooled([works])[0], taxonomy, operating_point=operating_point)
    rows = []
    for name, group in groups.items():
        of_group = labels.filter(pl.col("area") == name) if named else labels
        rows.append({"area": name, **agreement(ids, assignments, of_group, group)})
    if as_json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['area']}: {amount(row['works'], 'work')} compared, {row['without_label']} without a label")
        for figure in ("agreement", "precision", "recall", "f1"):
            typer.echo(f"  {figure:<10} {_with_interval(row, figure)}")
        typer.echo(f"  {'kappa':<10} {_figure(row['kappa'])}")


@evaluate_group.command("matcher")
def matcher_command(
    labels: LabelsOption,
    watchlist: WatchlistOption = None,
    others: Annotated[
        bool, typer.Option("--others/--alone", help="also plain substring matching and common fuzzy scorers")
    ] = True,
    quiet: NoProgressOption = False,
    as_json: JsonOption = False,
) -> None:
    """Evaluate the matcher on labelled affiliation strings.

    Precision, recall and F1 per method, with intervals. The file is a CSV with raw_affiliation_string,
    entity_slugs (separated by |; empty = none) and kind. Each fuzzy scorer gets the threshold that is
    best for it on these same strings.

    \b
    Example:
      copub evaluate matcher --labels strings.csv
    """
    from copub import progress
    from copub.screening import load_watchlist
    from copub.screening import matcherevaluation as matching

    table = matching.read_labels(spooled([labels])[0])
    progress.stage("evaluate")
    frame = matching.evaluate(table, [load_watchlist(name) for name in chosen(watchlist)], others=others)
    if as_json:
        print_json(frame.to_dicts())
        return
    _print_measures(frame, "method")


def _print_measures(frame: pl.DataFrame, name: str) -> None:
    rows = []
    for row in frame.iter_rows(named=True):
        cells = [_with_interval(row, figure) for figure in ("precision", "recall")]
        rows.append([row[name], *cells, _figure(row["f1"]) + ("" if row.get("evaluated", True) else "*")])
    for line in aligned([[name, "precision", "recall", "f1"], *rows], left=4):
        typer.echo(line)
    if any(row[-1].endswith("*") for row in rows):
        typer.echo("* not evaluated: too few positives")


def _with_interval(row: Mapping[str, Any], figure: str) -> str:
    value, low, high = (_figure(row[name]) for name in (figure, f"{figure}_low", f"{figure}_high"))
    return value if low == _NO_FIGURE else f"{value} ({low}–{high})"


def _print_table(heading: str, frame: pl.DataFrame) -> None:
    """Print a small table with its columns one under another."""
    if not frame.height:
        return
    typer.echo(f"\n{heading}")
    shown = [frame.columns, *([_cell(value) for value in row] for row in frame.iter_rows())]
    for line in aligned(shown, left=frame.width):
        typer.echo(line)


def _cell(value: Any) -> str:
    return _figure(value) if isinstance(value, float) else str(value)


def _figure(value: float | None) -> str:
    return _NO_FIGURE if value is None or value != value else f"{value:.{_SHOWN}f}"
