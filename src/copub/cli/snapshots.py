"""Commands about the full OpenAlex snapshot: snapshot extract."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from copub.cli.app import JsonOption, QuietOption, SchedulerOption, app, print_json
from copub.lines import amount

group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Works of country pairs from a full OpenAlex snapshot."
)
app.add_typer(group, name="snapshot")


@group.callback()
def _snapshot() -> None:
    """Works of country pairs from a full OpenAlex snapshot, on one machine or many."""


@group.command("extract")
def extract_command(
    sides: Annotated[
        list[str],
        typer.Option(
            "--sides", metavar="A:B", help="countries of a pair (BE:CN, BE,LU:CN,HK, BE/NL/DE:CN); may repeat"
        ),
    ],
    source: Annotated[str, typer.Option("--from", metavar="DIR|s3://…", help="a snapshot: JSON Lines or Parquet")],
    target: Annotated[
        Path,
        typer.Option("--to", metavar="FILE", help=".jsonl, .jsonl.gz or .jsonl.zst; {pair} gives a file for each pair"),
    ],
    expansion: Annotated[bool, typer.Option("--expansion", help="keep works of the expansion corpus")] = False,
    workers: Annotated[int, typer.Option("--workers", help="processes on this machine (extra: cluster)")] = 1,
    scheduler: SchedulerOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the works of country pairs to works files.

    `copub run --works` reads these files. An interrupted extraction resumes at the next file.

    \b
    Example:
      copub snapshot extract --sides BE:CN --from /data/openalex --to be-cn.jsonl.zst
    """
    from copub import progress
    from copub.sources.snapshot import extract, parse_pairs

    pairs = parse_pairs(sides)
    progress.stage("extract")
    summary = extract(source, target, pairs, expansion=expansion, workers=workers, scheduler=scheduler)
    if as_json:
        print_json(summary.facts())
    elif not quiet:
        for name, path, works in summary.outputs:
            typer.echo(f"{name}: {amount(works, 'work')} in {path}")
        typer.echo(
            f"read {amount(summary.files, 'file')}, {amount(summary.records, 'work')}; "
            f"left out: expansion {summary.expansion}, deleted {summary.deleted}, "
            f"merged into others {summary.merged}, older copies {summary.repeated}"
        )
        for warning in summary.warnings:
            typer.echo(f"note: {warning}")
    summary.check()
