"""Commands about texts and judgements: classify, evaluate classifier, evaluate matcher."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from copub.cli.app import JsonOption, app, print_json
from copub.cli.files import check_out, write_out
from copub.cli.watchlists import WatchlistOption, chosen
from copub.errors import CorrectInput
from copub.screening import evaluation as matching
from copub.screening import load_watchlist
from copub.study import PROFILES
from copub.technology import classify, classify_file
from copub.technology import evaluation as judging
from copub.technology.taxonomy import load_taxonomy

evaluate_group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Classifier and matcher against labelled files, with intervals."
)
app.add_typer(evaluate_group, name="evaluate")

TaxonomyOption = Annotated[str, typer.Option("--taxonomy", metavar="ID", help="taxonomy, shipped or file")]
ProfileOption = Annotated[str, typer.Option("--profile", help=f"decision profile: {', '.join(PROFILES)}")]
LabelsOption = Annotated[Path, typer.Option("--labels", metavar="FILE", help="labelled file")]
_SHOWN = 3


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
    profile: ProfileOption = "balanced",
) -> None:
    """Assign works to areas of a taxonomy: score, decision, method and evidence per work and area.

    \b
    Example:
      copub classify --works works.jsonl.gz --taxonomy eu-2023-2113 --out areas.parquet
    """
    check_out(out)
    rows = classify_file(works, taxonomy, profile=profile)
    write_out(rows, out)
    assigned = rows.filter("assigned")
    typer.echo(f"works assigned {assigned['work_id'].n_unique()}, assignments {assigned.height}; rows: {out}")


@evaluate_group.command("classifier")
def classifier_command(
    labels: LabelsOption,
    taxonomy: TaxonomyOption = "eu-2023-2113",
    profile: ProfileOption = "balanced",
    reading: Annotated[
        str, typer.Option("--reading", help="core, or inclusive: applied works are positives too")
    ] = "core",
    as_json: JsonOption = False,
) -> None:
    """Judge the classifier on labelled works: precision, recall, F1 per area and stratum, with intervals.

    The file has one JSON object a line with item or work, title, abstract, core, and where known
    disputed, applied, stratum. Works on which a model was trained tell nothing about its quality.

    \b
    Example:
      copub evaluate classifier --labels labelled.jsonl
    """
    if reading not in judging.READINGS:
        raise CorrectInput(f"no reading {reading!r}", where="--reading", mend=f"known: {', '.join(judging.READINGS)}")
    areas = load_taxonomy(taxonomy)
    table = judging.read_labels(labels)
    works = table.select(
        "work_id",
        "title",
        "abstract",
        pl.when(pl.col("abstract").fill_null("") == "")
        .then(pl.lit("none"))
        .otherwise(pl.lit("full"))
        .alias("abstract_status"),
        pl.lit(None, dtype=pl.String).alias("language"),
        pl.lit("unknown").alias("epoch"),
    )
    topics = pl.DataFrame(schema={"work_id": pl.String, "rank": pl.Int32, "topic_id": pl.String, "score": pl.Float64})
    made = classify(works, topics, [areas], profile=profile)
    result = judging.evaluate(table, made.assignments, areas.area_ids, reading=reading)
    if as_json:
        print_json(json.loads(judging.to_json(result)))
        return
    for name, frame in (("area", result.areas), ("stratum", result.strata)):
        _print_measures(frame, name)


@evaluate_group.command("matcher")
def matcher_command(
    labels: LabelsOption,
    watchlist: WatchlistOption = None,
    others: Annotated[
        bool, typer.Option("--others/--alone", help="beside plain substring matching and the usual fuzzy scorers")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Judge the matcher on labelled affiliation strings: precision, recall, F1 per entity, with intervals.

    The file is a CSV with raw_affiliation_string, entity_slugs (separated by |; empty = none) and
    kind. Fuzzy scorers are given their best threshold on these very strings.

    \b
    Example:
      copub evaluate matcher --labels strings.csv
    """
    table = matching.read_labels(labels)
    frame = matching.evaluate(table, [load_watchlist(name) for name in chosen(watchlist)], others=others)
    if as_json:
        print_json(frame.to_dicts())
        return
    _print_measures(frame, "method")


def _print_measures(frame: pl.DataFrame, name: str) -> None:
    typer.echo(f"{name:<32} {'precision':<22} {'recall':<22} f1")
    for row in frame.iter_rows(named=True):
        cells = [
            f"{_figure(row[m])} ({_figure(row[f'{m}_low'])} to {_figure(row[f'{m}_high'])})"
            for m in ("precision", "recall")
        ]
        note = "" if row.get("evaluated", True) else "  not evaluated: too few positives"
        typer.echo(f"{row[name]:<32} {cells[0]:<22} {cells[1]:<22} {_figure(row['f1'])}{note}")


def _figure(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.{_SHOWN}f}"
