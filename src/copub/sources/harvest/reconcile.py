"""Getting all works of a cell, and proving it: pages, then counts per year, then the gaps again.

A list can end early without any sign (the search engine's own time limit), and the index moves
while one pages. So what came is set against the counts per year asked for at the end; a year that
is short is harvested again, then month by month; what is then still missing is named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from copub.errors import SourceUnavailableError
from copub.sources.harvest.cache import Entry
from copub.sources.harvest.query import PER_PAGE
from copub.sources.harvest.source import Source

SPARE = 20 * PER_PAGE
"""Works that may be short or too many in a list before its end is doubted: an index moves while one pages."""
MONTHS = tuple(f"{month:02d}" for month in range(1, 13))


@dataclass(frozen=True, slots=True)
class Gap:
    """Works that the source counts and does not give: cell, year, month; empty if not so narrow."""

    cell: str
    year: str
    month: str
    expected: int
    got: int

    def as_row(self) -> dict[str, str | int]:
        """Return the gap for the manifest."""
        return {
            "query": self.cell,
            "year": self.year,
            "month": self.month,
            "expected": self.expected,
            "got": self.got,
            "missing": self.expected - self.got,
        }


@dataclass(slots=True)
class Tally:
    """What came for one cell.

    works : identity -> (year, date of publication, date of update).
    expected : the count of the source at the end; years : that count per year.
    first_count : the count on the first page. repaired : spans harvested again. gaps : what is missing.
    """

    cell: str
    works: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    first_count: int = 0
    expected: int = 0
    years: dict[str, int] = field(default_factory=dict)
    repaired: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def got(self, span: str = "") -> int:
        """Return the works that came: in all, of a year (``2013``) or of a month (``2013-05``)."""
        if not span:
            return len(self.works)
        if "-" in span:
            return sum(date.startswith(span) for _, date, _ in self.works.values())
        return sum(year == span for year, _, _ in self.works.values())

    def got_per_year(self) -> dict[str, int]:
        """Return the works that came per year."""
        years: dict[str, int] = {}
        for year, _, _ in self.works.values():
            years[year] = years.get(year, 0) + 1
        return dict(sorted(years.items()))

    def take(self, entry: Entry) -> None:
        """Add the works of a page."""
        for work_id, year, date, updated in entry.facts["works"]:
            self.works[work_id] = (str(year), str(date), str(updated))


Moved = Callable[[Entry], None]


def collect(source: Source, tally: Tally, span: str, *, sweep: bool, moved: Moved) -> int:
    """Page through a span of a cell until the source says that there is no more.

    Returns the count on the first page. Raises `SourceUnavailableError` if there is no end: pages that bring on average
    less than half of what a page holds, or twice the works that the source counts. The end is a null
    cursor, an empty page, a cursor that comes back, or a page that is not full when as many
    works came as the source counts.
    """
    cursor: str | None = "*"
    seen: set[str] = set()
    came: set[str | None] = set()
    count = most = -1
    while cursor and cursor not in seen:
        if len(seen) * PER_PAGE > 2 * len(came) + SPARE or len(came) > 2 * most + SPARE:
            source.forget(tally.cell, span)
            raise SourceUnavailableError(
                f"the source gives pages without end: {len(seen)} pages with {len(came)} works, where it counts {most}",
                where=f"query {tally.cell}",
                hint="nothing else was lost: run the same command later, when the source is well again",
            )
        seen.add(cursor)
        entry = source.page(tally.cell, span, cursor, sweep=sweep)
        count = entry.facts["count"] if count < 0 else count
        most = max(most, entry.facts["count"])
        tally.take(entry)
        moved(entry)
        works = entry.facts["works"]
        came.update(row[0] for row in works)
        if not works or (len(works) < PER_PAGE and len(came) >= entry.facts["count"]):
            break
        cursor = entry.facts["next"]
    return max(count, 0)


def reconcile(source: Source, tally: Tally, *, sweep: bool, moved: Moved) -> None:
    """Set what came for a cell against the counts per year, and get again what is short."""
    counted = source.years(tally.cell).facts
    tally.years = counted["years"]
    tally.expected = max(counted["count"], sum(tally.years.values()))
    came = tally.got_per_year()
    short = [year for year, expected in tally.years.items() if came.get(year, 0) < expected]
    if sum(tally.years.values()) < tally.expected:
        # the table of years does not add up: trust none of it
        short = [str(year) for year in range(source.query.year_from, source.query.year_to + 1)]
        tally.years, tally.expected = {}, 0
    for year in short:
        _again(source, tally, year, sweep=sweep, moved=moved)


def _again(source: Source, tally: Tally, year: str, *, sweep: bool, moved: Moved) -> None:
    tally.repaired.append(year)
    expected = collect(source, tally, year, sweep=sweep, moved=moved)
    tally.expected += expected - tally.years.get(year, 0)
    tally.years[year] = expected
    if tally.got(year) >= expected:
        return
    found = False
    for month in MONTHS:
        span = f"{year}-{month}"
        tally.repaired.append(span)
        counted = collect(source, tally, span, sweep=sweep, moved=moved)
        if tally.got(span) < counted:
            found = True
            tally.gaps.append(Gap(tally.cell, year, month, counted, tally.got(span)))
    if not found and tally.got(year) < expected:
        tally.gaps.append(Gap(tally.cell, year, "", expected, tally.got(year)))
