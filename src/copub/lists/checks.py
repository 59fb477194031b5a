"""Checks of single values of a study file; each says what is wrong, or nothing."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

from copub.countries import code_fault
from copub.countrygroups import member_fault

Check = Callable[[Any], str | None]
FIRST_YEAR, LAST_YEAR = 1800, 2100
LANGUAGES = ("en", "fr", "nl")


def _one_of(*known: str) -> Check:
    def check(value: Any) -> str | None:
        return None if value in known else f"{value!r} is unknown; known: {', '.join(known)}"

    return check


def _between(low: float, high: float) -> Check:
    def check(value: Any) -> str | None:
        return None if low <= value <= high else f"{value!r} is not between {low:g} and {high:g}"

    return check


def id_fault(value: Any) -> str | None:
    """Return what is wrong with the id of a study, which is the name of its folder; None if nothing is."""
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", str(value)):
        return None
    return f"{value!r} is no identifier (lower-case letters, digits and hyphens, at most 64)"


def date_fault(value: Any) -> str | None:
    """Return what is wrong with a date as text; None if it is a YYYY, YYYY-MM or YYYY-MM-DD of the calendar."""
    if not re.fullmatch(r"(1[89]|20)[0-9]{2}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?", str(value)):
        return f"{value!r} is no date (YYYY, YYYY-MM or YYYY-MM-DD)"
    try:
        datetime.date.fromisoformat(f"{value}-01-01"[:10])
    except ValueError:
        return f"{value!r} is no date: the month has no such day"
    return None


year_fault = _between(FIRST_YEAR, LAST_YEAR)
"""Return what is wrong with a year of publication; None if nothing is."""
CHECKS: Mapping[str, Check] = {
    "country": code_fault,
    "country or group": member_fault,
    "slug": id_fault,
    "language": _one_of(*LANGUAGES),
    "year": year_fault,
    "year or 0": lambda value: None if value == 0 else year_fault(value),
}


def check_of(text: str) -> Check | None:
    """Return the check that ``settings.csv`` names: one of `CHECKS`, "one of a | b", or "from 0 to 1"."""
    if text.startswith("one of "):
        return _one_of(*text.removeprefix("one of ").split(" | "))
    if match := re.fullmatch(r"from ([\d.]+) to ([\d.]+)", text):
        return _between(float(match[1]), float(match[2]))
    return CHECKS[text] if text else None
