"""The one check of JSON from outside: its size, its depth, and the type and size of every value that is read.

A shape is a `msgspec.Struct`: keys that it does not name are ignored. What does not fit is named with its
key, what was expected, and what was found.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
import orjson

from copub.errors import InputError

LARGEST_FILE = 256 << 20
"""Bytes of a JSON file that copub wrote itself: the largest manifests, of millions of works, have a tenth of it."""

Count = Annotated[int, msgspec.Meta(ge=0, le=10_000_000_000)]
Name = Annotated[str, msgspec.Meta(max_length=1_000)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


def misfit(value: Any, shape: Any) -> str:
    """Return which key of a value does not fit a shape, what was expected and what was found; empty if it fits."""
    try:
        msgspec.convert(value, shape)
    except (msgspec.ValidationError, RecursionError) as error:
        return plain_reason(error)
    return ""


def parse_json(data: bytes) -> Any:
    """Return what a JSON text holds. Raises `ValueError` with a reason, also for one that is nested too deeply."""
    try:
        return orjson.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_json(path: Path, shape: Any, *, kind: str, hint: str) -> Any:
    """Return the values of a JSON file, as plain values.

    Raises `InputError`, with `hint` as the remedy, if it is missing, too large, no JSON, or does not fit `shape`.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise ValueError(f"it has {size:,} bytes, at most {LARGEST_FILE:,} are read")
        values = parse_json(path.read_bytes())
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{kind} cannot be read: {reason}", where=str(path), hint=hint) from None
    wrong = misfit(values, shape)
    if wrong:
        raise InputError(f"{kind} is damaged: {wrong}", where=str(path), hint=hint)
    return values


_WORDS = {
    "object": "an object", "array": "a list", "str": "text", "int": "a whole number", "float": "a number",
    "bool": "true or false", "null": "null",
}  # fmt: skip
_FORMS = (
    (r"Object missing required field `(.*)`", r"the key \1 is missing"),
    (r"Object contains unknown field `(.*)`", r"the key \1 is not known"),
    (r"Invalid enum value (.*)", r"the value \1 is not known"),
    (r"Expected `(.*)` of length <= (\d+)", r"`\1` of at most \2 characters expected"),
    (r"Expected `(.*)` <= (\S+)", r"`\1` of at most \2 expected"),
    (r"Expected `(.*)` >= (\S+)", r"`\1` of at least \2 expected"),
    (r"Expected `(.*)` matching regex .*", r"`\1` of another form expected"),
    (r"Expected `(.*)`, got `(.*)`", r"`\1` expected, `\2` found"),
)
"""What msgspec says, as a pattern, and how copub says it."""


def plain_reason(error: Exception) -> str:
    """Return why JSON was refused in plain words: "meta.count: a whole number expected, text found"."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    text, _, place = str(error).partition(" - at `")
    key = place.rstrip("`").removeprefix("$").lstrip(".")
    for pattern, words in _FORMS:
        if found := re.fullmatch(pattern, text, re.DOTALL):
            text = re.sub(r"`([^`]*)`", _in_words, found.expand(words))
            break
    return f"{key}: {text}" if key else text


def _in_words(names: re.Match[str]) -> str:
    return " or ".join(_WORDS.get(name, name) for name in names[1].split(" | "))
