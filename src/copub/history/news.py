"""What is new for one institution since the last run: its new critical and listed works, as text and as a feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote
from xml.etree import ElementTree

import polars as pl

from copub.lines import amount
from copub.report.dossier import institution_of, joint_works
from copub.report.exports import plain_markdown
from copub.report.facts import facts_of
from copub.report.plaintext import printable
from copub.runs.folder import Run, refuse_older
from copub.runs.instruments import questions, study_of

NEW, KNOWN = "is new among the co-publications", "was there before, and is critical and listed now"
"""Why a work is new: OpenAlex has not shown it before, or data, lists or classifier have changed since."""
FEED_ID = "urn:copub:"
"""How the id of a feed begins."""
_ATOM = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True)
class News:
    """The new critical and listed works of one institution.

    works : work_id, doi, title, publication_date, areas, entities, why; the latest first. title : what the text is
    about. since, until : the two runs. updated : when the later run was made, as its manifest has it.
    questions : how the two studies ask otherwise, if they do.
    """

    works: pl.DataFrame
    title: str
    since: str
    until: str
    updated: str
    questions: tuple[str, ...] = ()


def news(before: Run, after: Run, institution: str) -> News:
    """Return the works of an institution of side A that are critical and listed now and were not before.

    Parameters
    ----------
    before, after : two runs of one study, the earlier first.
    institution : its name or OpenAlex id.

    Raises
    ------
    InputError : the later run has no such institution; the hint lists the nearest names.
    """
    refuse_older(before, after)
    facts, earlier = facts_of(after.tables, after.manifest), before.tables["copublications"]
    found = institution_of(facts, "a", institution)
    now = joint_works(facts, found).filter("is_critical_listed")
    new = now.join(earlier.filter("is_critical_listed"), on="work_id", how="anti")
    known = pl.col("work_id").is_in(earlier["work_id"].implode())
    works = new.with_columns(
        pl.when(known).then(pl.lit(KNOWN)).otherwise(pl.lit(NEW)).alias("why"),
        pl.col("areas").list.eval(pl.element().replace(_areas(after))),
        pl.col("entities").list.eval(pl.element().replace(_entities(after))),
    ).sort("publication_date", "work_id", descending=[True, False], nulls_last=True)
    made_up = "SYNTHETIC: " if facts.synthetic else ""
    return News(
        works.select("work_id", "doi", "title", "publication_date", "areas", "entities", "why"),
        f"{made_up}{found.name}: new works on critical technologies with a listed institution of {facts.b}",
        before.folder.name,
        after.folder.name,
        str(after.manifest.get("created") or ""),
        tuple(questions(study_of(before.manifest), study_of(after.manifest))),
    )


def _areas(run: Run) -> Mapping[str, str]:
    return {area: name for one in run.manifest.get("taxonomies", ())[:1] for area, name in one.get("areas", {}).items()}


def _entities(run: Run) -> Mapping[str, str]:
    return dict(run.tables["hits"].select("entity_id", "entity_name").unique().drop_nulls().iter_rows())


def as_markdown(found: News) -> str:
    """Return the news as a short Markdown text; texts of others hold no markup."""
    count = amount(found.works.height, "work") if found.works.height else "No work"
    lines = [
        f"# {plain_markdown(found.title)}",
        "",
        f"{count} critical and listed in run {found.until} and not in {found.since}. "
        "A hit says that a dated list names an institution of the paper. It is no finding about a person.",
    ]
    if found.questions:
        lines += ["", "The two runs ask differently, so that some works may be new for that reason alone:"]
        lines += [f"- {plain_markdown(text)}" for text in found.questions]
    for row in found.works.iter_rows(named=True):
        title, day = plain_markdown(row["title"] or row["work_id"]), row["publication_date"] or "no date"
        lines += ["", f"- **{title}** ({day})", *(f"  {plain_markdown(text)}" for text in _about(row))]
        lines.append(f"  <{_link(row)}>")
    return "\n".join(lines) + "\n"


def as_atom(found: News) -> bytes:
    """Return the news as an Atom file (RFC 4287); an entry has the id of its work, so readers show it once."""
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed")

    def add(parent: ElementTree.Element, name: str, text: str = "", **values: str) -> ElementTree.Element:
        element = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", values)
        element.text = printable(text) or None
        return element

    add(feed, "title", found.title)
    add(feed, "id", f"{FEED_ID}{found.until}")
    add(feed, "updated", found.updated)
    add(add(feed, "author"), "name", "copub")
    for row in found.works.iter_rows(named=True):
        entry = add(feed, "entry")
        add(entry, "title", row["title"] or row["work_id"])
        add(entry, "id", f"https://openalex.org/{row['work_id']}")
        add(entry, "updated", found.updated)
        add(entry, "link", href=_link(row))
        add(entry, "summary", " ".join(f"{text}." for text in _about(row)))
    ElementTree.indent(feed)
    content: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _about(row: Mapping[str, object]) -> list[str]:
    areas, entities = (", ".join(sorted(filter(None, row[name]))) for name in ("areas", "entities"))  # type: ignore[call-overload]
    return [f"Areas: {areas}", f"Listed institutions: {entities}", f"This work {row['why']}"]


def _link(row: Mapping[str, object]) -> str:
    doi = str(row["doi"] or "")
    return f"https://doi.org/{quote(doi)}" if doi else f"https://openalex.org/{row['work_id']}"
