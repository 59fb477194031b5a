"""Commands that run a study: run, estimate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from copub.cli.app import (
    CacheOption,
    HidesSurplus,
    JsonOption,
    NoProgressOption,
    QuietOption,
    ReportsOption,
    SchedulerOption,
    WorkersOption,
    app,
    print_json,
)
from copub.errors import InputError, SourceUnavailableError
from copub.lines import amount
from copub.names import STAGES

if TYPE_CHECKING:
    from copub.runs import Run
    from copub.sources.harvest.estimate import Estimate


StudyOption = Annotated[
    str,
    typer.Argument(
        help="a study file, the name of a shipped study, or a run folder (asks again what that run was asked)",
        metavar="STUDY",
        show_default=True,
    ),
]
MoreFiles = Annotated[list[Path] | None, typer.Argument(metavar="FILE", hidden=True)]


@app.command("run", cls=HidesSurplus)
def run_command(
    study: StudyOption = "demo",
    more_works: MoreFiles = None,
    pair: Annotated[
        str,
        typer.Option(
            "--pair",
            metavar="PAIR",
            help="one pair of a panel, from the panel's records: BE or BE-CN; all = each of them, then the panel",
        ),
    ] = "",
    works: Annotated[
        list[Path] | None,
        typer.Option("--works", metavar="FILE...", help="works files (.jsonl, .gz, .zst, .parquet) instead of the API"),
    ] = None,
    cache: CacheOption = None,
    reports: ReportsOption = None,
    until: Annotated[str, typer.Option(metavar="STAGE", help=f"last stage: {', '.join(STAGES)}")] = STAGES[-1],
    offline: Annotated[bool, typer.Option("--offline", help="use only cached pages")] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="ask for every page anew and compare")] = False,
    sweep: Annotated[
        bool,
        typer.Option("--sweep", help="as --refresh, but fetch only works that are new or have another date of update"),
    ] = False,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a study, from harvest to report.

    Without an argument it runs the study demo, on synthetic works from an embedded server.

    \b
    Examples:
      copub run
      copub run belgium-china
      copub run eu-china --pair BE
      copub run my-study.toml --works works.jsonl.gz more.parquet
    """
    from copub.pipeline import run

    if not (works or offline or quiet or as_json):
        _state_cost(study, cache, reports)
    if more_works and not works:
        raise InputError(
            f"{more_works[0]} follows no option", where="copub run", hint="put --works before the names of works files"
        )
    finished = run(
        study,
        pair=pair,
        works=[*(works or []), *(more_works or [])],
        cache=cache,
        reports=reports,
        until=until,
        offline=offline,
        refresh=refresh,
        sweep=sweep,
        workers=workers,
        scheduler=scheduler,
    )
    if as_json:
        print_json(run_facts(finished))
    elif not quiet:
        for line in run_lines(finished):
            typer.echo(line)


def _state_cost(study: str, cache: Path | None, reports: Path | None) -> None:
    """Print what the harvest of a panel costs before it begins; nothing for one pair, or where it has begun."""
    from copub.api import estimate
    from copub.pipeline import is_embedded
    from copub.settings import folders
    from copub.study import load_study
    from copub.writing import MANIFEST

    place = folders(cache, reports)
    if any((folder / MANIFEST).is_file() for folder in (Path(study), place.reports / study)):
        return  # a run folder
    asked = load_study(study)
    if not asked.pairs or is_embedded(asked) or (place.cache / asked.id).exists():
        return
    for line in estimate_lines(estimate(asked), len(asked.pairs)):
        typer.echo(line, err=True)


@app.command("freeze")
def freeze_command(
    study: Annotated[str, typer.Argument(help="a study file, or the name of a shipped study", metavar="STUDY")],
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Seal the protocol of a study before its data are seen.

    The protocol holds the settings, the lists, the model and the code by hash, the primary outcome and the planned
    comparisons. Every later run of the study says that it is as frozen, or lists each deviation.

    \b
    Example:
      copub freeze belgium-china
    """
    import json

    from copub import __version__
    from copub.runs.protocol import freeze
    from copub.settings import folders
    from copub.study.question import ask

    path = freeze(ask(study), folders(reports=reports).reports, __version__)
    facts = json.loads(path.read_text(encoding="utf-8"))
    if as_json:
        print_json({"protocol": str(path), **facts})
        return
    typer.echo(f"Sealed: {path}")
    typer.echo(f"Seal: {facts['seal']}")
    typer.echo(f"Primary outcome: {facts['primary']['measure']}, {facts['primary']['counting']} counting")
    for group in facts["planned"]:
        typer.echo(f"Planned: {group['what']}: {amount(len(group['items']), 'comparison')}")
    typer.echo("Publish the seal, or the file, before you run the study: a seal that nobody has seen proves nothing.")


@app.command("estimate")
def estimate_command(
    study: Annotated[str, typer.Argument(help="a study file, or the name of a shipped study", metavar="STUDY")],
    quiet: NoProgressOption = False,
    as_json: JsonOption = False,
) -> None:
    """Estimate what harvesting a study costs.

    Printed are works, calls, credits, dollars and minutes, and over how many days the harvest spreads if the budget of
    today does not suffice. All pairs of a panel are one harvest. The estimate itself costs a few credits.

    \b
    Examples:
      copub estimate belgium-china
      copub estimate eu-china
    """
    from copub import progress
    from copub.api import estimate
    from copub.pipeline import is_embedded
    from copub.study.question import ask

    asked = ask(study).study
    progress.stage("estimate")
    try:
        price = estimate(asked)
    except SourceUnavailableError as error:  # an estimate has neither works files nor a cache to fall back on
        hint = "ask again when the source can be reached; COPUB_OPENALEX_URL names another source"
        raise SourceUnavailableError(error.what, where=error.where, hint=hint, resume_at=error.resume_at) from None
    if as_json:
        print_json(price.as_dict())
        return
    if is_embedded(asked):
        typer.echo(f"works    {price.works} synthetic, from a server inside copub")
        typer.echo(f"The study {asked.id} costs nothing: copub asks neither OpenAlex nor anyone else.")
        return
    for line in estimate_lines(price, len(asked.pairs)):
        typer.echo(line)


def estimate_lines(price: Estimate, pairs: int = 0) -> list[str]:
    """Return an estimate in words; `pairs` is the number of pairs of a panel."""
    fits = {True: "within today's budget", False: "more than today's budget: it will take more than a day", None: ""}
    left = "" if price.budget_remaining is None else f", {price.budget_remaining} credits left today"
    days = price.days or 0
    spread = [f"days     {days}, at {price.budget_limit} credits a day: repeat the command each day, it resumes"]
    return [
        *([f"pairs    {pairs}, in one harvest"] if pairs else []),
        f"works    {price.works}",
        f"calls    {price.calls}, of which {price.long_lists} free ones for long author lists",
        f"credits  {price.credits}{left}",
        f"dollars  {price.dollars:.4f}",
        f"minutes  {price.minutes}",
        *(spread if days > 1 else []),
        *([fits[price.fits]] if fits[price.fits] else []),
    ]


def run_lines(finished: Run) -> list[str]:
    """Return what `copub run` prints: the answer, what qualifies it, what to read next."""
    from copub.report.terminal import terminal_lines

    return terminal_lines(finished.tables, finished.manifest, finished.folder)


def run_facts(finished: Run) -> dict[str, Any]:
    """Return what `copub run --json` prints."""
    facts: dict[str, Any] = {
        "folder": str(finished.folder),
        "report": str(finished.folder / "report.html"),
        "missing": finished.manifest["source"].get("missing", 0),
        "funnel": finished.manifest["funnel"],
        "true_values": finished.manifest["true_values"],
        "stages": finished.manifest["stages"],
        "tables": finished.manifest["tables"],
    }
    if "shares" in finished.tables:
        facts["headline"] = finished.share("critical_listed")
        facts["second_headline"] = finished.share("top_level")
    return facts
