"""Every error copub raises on purpose, named by what happened.

Each error carries three sentences: *what* is wrong, *where*, and a *hint* how to fix it; the command
line prints exactly those and ends with `exit_code`. A fault of copub itself is any other
exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

LONGEST = 300
"""Characters of a sentence of an error: what a file holds may be endless, a message must not be."""

FAULTS_SHOWN = 20
"""Faults listed of a file that may have any number of them, one per line."""

_LONGEST_PLACE = 2_000  # many files may be named at once


def brief(text: str) -> str:
    """Return `text`, or its beginning and its end if it is longer than a message should be."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 60]} … {text[-50:]}"


class CopubError(Exception):
    """Root of all errors that copub raises on purpose.

    Parameters
    ----------
    what : what is wrong, one sentence.
    where : file and line, address, table or option; may be empty.
    hint : what the user can do about it; may be empty.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what = brief(what)
        self.where = where if len(where) < _LONGEST_PLACE else brief(where)
        self.hint = hint
        super().__init__(self.what)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n  {self.hint}" if self.hint else head


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault of an input file: where it is, what it is, a hint how to fix it."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {brief(self.what)}" + (f" ({self.hint})" if self.hint else "")


class InputError(CopubError):
    """The user's input is wrong: a study, a list, a taxonomy, a works file, an option."""

    exit_code = 2


class FileError(InputError):
    """A file has faults; all of them are reported at once.

    Parameters
    ----------
    faults : every fault found, in file order; or the first of them.
    kind : what sort of file it is, for the headline ("study", "watchlist", ...).
    more : faults found beyond these.
    """

    def __init__(self, faults: Iterable[Fault], *, kind: str = "file", more: int = 0) -> None:
        self.faults = tuple(faults)
        self.more = more
        count = len(self.faults) + more
        noun = "fault" if count == 1 else "faults"
        super().__init__(f"the {kind} has {count} {noun}")

    @classmethod
    def first(cls, faults: Sequence[Fault], *, kind: str = "file") -> FileError:
        """Return the error that lists the first `FAULTS_SHOWN` faults and counts all."""
        return cls(faults[:FAULTS_SHOWN], kind=kind, more=max(0, len(faults) - FAULTS_SHOWN))

    def __str__(self) -> str:
        shown = self.faults[:FAULTS_SHOWN]
        left = len(self.faults) - len(shown) + self.more
        rest = [f"  and {left:,} more"] if left else []
        return "\n".join([f"{self.what}:", *(f"  {fault}" for fault in shown), *rest])


class SourceUnavailableError(CopubError):
    """The source stopped the harvest; what was got is kept and the same command resumes it."""

    exit_code = 3

    def __init__(self, what: str, *, where: str = "", hint: str = "", resume_at: datetime | None = None) -> None:
        self.resume_at = resume_at
        super().__init__(what, where=where, hint=hint)


class AssertionFailedError(CopubError):
    """A run assertion of the study failed; names the bound and the value."""

    exit_code = 4
