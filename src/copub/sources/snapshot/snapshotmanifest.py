"""Reading the manifest of a snapshot, old shape (``entries``) and new (``files``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from copub.errors import InputError


@dataclass(frozen=True, slots=True)
class Promise:
    """What a manifest says of one file: its length in bytes and its number of records, where it says so."""

    length: int | None
    records: int | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The date of the snapshot, "" if unknown, and what is promised by file name (``updated_date=…/part…``)."""

    date: str
    files: Mapping[str, Promise]


def file_name(path: str) -> str:
    """Return the last two parts of a path or address: the partition and the file."""
    return "/".join(path.rsplit("/", 2)[-2:])


def parse_manifest(text: bytes, *, where: str) -> Manifest:
    """Parse a manifest of works.

    Raises
    ------
    InputError : the text is no JSON, is no manifest, or is that of something else than works.
    """
    hint = "get it again from the snapshot, or remove it to do without its checks"
    try:
        value: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError(f"the manifest is no JSON: {error}", where=where, hint=hint) from None
    entries = value.get("files", value.get("entries")) if isinstance(value, dict) else None
    if not isinstance(entries, list) or not all(isinstance(e, dict) and isinstance(e.get("url"), str) for e in entries):
        raise InputError("the manifest lists no files under 'files' or 'entries'", where=where, hint=hint)
    entity = value.get("entity", "works")
    if entity != "works":
        raise InputError(f"these are {entity}, not works", where=where, hint="name the folder of works")
    return Manifest(
        date=str(value.get("date") or ""),
        files={file_name(entry["url"]): _promise(entry.get("meta")) for entry in entries},
    )


def _promise(meta: Any) -> Promise:
    numbers = meta if isinstance(meta, dict) else {}
    length, records = (numbers.get(key) for key in ("content_length", "record_count"))
    return Promise(length if isinstance(length, int) else None, records if isinstance(records, int) else None)
