"""Commands about an atlas of all pairs of countries: atlas build, show, rank, baseline, explain, page, export."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from copub.cli.app import JsonOption, QuietOption, SchedulerOption, WorkersOption, app, print_json, say
from copub.lines import amount
from copub.names import PARTNERS_COMPARED
from copub.settings import atlas_folder

if TYPE_CHECKING:
    from copub.atlas import Atlas

SHOWN = 20
group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="All pairs of countries at once, from a full OpenAlex snapshot."
)
app.add_typer(group, name="atlas")


@group.callback()
def _atlas() -> None:
    """Count every pair of countries once, from a full OpenAlex snapshot, and ask many questions of it."""


AtlasOption = Annotated[
    Path | None, typer.Option("--atlas", metavar="DIR", help="folder of the atlas; default: atlas  [env: COPUB_ATLAS]")
]
SideA = Annotated[str, typer.Argument(metavar="A", help="a country, by code or English name", show_default=False)]
SideB = Annotated[
    str, typer.Argument(metavar="B", help="the country whose institutions may be listed", show_default=False)
]
AreaOption = Annotated[
    str | None, typer.Option("--area", help="one area of technology: its id, a part of it (AI), or a part of its name")
]
ListOption = Annotated[
    str, typer.Option("--list", metavar="ID", help="the watchlist that counts; default: the headline list of B")
]
YearOption = Annotated[int | None, typer.Option("--year", help="one year")]
FromOption = Annotated[int | None, typer.Option("--from-year", help="first year")]
ToOption = Annotated[int | None, typer.Option("--to-year", help="last year")]


@group.command("build")
def build_command(
    source: Annotated[str, typer.Option("--from", metavar="DIR|s3://…", help="a snapshot: JSON Lines or Parquet")],
    target: Annotated[Path, typer.Option("--to", metavar="DIR", help="folder of the atlas: new, or one not finished")],
    study: Annotated[
        str | None,
        typer.Option(
            "--study",
            help="study whose years, works, technologies, lists and levels apply; its sides do not. "
            "Default: the settings of copub init, with every shipped list of institutions",
        ),
    ] = None,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Read a snapshot once and count every pair of countries.

    Works of two countries or more are tabulated, classified and screened once. An interrupted build
    resumes at the next file of the snapshot.

    \b
    Example:
      copub atlas build --from /data/openalex --to atlas --workers 8
    """
    from copub import progress
    from copub.atlas import build, rules_of

    rules = rules_of(study)
    progress.stage("atlas")
    built = build(source, target, rules, workers=workers, scheduler=scheduler)
    works, snapshot = built.manifest["works"], built.manifest["snapshot"]
    if as_json:
        print_json({"folder": str(built.folder), **{k: built.manifest[k] for k in ("complete", "snapshot", "works")}})
    elif not quiet:
        left_out = ", ".join(f"{reason} {count:,}" for reason, count in works["left_out"].items())
        say(
            [
                *(["SYNTHETIC: these are synthetic records."] if built.manifest["synthetic"] else []),
                f"{amount(works['counted'], 'work')} of "
                f"{amount(len(built.manifest['countries']), 'country', 'countries')} counted in {built.folder}",
                f"read {amount(snapshot['files'], 'file')}, {amount(snapshot['records'], 'record')}; "
                f"international works left out: {left_out or 'none'}",
                *(f"note: {warning}" for warning in snapshot["warnings"]),
            ]
        )
    built.check()


@group.command("show")
def show_command(
    a: SideA,
    b: SideB,
    year: YearOption = None,
    first: FromOption = None,
    last: ToOption = None,
    area: AreaOption = None,
    of_list: ListOption = "",
    by: Annotated[
        str | None, typer.Option("--by", help="year, area or list: a share for each; level: works by strongest level")
    ] = None,
    atlas: AtlasOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the shares of one pair, as a run of the pair has them.

    \b
    Examples:
      copub atlas show BE CN
      copub atlas show BE CN --by year --area AI
    """
    from copub.atlas.atlasanswers import levels, show
    from copub.atlas.atlaswords import level_lines, pair_head, pair_lines

    opened, asked = _asked(atlas, a, b, year, first, last, area, of_list)
    if by == "level":
        of_levels = levels(opened, asked["a"], asked["b"], years=asked["years"], area=asked["area"], of_list=of_list)
        if as_json:
            print_json({**asked, "synthetic": opened.manifest["synthetic"], "levels": of_levels.to_dicts()})
            return
        head = pair_head(opened, asked["a"], asked["b"], asked["years"], asked["area"], asked["list"])
        for line in [*head, *level_lines(opened, of_levels)]:
            typer.echo(line)
        return
    kinds = _kinds(by)
    found = show(opened, asked["a"], asked["b"], years=asked["years"], area=asked["area"], of_list=of_list, by=kinds)
    if as_json:
        print_json({**asked, "synthetic": opened.manifest["synthetic"], "shares": found.to_dicts()})
        return
    for line in pair_lines(opened, asked["a"], asked["b"], found, asked["years"], asked["area"], asked["list"]):
        typer.echo(line)


@group.command("rank")
def rank_command(
    a: Annotated[str | None, typer.Option("--a", metavar="COUNTRY", help="rank the partners B of this country")] = None,
    b: Annotated[str | None, typer.Option("--b", metavar="COUNTRY", help="rank the partners A of this country")] = None,
    measure: Annotated[str, typer.Option("--measure", help="a measure of table shares")] = "critical_listed",
    counting: Annotated[str, typer.Option("--counting", help="a rule of counting")] = "full",
    year: YearOption = None,
    first: FromOption = None,
    last: ToOption = None,
    area: AreaOption = None,
    of_list: ListOption = "",
    most: Annotated[int, typer.Option("--most", min=1, help="rows to print")] = SHOWN,
    atlas: AtlasOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rank the partners of one country by a share.

    Partners with small numbers have no place.

    \b
    Examples:
      copub atlas rank --b CN --area AI
      copub atlas rank --a BE --measure critical
    """
    from copub.atlas.atlasanswers import ON_LISTS, rank
    from copub.atlas.atlaswords import area_words, head, in_words, rank_lines, span
    from copub.report.messages import load_messages

    opened, asked = _asked(atlas, a, b, year, first, last, area, of_list)
    found = rank(
        opened,
        a=asked["a"],
        b=asked["b"],
        years=asked["years"],
        area=asked["area"],
        of_list=of_list,
        measure=measure,
        counting=counting,
    )
    if as_json:
        print_json({**asked, "synthetic": opened.manifest["synthetic"], "partners": found.to_dicts()})
        return
    title = load_messages().name("measure", measure)
    partners = f"Partners of {in_words(asked['a'] or asked['b'])}, {span(asked['years'])}"
    say([f"{partners}: {title} ({counting}); critical means: {area_words(opened, asked['area'])}", *head(opened)])
    if measure in ON_LISTS:
        say([asked["listed_means"]])
    for line in rank_lines(opened, found, most):
        typer.echo(line)


@group.command("baseline")
def baseline_command(
    a: Annotated[
        str, typer.Argument(metavar="[A]", help="a country, or a group such as EU27", show_default=False)
    ] = "",
    b: Annotated[
        str, typer.Argument(metavar="[B]", help="the side whose institutions may be listed", show_default=False)
    ] = "",
    study: Annotated[
        str | None, typer.Option("--study", help="in place of A and B: sides, years and list of a study")
    ] = None,
    partners: Annotated[
        str | None,
        typer.Option("--with", metavar="COUNTRIES", help="other partners of A: countries or groups, by commas"),
    ] = None,
    most: Annotated[
        int, typer.Option("--most", min=1, help="without --with: how many partners, the largest")
    ] = PARTNERS_COMPARED,
    counting: Annotated[str, typer.Option("--counting", help="a rule of counting")] = "full",
    year: YearOption = None,
    first: FromOption = None,
    last: ToOption = None,
    area: AreaOption = None,
    of_list: ListOption = "",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="write a .json file that the study can name")
    ] = None,
    atlas: AtlasOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a pair with the other works of both sides.

    Shares of critical and of listed works of A with other partners, and of B with any country, with the
    difference from the pair.

    \b
    Examples:
      copub atlas baseline BE CN
      copub atlas baseline BE CN,HK,MO --with US,JP,EU27 --from-year 2015
      copub atlas baseline --study belgium-china --out baselines.json
    """
    from copub.arguments import expect_known
    from copub.atlas.atlasbaselines import baselines_of, file_of, list_of, side_of
    from copub.atlas.atlaswords import baseline_lines, listed_means
    from copub.errors import InputError
    from copub.lists.baselinefile import is_baselines
    from copub.lists.outputplace import check_earlier, check_out
    from copub.measures.shares import COUNTING_WEIGHT
    from copub.study import load_study
    from copub.study.question import ask
    from copub.writing import write_file

    expect_known([counting], list(COUNTING_WEIGHT), "--counting")
    if (study is None) != bool(a and b) or (study and (a or year or first or last or of_list)):
        hint = "write: copub atlas baseline BE CN, or copub atlas baseline --study belgium-china"
        raise InputError("two sides are wanted, or a study, which has sides, years and list", where="A B", hint=hint)
    named = [part.strip() for part in (partners or "").split(",") if part.strip()]
    if partners is not None and not named:
        raise InputError("no partner is named", where="--with", hint="name countries or groups, or leave --with out")
    if out:
        check_out(out, suffixes=(".json",))
        check_earlier(out, "file of baselines as copub wrote it", is_baselines)
    # the baselines that it names may be of other rules: they are what is counted again here
    question = ask(replace(load_study(study), baselines="")) if study else None
    if question:
        first, last = question.study.year_from, question.study.year_to
    opened, asked = _asked(atlas, None, None, year, first, last, area, of_list)
    sides = (
        (question.study.side_a.countries, question.study.side_b.countries)
        if question
        else (side_of(opened, a), side_of(opened, b))
    )
    found = baselines_of(
        opened,
        *sides,
        partners=named,
        most=most,
        years=asked["years"],
        area=asked["area"],
        of_list=list_of(opened, question) if question else of_list,
    )
    if out:
        write_file(out, file_of(opened, found, question))
    if as_json:
        sets = {"a": found.asked.side_a, "b": found.asked.side_b, "partners": found.asked.partners}
        means = listed_means(opened, found.list, *found.asked.side_b)
        facts = {"list": found.list, "listed_means": means, "synthetic": opened.manifest["synthetic"]}
        print_json(asked | sets | facts | {"baselines": found.table.to_dicts()})
        return
    for line in baseline_lines(opened, found, counting):
        typer.echo(line)
    if out:
        say([f"baselines: {out}"])


@group.command("explain")
def explain_command(
    a: SideA,
    b: SideB,
    year: YearOption = None,
    first: FromOption = None,
    last: ToOption = None,
    area: AreaOption = None,
    of_list: ListOption = "",
    measure: Annotated[
        str, typer.Option("--measure", help="whose numerator; copublications for all works")
    ] = "critical_listed",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="write all of them: .parquet, .csv or .jsonl")
    ] = None,
    atlas: AtlasOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the works behind a number of one pair.

    With each work come the listed institutions that it names.

    \b
    Example:
      copub atlas explain BE CN --year 2019
    """
    from copub.atlas.atlasanswers import explain
    from copub.atlas.atlaswords import head
    from copub.cli.files import check_out, write_out

    if out:
        check_out(out)
    opened, asked = _asked(atlas, a, b, year, first, last, area, of_list)
    found = explain(
        opened,
        asked["a"],
        asked["b"],
        years=asked["years"],
        area=asked["area"],
        of_list=of_list,
        measure=measure,
    )
    if out:
        write_out(found, out)
    if as_json:
        print_json({**asked, "synthetic": opened.manifest["synthetic"], "measure": measure, "works": found.to_dicts()})
        return
    say([*head(opened), f"{amount(found.height, 'work')}{f' in {out}' if out else ''}"])
    say([asked["listed_means"], "A listing is no finding about a person or a work."])
    if not out:
        say(_works(found.head(SHOWN).iter_rows(named=True)))
        if found.height > SHOWN:
            say([f"and {found.height - SHOWN} more: --out FILE writes all"])


@group.command("page")
def page_command(
    target: Annotated[Path, typer.Option("--to", metavar="FILE", help="an .html file")],
    atlas: AtlasOption = None,
    quiet: QuietOption = False,
) -> None:
    """Write one page for a browser, which works offline.

    Choose a country and see its partners, areas and years.

    \b
    Example:
      copub atlas page --to atlas.html
    """
    from copub.atlas import open_atlas
    from copub.atlas.atlaspage import atlas_page
    from copub.lists.outputplace import check_page, sign_page
    from copub.writing import write_file

    check_page(target, "atlas")
    write_file(target, sign_page(atlas_page(open_atlas(atlas_folder(atlas))), "atlas"))
    if not quiet:
        say([f"page: {target}"])


@group.command("export")
def export_command(
    target: Annotated[Path, typer.Option("--to", metavar="FILE", help=".parquet, .csv or .jsonl")],
    a: Annotated[str | None, typer.Option("--a", metavar="COUNTRY", help="only pairs with this country as A")] = None,
    b: Annotated[str | None, typer.Option("--b", metavar="COUNTRY", help="only pairs with this country as B")] = None,
    first: FromOption = None,
    last: ToOption = None,
    of_list: ListOption = "",
    by: Annotated[str | None, typer.Option("--by", help="year, area, or year,area: rows of their own")] = None,
    atlas: AtlasOption = None,
    quiet: QuietOption = False,
) -> None:
    """Write the shares of all pairs as one table.

    Every share has its interval.

    \b
    Example:
      copub atlas export --b CN --by year --to partners-of-china.csv
    """
    from copub.atlas.atlasexport import BY, export
    from copub.cli.files import check_out, write_out

    check_out(target)
    opened, asked = _asked(atlas, a, b, None, first, last, None, of_list)
    parts = export(opened, a=asked["a"], b=asked["b"], years=asked["years"], of_list=of_list, by=_kinds(by, BY))
    write_out(parts, target)
    if not quiet:
        say([f"shares: {target}"])


def _works(rows: Iterable[dict[str, Any]]) -> Iterable[str]:
    for row in rows:
        named = f"; names {', '.join(row['institutions'])} ({row['level']})" if row["institutions"] else ""
        areas = f"; {', '.join(row['areas'])}" if row["areas"] else ""
        yield f"{row['year']} {row['work_id']} {row['title'] or 'without a title'}{areas}{named}"


def _kinds(by: str | None, known: tuple[str, ...] = ("year", "area", "list")) -> list[str]:
    from copub.arguments import expect_known

    kinds = [part.strip() for part in by.split(",")] if by is not None else []
    expect_known(kinds, known, "--by")
    return kinds


def _asked(
    folder: Path | None,
    a: str | None,
    b: str | None,
    year: int | None,
    first: int | None,
    last: int | None,
    area: str | None,
    of_list: str,
) -> tuple[Atlas, dict[str, Any]]:
    """Return the atlas and what is asked of it, with codes and ids for what people write."""
    from copub.atlas import open_atlas
    from copub.atlas.atlaswords import listed_means
    from copub.atlas.cells import CRITICAL
    from copub.errors import InputError

    if year is not None and (first is not None or last is not None):
        what, hint = "--year is one year, --from-year and --to-year are several", "leave out one or the others"
        raise InputError(what, where="the years", hint=hint)
    opened = open_atlas(atlas_folder(folder))
    code_a, code_b = (opened.country(text) if text is not None else "" for text in (a, b))
    counted = opened.list_for(of_list, code_b)
    return opened, {
        "a": code_a,
        "b": code_b,
        "years": opened.years_of(first, last) if year is None else opened.years_of(year, year),
        "area": CRITICAL if area is None else opened.area(area),
        "list": counted,
        "listed_means": listed_means(opened, counted, *filter(None, [code_b])),
    }
