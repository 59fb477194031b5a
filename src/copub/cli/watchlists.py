"""Commands about listed institutions: screen, watchlists list, members, show, validate, resolve, diff, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from copub.arguments import country_code
from copub.cli.app import JsonOption, QuietOption, app, print_json, say
from copub.errors import SourceUnavailableError
from copub.givenfiles import spooled
from copub.lines import aligned, amount
from copub.shipped import shipped_names

INVENTED = "demo-list"

group = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Dated lists of institutions: list, members, show, diff, check",
)
app.add_typer(group, name="watchlists")

WatchlistOption = Annotated[
    list[str] | None,
    typer.Option(
        "--watchlist", metavar="ID", help="watchlist, shipped or file; may repeat; default: all that are shipped"
    ),
]


def chosen(watchlists: list[str] | None) -> list[str]:
    """Return the watchlists asked for; by default every shipped one but the invented list of the demo."""
    from copub.lists.watchlist import FOLDER

    return watchlists or [name for name in shipped_names(FOLDER) if name != INVENTED]


@app.command("screen")
def screen_command(
    strings: Annotated[
        Path, typer.Option("--strings", metavar="FILE", help="one affiliation string per line (.txt, .gz), or a .csv")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="where the hits go: .parquet, .csv or .jsonl")],
    watchlist: WatchlistOption = None,
    column: Annotated[
        str, typer.Option("--column", help="column of a .csv that holds the strings")
    ] = "raw_affiliation_string",
    country: Annotated[
        str | None, typer.Option("--country", help="country that all strings are known to belong to, by code or name")
    ] = None,
    medical: Annotated[bool, typer.Option("--medical/--no-medical", help="count medical units")] = True,
    children: Annotated[
        bool, typer.Option("--children/--no-children", help="report an entity also where only a descendant is named")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Find the listed institutions that affiliation strings name.

    One row per distinct string, watchlist and entity, with the matched characters; a string
    without a hit gives no row. A hit is no finding about a person.

    \b
    Example:
      copub screen --strings affiliations.txt --watchlist aspi-cdut-2019 --out hits.csv
    """
    from copub import progress
    from copub.cli.files import as_printed, check_out, read_strings, write_out
    from copub.screening import load_watchlist, screen_strings

    check_out(out, strings, *(Path(name) for name in chosen(watchlist)))
    known = country_code(country, "--country") if country is not None else None
    lists = [load_watchlist(name) for name in chosen(watchlist)]
    check_out(out, *(read.members_file for read in lists))
    texts = read_strings(spooled([strings])[0], column)
    progress.stage("screen")
    hits = screen_strings(texts, lists, country=known, include_medical=medical, include_descendants=children)
    write_out(as_printed(hits) if out.suffix.lower() == ".csv" else hits, out)
    named = hits.filter("is_counted")["raw_affiliation_string"].n_unique()
    if not quiet:
        typer.echo(f"{named:,} of {texts.n_unique():,} distinct strings name a listed institution.\nhits: {out}")


@group.command("list")
def list_command(as_json: JsonOption = False) -> None:
    """List the shipped watchlists, and what each does not cover.

    \b
    Example:
      copub watchlists list
    """
    from copub.screening.catalogue import list_watchlists

    frame = list_watchlists()
    if as_json:
        print_json(frame.to_dicts())
        return
    lists = frame.to_dicts()
    head = ["watchlist", "kind", "coverage", "countries", "entities"]
    rows = [
        [row["id"], row["kind"], row["completeness"], ", ".join(row["countries"]), str(row["entities"])]
        for row in lists
    ]
    say(aligned([head, *rows], left=4))
    for row in lists:
        say(["", f"{row['id']}: {row['title']}", f"  edition: {row['edition']}", f"  missing: {row['lacks']}"])


@group.command("members")
def members_command(
    watchlist: Annotated[str, typer.Argument(help="watchlist, shipped or file", metavar="WATCHLIST")],
    country: Annotated[
        str | None, typer.Option("--country", help="only members of this country, by code or name")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="write them to .parquet, .csv or .jsonl instead")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the institutions on a list.

    Each with its country, its level, since when and until when the list names it, and the source.

    \b
    Examples:
      copub watchlists members seven-sons
      copub watchlists members jp-meti-2025 --country RU --out members.csv
    """
    from copub.cli.files import check_out, write_out
    from copub.screening.catalogue import list_members

    if out:
        check_out(out)
    members = list_members(watchlist)
    if country is not None:
        members = members.filter(country=country_code(country, "--country"))
    if out:
        write_out(members, out)
    if as_json:
        print_json(members.to_dicts())
        return
    if not out:
        for row in members.iter_rows(named=True):
            dates = [f"{word} {row[key]}" for word, key in (("from", "valid_from"), ("to", "valid_to")) if row[key]]
            say([f"{row['entity_id']}: {', '.join([row['name'], row['country'], row['level'], *dates])}"])
            say([f"  source: {row['source']}"])
    typer.echo(f"{amount(members.height, 'institution')}{f': {out}' if out else ''}")


@group.command("show")
def show_command(
    entity: Annotated[str, typer.Argument(help="id of an entity", metavar="ENTITY")],
    as_json: JsonOption = False,
) -> None:
    """Show an entity: names, identifiers, lists, levels.

    \b
    Example:
      copub watchlists show beihang-university
    """
    from copub.screening.catalogue import show_entity

    facts = show_entity(entity)
    if as_json:
        print_json(facts)
        return
    typer.echo(f"{facts['name']}  {facts['name_zh']}")
    for key in ("category", "country", "places", "parent", "children", "children_count", "openalex", "ror", "wikidata"):
        value = facts[key]
        shown = ", ".join(value) if isinstance(value, list) else value
        if shown:
            typer.echo(f"  {key.replace('_', ' ')}: {shown}")
    for kind, names in facts["names"].items():
        typer.echo(f"  {kind}: {'; '.join(names)}")
    for member in facts["lists"]:
        basis = f" ({member['level_basis']})" if member["level_basis"] else ""
        since = f", since {member['valid_from']}" if member["valid_from"] else ""
        until = f", until {member['valid_to']}" if member["valid_to"] else ""
        typer.echo(f"  on {member['watchlist']} ({member['edition']}): level {member['level']}{basis}{since}{until}")
        for label, value in (
            ("named there as", "; ".join(member["listed_as"])),
            ("concern", ", ".join(member["concern"])),
            ("source", member["source"]),
        ):
            if value:
                typer.echo(f"    {label}: {value}")


@group.command("validate")
def validate_command(
    files: Annotated[list[Path], typer.Argument(help="watchlist files (the .toml of each)", metavar="FILE...")],
) -> None:
    """Check watchlist files; every fault is named with its line.

    \b
    Example:
      copub watchlists validate my-list.toml
    """
    from copub.screening.catalogue import validate_watchlist

    for file in files:
        checked = validate_watchlist(file)
        typer.echo(f"{file}: {checked.id}, {amount(len(checked.entities), 'entity', 'entities')}, no fault")


@group.command("resolve")
def resolve_command(
    watchlist: Annotated[str, typer.Argument(help="watchlist, shipped or file", metavar="WATCHLIST")],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="where the found ids go: .parquet, .csv or .jsonl")
    ],
) -> None:
    """Look up missing OpenAlex ids through the API.

    The ids are written to a file; a person checks and enters them.

    \b
    Example:
      copub watchlists resolve aspi-cdut-2019 --out ids.csv
    """
    from copub.cli.files import check_out, write_out
    from copub.screening import load_watchlist
    from copub.screening.catalogue import resolve_identifiers
    from copub.sources.harvest.transport import Transport, source_key, source_url

    check_out(out)
    entities = [member.entity for member in load_watchlist(watchlist).entities]
    try:
        found = resolve_identifiers(entities, Transport(source_url(), source_key()))
    except SourceUnavailableError as error:  # nothing is kept between calls, and no works file can replace it
        hint = "repeat the command when the source can be reached; COPUB_OPENALEX_URL names another source"
        raise SourceUnavailableError(error.what, where=error.where, hint=hint, resume_at=error.resume_at) from None
    write_out(found, out)
    typer.echo(f"{found['openalex_id'].count()} of {amount(found.height, 'entity', 'entities')} found: {out}")


@group.command("diff")
def diff_command(
    old: Annotated[str, typer.Argument(help="watchlist, shipped or file", metavar="OLD")],
    new: Annotated[str, typer.Argument(help="watchlist, shipped or file", metavar="NEW")],
    as_json: JsonOption = False,
) -> None:
    """Report what changed between two editions of a list.

    Entities that were added or removed, or have another level.

    \b
    Example:
      copub watchlists diff us-1286-fy2024 us-1286-fy2025
    """
    from copub.screening import load_watchlist
    from copub.screening.catalogue import diff_watchlists

    changes = diff_watchlists(load_watchlist(old), load_watchlist(new))
    if as_json:
        print_json(changes.to_dicts())
        return
    typer.echo(f"{amount(changes.height, 'change')} from {old} to {new}")
    columns = ("change", "entity_id", "before", "after")
    rows = [[row[name] or "" for name in columns] for row in changes.iter_rows(named=True)]
    say(aligned([["change", "entity", "before", "after"], *rows], left=4) if rows else [])


@group.command("check")
def check_command(
    watchlist: Annotated[str, typer.Argument(help="watchlist, shipped or file", metavar="LIST")],
    against: Annotated[
        Path, typer.Option("--against", metavar="FILE", help="the official document: .csv, .xlsx, .html or .txt")
    ],
    as_json: JsonOption = False,
) -> None:
    """Compare a list with the official document.

    Prints a draft of added, renamed and removed entries. Nothing is written. A person decides which
    entries belong on the list, and enters them.

    \b
    Example:
      copub watchlists check jp-meti-2025 --against foreign-end-users.xlsx
    """
    from copub.screening import load_watchlist
    from copub.screening.upkeep import check_watchlist, counts, draft_lines

    differences = check_watchlist(load_watchlist(watchlist), spooled([against])[0])
    if as_json:
        print_json(differences.to_dicts())
        return
    for line in draft_lines(differences):
        typer.echo(line)
    number = ", ".join(f"{count} {change}" for change, count in counts(differences).items())
    typer.echo(f"draft for review: {number}; {watchlist} against {against}")
