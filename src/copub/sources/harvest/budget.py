"""What the source says about the budget, in whatever generation of headers it says it.

Header names have changed three times in two years; every one of them may be absent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

CREDIT_USD = 0.0001
_FAMILIES = ("x-ratelimit-", "ratelimit-")
# families without a credits field count requests per second, not the day
_DAILY_FROM = 1000
MOST = 366 * 86_400
"""The largest number that is believed, a year in seconds: dates are reckoned with it, and costs added up."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The daily budget after an answer, in credits (1 credit = 0.0001 dollar); None where unsaid.

    `used` is the price of the answer itself, `required` that of a refused request, `resets_in`
    the seconds until the budget comes back.
    """

    limit: int | None = None
    remaining: int | None = None
    used: int | None = None
    required: int | None = None
    resets_in: int | None = None

    @property
    def is_spent(self) -> bool:
        """Whether what remains is less than what the refused request costs."""
        return self.remaining is not None and self.required is not None and self.remaining < self.required


UNTOLD = Budget()


def read_budget(headers: Mapping[str, str]) -> Budget:
    """Return the budget that the headers tell of; header names in any case."""
    lower = {name.lower(): value for name, value in headers.items()}

    def number(name: str) -> int | None:
        for family in _FAMILIES:
            value = whole(lower.get(family + name))
            if value is not None:
                return value
        return None

    limit = number("limit")
    if "x-ratelimit-limit" not in lower and limit is not None and limit < _DAILY_FROM:
        return UNTOLD
    return Budget(limit, number("remaining"), number("credits-used"), number("credits-required"), number("reset"))


def whole(value: Any) -> int | None:
    """Return what the source says as a whole number, from 0 to `MOST`; None if it is none."""
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return int(max(0.0, min(number, MOST))) if number is not None and math.isfinite(number) else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of ``Retry-After``, a number or a date (RFC 9110, 10.2.3); None if there is none to read."""
    value = _stated(headers)
    if value is None:
        return None
    if (seconds := whole(value)) is not None:
        return float(seconds)
    try:
        until = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def asks_to_wait(headers: Mapping[str, str]) -> bool:
    """Return whether there is a ``Retry-After``, be it one that cannot be read."""
    return _stated(headers) is not None


def _stated(headers: Mapping[str, str]) -> str | None:
    return next((value for name, value in headers.items() if name.lower() == "retry-after"), None)


def next_midnight(now: datetime) -> datetime:
    """Return the next midnight UTC, when the daily budget comes back."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)
