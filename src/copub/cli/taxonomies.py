"""Commands about technologies: taxonomies list, show, validate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from copub.cli.app import JsonOption, app, print_json, say
from copub.lines import amount, one_line
from copub.shipped import shipped_names

if TYPE_CHECKING:
    from copub.lists.taxonomy import Taxonomy


group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Lists of critical technologies: list, show, validate."
)
app.add_typer(group, name="taxonomies")


@group.command("list")
def list_command(as_json: JsonOption = False) -> None:
    """List the shipped taxonomies: id, date, areas, title.

    \b
    Example:
      copub taxonomies list
    """
    from copub.lists.taxonomy import FOLDER, load_taxonomy

    shipped = [load_taxonomy(name) for name in shipped_names(FOLDER)]
    if as_json:
        print_json([_facts(taxonomy) for taxonomy in shipped])
        return
    for taxonomy in shipped:
        areas = amount(len(taxonomy.areas), "area")
        typer.echo(one_line(f"{taxonomy.id:<18} {taxonomy.date:<10} {areas:>8}  ", taxonomy.title))


@group.command("show")
def show_command(
    taxonomy: Annotated[str, typer.Argument(help="id of a shipped taxonomy, or a file", metavar="TAXONOMY")],
    as_json: JsonOption = False,
) -> None:
    """Show a taxonomy: source, verification, areas and technologies.

    \b
    Example:
      copub taxonomies show eu-2023-2113
    """
    from copub.lists.taxonomy import load_taxonomy

    shown = load_taxonomy(taxonomy)
    if as_json:
        print_json(_facts(shown))
        return
    about = {"source": shown.source, "date": shown.date, "verification": shown.verification}
    say([shown.title, *(f"{name}: {value}" for name, value in about.items())])
    for area in shown.areas:
        typer.echo(f"\n{area.id}  {area.name}")
        for technology in area.technologies:
            typer.echo(f"  - {technology.name}")


@group.command("validate")
def validate_command(
    files: Annotated[list[Path], typer.Argument(help="taxonomy files", metavar="FILE...")],
) -> None:
    """Check taxonomy files; every fault is named with its line.

    \b
    Example:
      copub taxonomies validate my-taxonomy.toml
    """
    from copub.lists.taxonomy import load_taxonomy

    for file in files:
        taxonomy = load_taxonomy(file)
        typer.echo(f"{file}: {taxonomy.id}, {amount(len(taxonomy.areas), 'area')}, no fault")


def _facts(taxonomy: Taxonomy) -> dict[str, object]:
    return {
        "id": taxonomy.id,
        "title": taxonomy.title,
        "source": taxonomy.source,
        "date": taxonomy.date,
        "verification": taxonomy.verification,
        "hash": taxonomy.hash,
        "areas": [
            {"id": area.id, "name": area.name, "technologies": [technology.name for technology in area.technologies]}
            for area in taxonomy.areas
        ],
    }
