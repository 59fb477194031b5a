"""Commands about study files: init, studies list, studies show."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from copub.cli.app import JsonOption, app, print_json, say
from copub.countries import COUNTRIES, listing
from copub.countrygroups import GROUPS
from copub.errors import InputError
from copub.lines import amount, one_line
from copub.pairs import Pair, parse_pairs
from copub.shipped import shipped_names
from copub.writing import as_input_error, write_file

if TYPE_CHECKING:
    from copub.study import Side, Study


FOLDER = "studies"
_YEARS = re.compile(r"(\d{4}):(\d{4})")
_LONGEST_ID = 64
_SPELLED_OUT = 3
_WIDTH = 79

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Shipped studies: list, show.")
app.add_typer(group, name="studies")


@app.command("init")
def init_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the study file to write, a .toml", show_default=False)],
    sides: Annotated[
        str,
        typer.Option(
            "--sides", metavar="A:B", help="the two sides, by code, name or group: NL:IR, BE+LU:CN, EU27:China"
        ),
    ],
    years: Annotated[str, typer.Option("--years", metavar="FROM:TO", help="years of publication")] = "2000:2025",
    title: Annotated[str, typer.Option("--title", help="title of the report; default: names the countries")] = "",
    each: Annotated[
        bool, typer.Option("--each", help="a panel: every country of side A is a pair of its own, beside the whole")
    ] = False,
) -> None:
    """Write a commented study file for a pair or a panel of pairs.

    Edit it, then run it. An existing file is never replaced. A side may be a named group, such as EU27
    or FIVE-EYES; docs/study.md lists them.

    \b
    Examples:
      copub init nl-ir.toml --sides NL:IR --years 2010:2024
      copub init benelux-china.toml --sides BE+LU+NL:CN
      copub init g7-china.toml --sides G7:CN --each
    """
    from copub.study import parse_study
    from copub.study.template import new_study

    pair = _pair(sides)
    study_id = _study_id(file, pair)
    text = new_study(pair, study_id=study_id, years=_years(years), title=_title(title), each=each)
    study = parse_study(text, name=str(file))
    _write_new(file, text)
    say(_init_lines(file, study))


@group.command("list")
def list_command(as_json: JsonOption = False) -> None:
    """List the shipped studies: id, sides, years, title.

    \b
    Example:
      copub studies list
    """
    from copub.study import load_study

    shipped = [load_study(name) for name in shipped_names(FOLDER)]
    if as_json:
        print_json([_facts(study) for study in shipped])
        return
    for study in shipped:
        sides = f"{_codes(study.side_a)}:{_codes(study.side_b)}"
        typer.echo(one_line(f"{study.id:<17} {sides:<15} {study.year_from}–{study.year_to}  ", study.title))


@group.command("show")
def show_command(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="id of a shipped study, or a file")],
    as_json: JsonOption = False,
) -> None:
    """Show the file of a study.

    \b
    Example:
      copub studies show eu-china
    """
    from copub.study import load_study

    shown = load_study(study)
    if as_json:
        print_json(_facts(shown) | {"text": shown.raw})
        return
    typer.echo(shown.raw.rstrip("\n"))


def _codes(side: Side) -> str:
    """Return the countries of a side in short: "BE", "BE+LU", "27 countries"."""
    few = len(side.countries) <= _SPELLED_OUT
    return side.key if few or side.key in GROUPS else f"{len(side.countries)} countries"


def _facts(study: Study) -> dict[str, Any]:
    return {
        "id": study.id,
        "title": study.title,
        "question": study.question,
        "synthetic": study.synthetic,
        "sides": [{"name": side.name, "countries": list(side.countries)} for side in (study.side_a, study.side_b)],
        "years": [study.year_from, study.year_to],
        "pairs": [pair.key for pair in study.pairs],
        "hash": study.hash,
    }


def _pair(sides: str) -> Pair:
    pairs = parse_pairs([sides]) if ":" in sides else ()
    if len(pairs) != 1 or "=" in sides:
        raise InputError(
            f"{sides!r} is not one pair without a name",
            where="--sides",
            hint="write one pair, such as NL:IR or BE+LU:CN; a study has one file",
        )
    return pairs[0]


def _years(text: str) -> tuple[int, int]:
    from copub.lists.checks import year_fault

    found = _YEARS.fullmatch(text.strip())
    if found is None:
        raise InputError(f"{text!r} is not a span of years", where="--years", hint="write it as 2010:2024")
    first, last = int(found[1]), int(found[2])
    for year in (first, last):
        wrong = year_fault(year)
        if wrong:
            raise InputError(wrong, where="--years", hint="write it as 2010:2024")
    this_year = date.today().year
    if last > this_year + 1:
        raise InputError(f"the year {last} has not come yet", where="--years", hint=f"end with {this_year} or before")
    if first > last:
        raise InputError(f"the years are reversed: from {first} to {last}", where="--years", hint="exchange them")
    return first, last


def _title(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError("the title is not UTF-8 text", where="--title", hint="write it in UTF-8") from None
    return " ".join(text.split())


def _study_id(file: Path, pair: Pair) -> str:
    """Return the id of a study: by the name of its file, or by its countries if no character of that can be used."""
    by_countries = pair.name.lower().replace("+", "-")
    if file.suffix != ".toml":
        name = file.stem.strip(".") or by_countries  # a folder such as "." has no name
        raise InputError("a study file must end with .toml", where=str(file), hint=f"write {name}.toml")
    found = re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-") or by_countries
    study_id = found[:_LONGEST_ID].rstrip("-")
    if study_id in shipped_names(FOLDER):
        raise InputError(
            f"{study_id!r} is the name of a shipped study, and their runs would share a folder",
            where=str(file),
            hint="choose another file name",
        )
    return study_id


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, whole or not at all."""
    if not path.parent.is_dir():
        raise InputError("there is no such folder", where=str(path.parent), hint="make it, or name another")
    with as_input_error(path):
        try:
            path.touch(exist_ok=False)  # takes the name: a rename alone could replace a file
        except FileExistsError:
            hint = "choose another name, or move it away"
            raise InputError("this file exists, and init replaces no file", where=str(path), hint=hint) from None
    try:
        write_file(path, text)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _init_lines(file: Path, study: Study) -> list[str]:
    """Return what ``copub init`` prints: the sides as understood, the lists chosen, the next commands."""
    import shlex

    from copub.study.template import coverage_of, uncovered_note

    coverage = coverage_of(study.side_b.countries)
    chosen = listing(
        [f"{name} ({amount(coverage.counts[name], 'institution')} of side B)" for name in study.watchlists]
    )
    name = shlex.quote(str(file))
    return [
        f"written: {file}",
        *_side_lines("A", study.side_a),
        *_side_lines("B", study.side_b),
        *([f"  panel: {amount(len(study.pairs), 'pair')}, compared with {study.reference}"] if study.pairs else []),
        f"  years: {study.year_from} to {study.year_to}",
        f"  taxonomy: {study.taxonomy}",
        f"  watchlist: {chosen}",
        uncovered_note(coverage),
        "Edit the file, then:",
        f"  copub estimate {name}",
        f"  copub run {name}",
    ]


def _side_lines(side: str, shown: Side) -> list[str]:
    countries = ", ".join(f"{COUNTRIES[code].name} ({code})" for code in shown.countries)
    return fill(f"  side {side}: {countries}", _WIDTH, subsequent_indent="    ").splitlines()
