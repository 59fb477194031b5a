"""Formal ties of institutions: CSV files that people write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from copub.countries import code_fault
from copub.errors import Fault, FileError, InputError
from copub.lists.checks import date_fault
from copub.lists.csvfile import parse_table, read_text
from copub.shipped import shipped_folder

FOLDER = "taxonomies/ties"
SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class Tie:
    """One agreement between an institution of side A and one of side B.

    Names of partners that the source does not give are empty: the tie stays unresolved. Dates
    are YYYY, YYYY-MM or YYYY-MM-DD or empty; `areas` are priority areas, joined by |.
    """

    tie_id: str
    institution_a: str
    institution_a_id: str
    country_a: str
    institution_b: str
    institution_b_id: str
    country_b: str
    kind: str
    start: str
    renewed: str
    end: str
    areas: str
    source: str
    note: str

    @property
    def is_resolved(self) -> bool:
        """Say whether both partners are named."""
        return bool(self.institution_a and self.institution_b)


COLUMNS = tuple(field.name for field in fields(Tie))
_NEEDED = ("tie_id", "country_a", "country_b", "kind", "source")
_CHECKS: Mapping[str, Callable[[str], str | None]] = {
    **dict.fromkeys(("country_a", "country_b"), code_fault),
    **dict.fromkeys(("start", "renewed", "end"), date_fault),
}


def load_ties(name: str | Path) -> tuple[Tie, ...]:
    """Load a file of ties by the name of a shipped one or by the path of a CSV file.

    Raises
    ------
    InputError : no such file; the message lists the shipped ones.
    FileError : the file has faults; all of them, with file and line.
    """
    path = Path(name)
    if path.suffix != ".csv" and not path.is_file():
        shipped = {file.stem: file for file in shipped_folder(FOLDER).glob("*.csv")}
        if str(name) not in shipped:
            raise InputError(
                f"there is no file of ties {str(name)!r}",
                hint=f"shipped: {', '.join(sorted(shipped))}; or give the path of a .csv file",
            )
        path = shipped[str(name)]
    return read_ties(read_text(path, kind="file of ties"), name=str(path))


def read_ties(text: str, *, name: str = "ties.csv") -> tuple[Tie, ...]:
    """Read the text of a file of ties. All faults are raised together as `FileError`."""
    faults: list[Fault] = []
    table = parse_table(text, name, faults)
    faults += table.column_faults(dict.fromkeys(COLUMNS, f"columns: {', '.join(COLUMNS)}"), COLUMNS)
    ties: list[Tie] = []
    seen: set[str] = set()
    for row in () if set(COLUMNS) - set(table.columns) else table.rows:
        where, values = row.where, {column: row[column] for column in COLUMNS}
        faults += [Fault(where, f"{column} is empty") for column in _NEEDED if not values[column]]
        for column, check in _CHECKS.items():
            message = check(values[column]) if values[column] else None
            faults += [Fault(where, f"{column}: {message}")] if message else []
        if values["tie_id"] in seen:
            faults.append(Fault(where, f"the tie {values['tie_id']!r} occurs twice", "give each its own tie_id"))
        seen.add(values["tie_id"])
        ties.append(Tie(**values))
    if faults:
        raise FileError(faults, kind="file of ties")
    return tuple(ties)
