"""The listed critical works as references: BibTeX and RIS.

Authors are left out on purpose: a hit is no finding about a person, and reference managers fill them
in from the DOI.
"""

from __future__ import annotations

import re

from copub.report.blocks import rows_of
from copub.report.facts import Facts, Row
from copub.report.plaintext import joined, printable
from copub.report.workevidence import critical_listed, doi_of

_BIBTEX = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", **{sign: "\\" + sign for sign in "$&#%_"}}
_BIBTEX |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def bibtex(facts: Facts) -> bytes:
    """Return one BibTeX entry per work; the key is the OpenAlex id."""
    return "\n".join(_entry(facts, row) for row in rows_of(critical_listed(facts))).encode("utf-8")


def _entry(facts: Facts, row: Row) -> str:
    kind = "article" if row["type"] == "article" and row["source_name"] else "misc"
    fields = {
        "title": row["title"],
        "journal" if kind == "article" else "howpublished": row["source_name"],
        "publisher": row["publisher"],
        "year": str(row["publication_year"] or ""),
        "doi": doi_of(row["doi"]),
        "note": _note(facts, row),
    }
    lines = [
        f"  {name} = {{{_verbatim(value) if name == 'doi' else _escaped(value)}}},"
        for name, value in fields.items()
        if value
    ]
    key = re.sub(r"\W", "", row["work_id"])
    return "\n".join([f"@{kind}{{{key},", *lines, "}", ""])


def _escaped(text: str) -> str:
    return "".join(_BIBTEX.get(sign, sign) for sign in _line(text))


def _verbatim(doi: str) -> str:
    """Return a DOI as it is, as biblatex reads it; only braces, which would end the field, are encoded."""
    return _line(doi).replace("{", "%7B").replace("}", "%7D").replace("\\", "%5C")


def ris(facts: Facts) -> bytes:
    """Return one RIS record per work."""
    return "".join(_record(facts, row) for row in rows_of(critical_listed(facts))).encode("utf-8")


def _record(facts: Facts, row: Row) -> str:
    tags = [
        ("TY", "JOUR" if row["type"] == "article" else "GEN"),
        ("ID", row["work_id"]),
        ("TI", row["title"]),
        ("JO", row["source_name"]),
        ("PB", row["publisher"]),
        ("PY", str(row["publication_year"] or "")),
        ("DO", doi_of(row["doi"])),
        ("KW", joined(facts.area(area) for area in row["areas"] or ())),
        ("N1", _note(facts, row)),
    ]
    lines = [f"{tag}  - {_line(value)}" for tag, value in tags if value]
    return "\r\n".join([*lines, "ER  - ", "", ""])


def _note(facts: Facts, row: Row) -> str:
    made_up = "SYNTHETIC. " if facts.synthetic else ""
    return f"{made_up}OpenAlex {row['work_id']}; {joined(facts.area(area) for area in row['areas'] or ())}"


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", printable(text)).strip()
