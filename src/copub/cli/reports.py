"""Commands that write more files about a run: export, dossier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from copub.cli.app import JsonOption, ReportsOption, app, print_json
from copub.lists.outputplace import check_page, sign_page
from copub.names import EXPORTS, PUBLIC
from copub.settings import folders
from copub.writing import write_file

RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="a run folder, STUDY/RUN, or STUDY for its newest run", show_default=False)
]


@app.command("export")
def export_command(
    run: RunArgument,
    to: Annotated[
        list[str] | None, typer.Option("--to", metavar="KIND", help=f"may repeat: {', '.join((*EXPORTS, PUBLIC))}")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="folder; default: export/ in the run folder")
    ] = None,
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run in other formats.

    CSV, network files, bibliography, data package, RO-Crate, summary.

    public writes a data package that may be deposited: no names or ids of persons, no texts. It is
    made only where it is asked for.

    openalex-curations writes reviewed corrections of institution links in the form that OpenAlex
    accepts. copub sends nothing.

    \b
    Examples:
      copub export demo
      copub export belgium-china --to csv --to bibtex
      copub export belgium-china --to public --out deposit
    """
    from copub.report.exports import export
    from copub.runs.folder import refuse_older
    from copub.runs.keep import find_run

    found = find_run(run, folders(reports=reports).reports)
    refuse_older(found)
    paths = export(found.tables, found.manifest, out or found.folder / "export", to or EXPORTS)
    if as_json:
        print_json({"run": str(found.folder), "files": [str(path) for path in paths]})
        return
    for path in paths:
        typer.echo(str(path))


@app.command("dossier")
def dossier_command(
    run: RunArgument,
    institution: Annotated[str, typer.Option("--institution", metavar="NAME", help="name or OpenAlex id, side A")],
    partner: Annotated[
        str | None, typer.Option("--partner", metavar="NAME", help="name or OpenAlex id, side B")
    ] = None,
    area: Annotated[str | None, typer.Option("--area", metavar="AREA", help="area of the headline taxonomy")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="page; default: dossier.html here")] = None,
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one page on an institution and its partners.

    An earlier dossier on the same question is replaced unless somebody changed it; any other file is kept.

    It shows list status and editions, joint works, evidence and ties. A hit is no finding about a
    person, and a listed partner is not forbidden.

    \b
    Example:
      copub dossier belgium-china --institution "KU Leuven" --partner "Beihang University"
    """
    from copub.report.dossier import build_dossier
    from copub.runs.copies import ties_of
    from copub.runs.folder import refuse_older
    from copub.runs.keep import find_run

    found = find_run(run, folders(reports=reports).reports)
    refuse_older(found)
    path = out or Path("dossier.html")
    subject = "\n".join(["dossier", str(found.manifest["study"]["id"]), institution, partner or "", area or ""])
    check_page(path, subject)
    known = [
        {
            "side_a": tie.institution_a,
            "side_b": tie.institution_b,
            "country": tie.country_b,
            "kind": tie.kind,
            "date": tie.start,
            "source": tie.source,
        }
        for tie in ties_of(found)
    ]
    page = build_dossier(found.tables, found.manifest, institution=institution, partner=partner, area=area, ties=known)
    write_file(path, sign_page(page, subject))
    if as_json:
        print_json({"run": str(found.folder), "page": str(path)})
    else:
        typer.echo(str(path))
