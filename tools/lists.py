"""Write the lists of states anew from tables of facts, or check that they are as the facts say.

``python tools/lists.py FOLDER`` reads the tables of facts in FOLDER (one per official document: printed
name, edition, dates of listing) and names every list that differs; with ``--write`` it writes them. Which
entity a printed name represents is read from the lists themselves (`listed_as`), where people review it;
`copub watchlists check` drafts the names that are new.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

LISTS = Path(__file__).resolve().parents[1] / "taxonomies" / "watchlists"
COLUMNS = ("entity_id", "level", "level_basis", "valid_from", "valid_to", "concern", "listed_as", "source")
FIRST = {2022: "2023-06-29", 2023: "2023-07", 2024: "2023-07", 2025: "2026-07"}
"""Fiscal year of section 1286 -> day of its list, or the month that bounds it."""
LAST_MONTH = "2026-06"
"""The last month of those that the list of fiscal year 2025 no longer names."""
EDITIONS = ("2021-06-03", "2022-10-05", "2024-01-31", "2025-01-07", "2026-06-08")
"""Days of the lists of section 1260H; those of 2022 and 2024 only add entries."""
WHOLE = ("2021-06-03", "2025-01-07", "2026-06-08")


@dataclass
class Row:
    """One member of a list: what the documents say of an entity."""

    valid_from: str
    valid_to: str = ""
    concern: set[str] = field(default_factory=set)
    listed_as: list[str] = field(default_factory=list)
    source: str = ""

    def add(self, name: str) -> None:
        if name and name not in self.listed_as:
            self.listed_as.append(name)


Rows = dict[str, Row]
Names = Mapping[str, str]
"""Printed name -> entity."""


def plain(name: str) -> str:
    """Return a printed name as the lists keep it: a vertical bar would divide two names."""
    return " ".join(name.replace("|", "/").split())


def table(folder: Path, name: str) -> list[dict[str, str]]:
    """Read one table of facts."""
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shipped(watchlist: str) -> list[dict[str, str]]:
    """Read the members of a shipped list."""
    with (LISTS / f"{watchlist}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def assigned(*watchlists: str) -> Names:
    """Return the entity of each printed name, as the lists say."""
    rows = (row for watchlist in watchlists for row in shipped(watchlist))
    return {name: row["entity_id"] for row in rows for name in row["listed_as"].split("|") if name}


def section_1286(folder: Path) -> Iterator[tuple[str, Rows]]:
    """Yield the four lists of section 1286; an entity keeps the day of the first that names it."""
    ids = {year: f"us-1286-fy{year}" for year in FIRST}
    facts = table(folder, "us-section-1286-fy2022-2025-all-countries.csv")
    rows: dict[int, Rows] = {year: {} for year in FIRST}
    since: dict[str, str] = {}
    for fact in sorted(facts, key=lambda fact: fact["fiscal_year"]):
        year = int(fact["fiscal_year"])
        entity = assigned(ids[year]).get(plain(fact["name"]))
        if entity:
            first = since.setdefault(entity, FIRST[year])
            row = rows[year].setdefault(entity, Row(first, source=fact["official_source"]))
            row.add(plain(fact["name"]))
    for year, found in rows.items():
        for entity, row in found.items():
            row.valid_to = "" if entity in rows[max(FIRST)] else LAST_MONTH
        yield ids[year], found


def section_1260h(folder: Path) -> Iterator[tuple[str, Rows]]:
    """Yield the lists of section 1260H in force on the day of each edition."""
    names = assigned(*(f"us-1260h-{day[:4]}" for day in EDITIONS))
    spans: dict[str, dict[str, dict[str, str]]] = {}
    for fact in table(folder, "us-1260h-all-editions-2021-2026.csv"):
        entity = names.get(plain(fact["name"]))
        if entity:
            spans.setdefault(entity, {}).setdefault(fact["listed_from"], fact)
    for edition in EDITIONS:
        whole = max(day for day in WHOLE if day <= edition)
        rows: Rows = {}
        for entity, facts in spans.items():
            last = max((day for day in facts if day <= edition), default="")
            if last >= whole:
                ends = [fact["listed_to"] for fact in facts.values()]
                source = (
                    f"section 1260H list in force on {edition}, United States Department of Defense, Federal Register"
                )
                rows[entity] = Row(min(facts), max(ends) if all(ends) else "", source=source)
                rows[entity].add(plain(facts[last]["name"]))
        yield f"us-1260h-{edition[:4]}", rows


def one_document(
    folder: Path, watchlist: str, file: str, made: Callable[[dict[str, str]], Row]
) -> Iterator[tuple[str, Rows]]:
    """Yield a list that one document makes; members that the document does not hold stay as they are."""
    names = assigned(watchlist)
    rows: Rows = {}
    for fact in table(folder, file):
        entity = names.get(plain(fact["name"]))
        if entity:
            new = made(fact)
            row = rows.setdefault(entity, replace(new, concern=set()))
            row.valid_from = min(row.valid_from, new.valid_from)
            row.concern |= new.concern
            row.add(plain(fact["name"]))
    yield watchlist, rows


def day(text: str) -> str:
    """Return a day such as 25.2.2022 as 2022-02-25."""
    number, month, year = text.split(".")
    return f"{year}-{int(month):02}-{int(number):02}"


def lists(folder: Path) -> Iterator[tuple[str, Rows]]:
    """Yield every list of a state that a table of facts makes whole."""
    yield from section_1286(folder)
    yield from section_1260h(folder)
    yield from one_document(
        folder, "ca-nro-2024", "ca-nro-2025-03-11-all-countries.csv",
        lambda _: Row("2024-01-16", source="https://science.gc.ca, Named Research Organizations"),
    )  # fmt: skip
    yield from one_document(
        folder, "jp-meti-2025", "jp-meti-foreign-user-list-2025-09-29.csv",
        lambda fact: Row(
            "2025-09-29", concern=set(fact["concern"].split("|")),
            source=f"https://www.meti.go.jp/policy/anpo/20250929_4.xlsx, number {fact['number']}",
        ),
    )  # fmt: skip
    source = "Council Regulation (EU) No 833/2014, Annex IV, https://eur-lex.europa.eu/eli/reg/2014/833"
    yield from one_document(
        folder, "eu-833-2014-iv", "eu-833-2014-annex-iv-research-type.csv",
        lambda fact: Row(day(fact["listed_from"]), source=source),
    )  # fmt: skip


def text_of(rows: Rows) -> str:
    """Return the file of members of a list."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for entity, row in sorted(rows.items()):
        cells = {"valid_from": row.valid_from, "valid_to": row.valid_to, "source": row.source}
        lists_ = {"concern": "|".join(sorted(row.concern)), "listed_as": "|".join(row.listed_as)}
        writer.writerow({"entity_id": entity, **cells, **lists_})
    return file.getvalue()


def main() -> int:
    """Compare or write the lists; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder with the tables of facts")
    parser.add_argument("--write", action="store_true", help="write the lists that differ")
    options = parser.parse_args()
    differ = 0
    for watchlist, rows in lists(options.folder):
        path, text = LISTS / f"{watchlist}.csv", text_of(rows)
        if path.read_text(encoding="utf-8") == text:
            sys.stdout.write(f"{watchlist}: {len(rows)} entities, as the facts say\n")
            continue
        differ += 1
        sys.stdout.write(f"{watchlist}: differs from the facts\n")
        if options.write:
            path.write_text(text, encoding="utf-8", newline="\n")
    return 1 if differ and not options.write else 0


if __name__ == "__main__":
    raise SystemExit(main())
