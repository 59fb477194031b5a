"""Reading an official document as rows of cells: CSV, Excel, HTML or plain text."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from struct import error as StructError
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from copub.errors import Fault, FileError, InputError
from copub.givenfiles import too_large
from copub.lists.csvfile import read_lines, read_text
from copub.settings import memory_gb

Rows = list[list[str]]
_ROWS = ("tr", "li", "p", "dt", "h1", "h2", "h3", "h4", "br", "div")
_CELLS = ("td", "th")
_HIDDEN = ("script", "style", "head")
_MEMORY_PER_BYTE = 16  # what the cells of a workbook take in memory, to the bytes of its XML
_NO_WORKBOOK = (
    BadZipFile, InvalidFileException, StructError, zlib.error, OSError, EOFError, LookupError, ValueError, TypeError,
    AttributeError, ArithmeticError, SyntaxError, NotImplementedError, RuntimeError,
)  # fmt: skip
"""What the libraries raise for a file that is no workbook, or a damaged one; broken XML is a `SyntaxError`."""


def read_document(path: Path) -> Rows:
    """Return the rows of a document; a row of a text without table has one cell.

    Raises `InputError` if the file is missing, of another kind, or cannot be read.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        hint = f"save it as one of {', '.join(_READERS)}; from a PDF, copy the text into a .txt file"
        raise InputError(f"cannot read {path.suffix or 'a file without suffix'}", where=str(path), hint=hint)
    if not path.is_file():
        raise InputError("there is no such file", where=str(path), hint="check the path and the spelling")
    rows = read(path)
    clean = ([" ".join(cell.split()) for cell in row] for row in rows)
    return [row for row in clean if any(row)]


def _csv(path: Path) -> Rows:
    faults: list[Fault] = []
    rows = read_lines(path, faults, kind="document")
    if faults:
        raise FileError.first(faults, kind="document")
    return rows


def _excel(path: Path) -> Rows:
    largest = int(memory_gb() * 1e9 / _MEMORY_PER_BYTE)
    try:
        with ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > largest:
                raise too_large(path, largest, "workbook")
        book = load_workbook(path, read_only=True, data_only=True)
        with closing(book):
            return [
                ["" if cell is None else str(cell) for cell in row]
                for sheet in book.worksheets
                for row in sheet.iter_rows(values_only=True)
            ]
    except _NO_WORKBOOK as error:
        raise InputError(
            f"the workbook cannot be read: {error}", where=str(path), hint="save it again from its program"
        ) from None


def _text(path: Path) -> Rows:
    return [[line] for line in read_text(path, kind="document").splitlines()]


def _html(path: Path) -> Rows:
    parser = _Page()
    parser.feed(read_text(path, kind="document"))
    parser.close()
    return parser.rows


class _Page(HTMLParser):
    """Collects table rows with their cells, and each list item, paragraph or heading as a row of one cell."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: Rows = [[""]]
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        if tag in _ROWS:
            self.rows.append([""])
        elif tag in _CELLS and self.rows[-1] != [""]:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN and self._hidden:
            self._hidden -= 1
        if tag in _ROWS:
            self.rows.append([""])

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.rows[-1][-1] += data


_READERS: Mapping[str, Callable[[Path], Rows]] = {
    ".csv": _csv,
    ".xlsx": _excel,
    ".html": _html,
    ".htm": _html,
    ".txt": _text,
}
